// Compares classify() and own_answer() with what TiDB's own parser says (main.go, on standard
// input): ours agrees or says unknown, never calls a read what is none, and answers itself only
// what TiDB takes for the same, without a warning. Prints the share of unknown statements and the
// first disagreements; fails if there is one, or if one statement of a hundred is unknown.
#include <algorithm>
#include <cstddef>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tidepool/sql/parse/own_answer.h"
#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/state/variable.h"

namespace tidepool::sql {
namespace {

constexpr std::size_t kShownOfAKind = 10;
constexpr std::size_t kLeastStatements = 5000;  // fewer: the oracle is broken
constexpr std::size_t kLeastOwnAnswers = 1000;  // likewise

std::string decode_base64(std::string_view encoded) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string decoded;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char digit : encoded) {
    if (digit == '=') break;
    bits = (bits << 6U) | static_cast<std::uint32_t>(kDigits.find(digit));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    decoded.push_back(static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xffU));
  }
  return decoded;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    words.push_back(list.substr(at, comma - at));
    at = comma + 1;
  }
  return words;
}

// What the oracle says of one statement.
struct Expected {
  std::string kind;
  bool is_read = false;
  std::vector<std::string> facts;
  std::vector<std::string> sets;  // "u:name" and its like, the name decoded
};

Expected parse_expected(const nlohmann::json& line) {
  Expected expected{line["class"], line["read"], split(line["facts"]), {}};
  for (const std::string& set : split(line["sets"])) {
    const std::size_t colon = set.find(':');
    expected.sets.push_back(set.substr(0, colon + 1) + decode_base64(set.substr(colon + 1)));
  }
  return expected;
}

LexMode mode_of(const std::string& name) {
  return LexMode{.ansi_quotes = name == "ansi", .no_backslash_escapes = name == "noescape"};
}

// A fact of the oracle's that ours must show.
bool shows(const Statement& statement, const std::string& fact) {
  static const std::map<std::string, InfoFunction> kFunctions = {
      {"last_insert_id", InfoFunction::kLastInsertId},
      {"row_count", InfoFunction::kRowCount},
      {"found_rows", InfoFunction::kFoundRows},
      {"connection_id", InfoFunction::kConnectionId},
      {"lastval", InfoFunction::kSequence},
      {"user_variable", InfoFunction::kUserVariable}};
  if (const auto found = kFunctions.find(fact); found != kFunctions.end()) {
    return statement.info_functions.contains(found->second);
  }
  if (fact == "nextval") return statement.pins.contains(Pin::kSequence);
  if (fact == "setval") return !statement.is_read;  // it changes the sequence, not the session
  if (fact == "get_lock") return statement.pins.contains(Pin::kLock);
  if (fact == "sets_insert_id") return statement.may_set_last_insert_id;
  return true;  // "assigns" is among the sets
}

// A change of the statement as the oracle writes it; nothing for what it does not list.
std::optional<std::string> written(const StateChange& change) {
  switch (change.kind) {
    case ChangeKind::kUseDatabase: return "d:" + change.name;
    case ChangeKind::kSetVariable:
    case ChangeKind::kSetDefault:
    case ChangeKind::kComputedVariable: return "s:" + change.name;
    case ChangeKind::kSetNames: return "names:";
    case ChangeKind::kSetCharacterSet: return "charset:";
    case ChangeKind::kSetUserVariable:
    case ChangeKind::kSetUserString:
    case ChangeKind::kComputedUserVariable:
    case ChangeKind::kFileUserVariable:
    case ChangeKind::kUnrestorableUserVariable: return "u:" + change.name;
    case ChangeKind::kPrepareNamed: return "p:" + change.name + "=" + change.value;
    case ChangeKind::kExecuteNamed: return "x:" + change.name;
    case ChangeKind::kDeallocateNamed: return "f:" + change.name;
    default: return std::nullopt;
  }
}

