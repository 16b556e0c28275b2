#include "forged_state.h"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tidepool::testing {
namespace {

// More than a hash has bits: enough of them are independent.
constexpr std::size_t kCandidates = 96;
constexpr unsigned kHashBits = 64;

using Chosen = std::bitset<kCandidates>;

sql::StateChange candidate(std::size_t number) {
  return {.kind = sql::ChangeKind::kSetUserVariable,
          .name = "forged" + std::to_string(number),
          .value = "1"};
}

// What setting it does to the hash of any state.
std::uint64_t difference(std::size_t number) {
  sql::SessionState state;
  const std::uint64_t before = state.hash();
  state.apply(candidate(number));
  return before ^ state.hash();
}

// Gaussian elimination over the field of two elements.
class Basis {
 public:
  void add(std::uint64_t value, Chosen chosen) {
    reduce(value, chosen);
    if (value == 0) return;
    const unsigned bit = highest_bit(value);
    values_[bit] = value;
    chosen_[bit] = chosen;
  }
  // Those that together make `value`.
  Chosen solve(std::uint64_t value) const {
    Chosen chosen;
    reduce(value, chosen);
    return value == 0 ? chosen : Chosen();
  }

 private:
  static unsigned highest_bit(std::uint64_t value) {
    unsigned bit = 0;
    while (value >>= 1U)
      ++bit;
    return bit;
  }
  void reduce(std::uint64_t& value, Chosen& chosen) const {
    for (unsigned bit = kHashBits; bit-- > 0;) {
      if ((value >> bit & 1U) == 0 || values_[bit] == 0) continue;
      value ^= values_[bit];
      chosen ^= chosen_[bit];
    }
  }

  std::array<std::uint64_t, kHashBits> values_{};
  std::array<Chosen, kHashBits> chosen_{};
};

}  // namespace

sql::StateChanges forge_hash(const sql::SessionState& own, const sql::SessionState& target) {
  Basis basis;
  for (std::size_t number = 0; number < kCandidates; ++number)
    basis.add(difference(number), Chosen().set(number));
  const Chosen chosen = basis.solve(own.hash() ^ target.hash());
  sql::StateChanges changes;
  for (std::size_t number = 0; number < kCandidates; ++number)
    if (chosen[number]) changes.push_back(candidate(number));
  return changes;
}

}  // namespace tidepool::testing
