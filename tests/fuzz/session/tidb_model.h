// What a scripted backend knows of its session, as far as the harness needs to answer plausibly:
// the transaction, prepared statements with their long data, and one user variable, @t.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tidepool::fuzz {

class TidbModel {
 public:
  explicit TidbModel(unsigned connection) : connection_(connection) {}

  // The answer, in whole packets; empty for a command without one.
  std::string answer(std::string_view command);
  // The command was answered with success by other bytes: what it does to the session.
  void apply(std::string_view command);
  static bool has_answer(std::string_view command);

  std::uint16_t status() const;
  void add_status(std::uint16_t bits) { extra_status_ |= bits; }
  void set_in_transaction(bool on) { in_transaction_ = on; }
  void set_warnings(std::uint16_t count) { warnings_ = count; }
  void clear_once() {
    warnings_ = 0;
    extra_status_ = 0;
  }
  // An answer of that many columns and rows that echoes what was sent.
  std::string rows(std::string_view echo, unsigned columns, unsigned rows) const;
  // A prepare's answer.
  std::string prepared(std::string_view text, unsigned params, unsigned columns);
  std::string ok() const;

 private:
  struct Statement {
    std::string text;
    std::string long_data;
  };
  std::string answer_text(std::string_view text);
  std::string answer_execute(std::string_view command);
  std::string value_of(std::string_view item, std::string_view echo) const;
  std::string select(std::string_view text) const;
  void apply_text(std::string_view text);
  void reset();

  const unsigned connection_;
  bool autocommit_ = true;
  bool in_transaction_ = false;
  std::uint16_t warnings_ = 0;      // of the next answer only
  std::uint16_t extra_status_ = 0;  // likewise
  std::optional<char> variable_;    // whose marker is in @t
  std::string database_;
  std::map<std::uint32_t, Statement> statements_;
  std::uint32_t next_id_ = 1;
};

}  // namespace tidepool::fuzz