// As ours names it; nothing for what is no state of the session.
std::optional<std::string> canonical(const std::string& set) {
  if (set.starts_with("g:")) return std::nullopt;
  if (!set.starts_with("s:")) return set;
  const VariableId id = find_variable(set.substr(2));
  if (id == kNoVariable) return set;
  const Variable& known = variable(id);
  const bool is_state =
      known.group != VariableClass::kNoState && known.group != VariableClass::kServer;
  return is_state ? std::optional<std::string>("s:" + std::string(known.name)) : std::nullopt;
}

std::vector<std::string> sorted(std::vector<std::string> sets) {
  std::sort(sets.begin(), sets.end());
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  return sets;
}

std::vector<std::string> sets_of(const Statement& statement) {
  std::vector<std::string> sets;
  for (const StateChange& change : statement.changes) {
    if (std::optional<std::string> set = written(change)) sets.push_back(std::move(*set));
  }
  return sorted(std::move(sets));
}

std::vector<std::string> sets_of(const Expected& expected) {
  std::vector<std::string> sets;
  for (const std::string& set : expected.sets) {
    if (std::optional<std::string> own = canonical(set)) sets.push_back(std::move(*own));
  }
  return sorted(std::move(sets));
}

// SET TRANSACTION for the next one only is a pin, not a change.
bool is_one_shot(const Statement& statement) {
  return statement.pins.contains(Pin::kOneShotTransaction) ||
         statement.pins.contains(Pin::kStaleRead);
}

bool sets_the_same(const Statement& statement, const Expected& expected) {
  if (is_one_shot(statement)) return true;
  const std::vector<std::string> ours = sets_of(statement);
  const std::vector<std::string> theirs = sets_of(expected);
  // In LOAD DATA, one that is only read counts as set: no harm.
  if (statement.kind != StatementKind::kWrite) return ours == theirs;
  return std::includes(ours.begin(), ours.end(), theirs.begin(), theirs.end());
}

std::string setting(const StateChange& change) {
  const std::string tail = change.value + "/" + change.collation;
  switch (change.kind) {
    case ChangeKind::kSetNames: return "setnames=" + tail;
    case ChangeKind::kNextIsolation: return "tx_isolation_one_shot=" + tail;
    default: return change.name + "=" + tail;
  }
}

std::string settings(const StateChanges& changes) {
  std::string list;
  for (const StateChange& change : changes)
    list += (list.empty() ? "" : ",") + setting(change);
  std::transform(list.begin(), list.end(), list.begin(), [](char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  });
  return list;
}

std::string named(InfoFunction fact) {
  switch (fact) {
    case InfoFunction::kLastInsertId: return "last_insert_id";
    case InfoFunction::kRowCount: return "row_count";
    default: return "found_rows";
  }
}

std::string killed(const KillTarget& target) {
  if (target.own_connection) return "kill itself";
  return "kill " + std::to_string(target.id) + (target.query_only ? " true" : " false");
}

// What the proxy would answer itself, in the oracle's words; empty: nothing.
std::string own_of(const Script& script, std::string_view text) {
  switch (own_answer(script, text)) {
    case OwnAnswer::kEnd: return "end";
    case OwnAnswer::kSetting: return "set " + settings(script.front().changes);
    case OwnAnswer::kShown: {
      const ShownDiagnostics shown = script.front().shown.value();
      return std::string("show ") + (shown.errors ? "errors " : "warnings ") +
             (shown.counts ? "true" : "false");
    }
    case OwnAnswer::kInfoFunction:
      return "select " + named(script.front().lone_info_function.value());
    case OwnAnswer::kKill: return killed(script.front().kill.value());
    case OwnAnswer::kNone: break;
  }
  return {};
}

// What the oracle says of a text.
struct Verdict {
  bool is_refused = false;
  bool warns = false;
  std::size_t count = 0;
  std::string own;
};

