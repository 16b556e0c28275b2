// A row of a table of states: the one source of what a state means, for the checks of transitions
// and for docs/architecture.md, which a test compares. Pure.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>

namespace tidepool {

// The states of an enum as a set.
template <class State>
class StateSet {
 public:
  template <std::same_as<State>... States>
  constexpr explicit StateSet(States... states) : bits_((0U | ... | bit(states))) {}

  constexpr bool contains(State state) const { return (bits_ & bit(state)) != 0; }

 private:
  static constexpr unsigned bit(State state) { return 1U << static_cast<unsigned>(state); }

  unsigned bits_;
};

template <class State>
struct StateRow {
  const char* name;
  const char* waits_for;
  const char* at_most;  // the timeout of the wait
  const char* owns;
  StateSet<State> leads_to;
  const char* ends;  // how it leaves the table from here, or null
};

// The table as docs/architecture.md has it. `rows` are in the order of the enum.
template <class State>
std::string markdown_of(std::span<const StateRow<State>> rows) {
  std::string text =
      "| state | waits for | at most | owns | leads to |\n"
      "|---|---|---|---|---|\n";
  for (const StateRow<State>& row : rows) {
    std::string targets;
    const auto add = [&](const char* name) {
      if (!targets.empty()) targets += ", ";
      targets += name;
    };
    for (std::size_t other = 0; other < rows.size(); ++other)
      if (row.leads_to.contains(static_cast<State>(other))) add(rows[other].name);
    if (row.ends != nullptr) add(row.ends);
    text += std::string("| ") + row.name + " | " + row.waits_for + " | " + row.at_most + " | " +
            row.owns + " | " + targets + " |\n";
  }
  return text;
}

}  // namespace tidepool