class Comparison {
 public:
  void compare_own(const std::string& text, LexMode mode, const Verdict& verdict) {
    const Script script = classify(text, mode);
    if (script.empty()) {
      if (verdict.is_refused || verdict.count > 0) disagree("answers as if it were empty", text);
      return;
    }
    const std::string own = own_of(script, text);
    if (own.empty()) return;
    ++own_answers_;
    if (verdict.is_refused) return disagree("answers what TiDB refuses: " + own, text);
    if (verdict.warns) return disagree("answers what TiDB warns of: " + own, text);
    if (verdict.count != 1 || verdict.own != own) disagree("answers " + own, text);
  }

  void compare_text(const std::string& text, LexMode mode, const std::vector<Expected>& expected) {
    const Script script = classify(text, mode);
    if (script.size() != expected.size()) {
      bool is_unknown = script.empty();
      for (std::size_t at = 0; at < script.size(); ++at) {
        is_unknown = is_unknown || script[at].kind == StatementKind::kUnknown;
      }
      statements_ += expected.size();
      if (is_unknown) {
        unknown_ += expected.size();
      } else {
        disagree("count", text);
      }
      return;
    }
    for (std::size_t at = 0; at < script.size(); ++at)
      compare(script[at], expected[at]);
  }

  // 0 if all is well.
  int report() const {
    std::cout << statements_ << " statements, " << unknown_ << " unknown ("
              << 100.0 * static_cast<double>(unknown_) / static_cast<double>(statements_) << " %), "
              << timid_ << " reads not called so, " << own_answers_ << " answered without TiDB, "
              << disagreements_ << " disagreements\n";
    const bool is_enough = statements_ >= kLeastStatements && own_answers_ >= kLeastOwnAnswers;
    return disagreements_ == 0 && is_enough && unknown_ * 100 < statements_ ? 0 : 1;
  }

 private:
  void compare(const Statement& statement, const Expected& expected) {
    ++statements_;
    if (statement.kind == StatementKind::kUnknown) {
      ++unknown_;
      show("unknown " + expected.kind, statement.text);
      return;
    }
    const std::string kind = to_string(statement.kind);
    if (kind != expected.kind) {
      return disagree(expected.kind + " called " + kind, statement.text);
    }
    if (statement.is_read && !expected.is_read) disagree("called a read", statement.text);
    if (!statement.is_read && expected.is_read) {
      ++timid_;
      show("a read not called so", statement.text);
    }
    for (const std::string& fact : expected.facts) {
      if (!shows(statement, fact)) disagree("overlooked " + fact, statement.text);
    }
    if (!sets_the_same(statement, expected)) {
      disagree("sets something else", statement.text);
    }
  }

  void disagree(const std::string& how, std::string_view text) {
    ++disagreements_;
    show("DISAGREES, " + how, text);
  }

  void show(const std::string& what, std::string_view text) {
    if (++shown_[what] > kShownOfAKind) return;
    std::cout << what << ": " << text.substr(0, 200) << "\n";
  }

  std::size_t statements_ = 0;
  std::size_t unknown_ = 0;
  std::size_t timid_ = 0;
  std::size_t own_answers_ = 0;
  std::size_t disagreements_ = 0;
  std::map<std::string, std::size_t> shown_;
};

int run(std::istream& input) {
  Comparison comparison;
  std::string text;
  std::vector<Expected> expected;
  for (std::string line; std::getline(input, line);) {
    const nlohmann::json parsed = nlohmann::json::parse(line);
    if (!parsed["text"].is_null()) {
      text = decode_base64(parsed["text"].get<std::string>());
      expected.clear();
      comparison.compare_own(text, mode_of(parsed["mode"]),
                             {parsed["refused"], parsed["warns"], parsed["count"], parsed["own"]});
      if (parsed["count"] == 0) continue;
    }
    expected.push_back(parse_expected(parsed));
    if (expected.size() == parsed["count"].get<std::size_t>()) {
      comparison.compare_text(text, mode_of(parsed["mode"]), expected);
    }
  }
  return comparison.report();
}

}  // namespace
}  // namespace tidepool::sql

int main() {
  return tidepool::sql::run(std::cin);
}
