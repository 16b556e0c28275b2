// Turns: the commands of one session, planned and settled on backends that are models too, without
// a socket. Each step is answered with OK, a prepare with the next id, unless the test says what
// else TiDB answers. An error is followed by a probe, as in a session.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/tracking/command_context.h"

namespace tidepool::tracking {

class Turns {
 public:
  using Steps = std::vector<std::string>;  // as FakeTidb describes commands

  explicit Turns(std::uint32_t id = 7) : model(id) {}

  // ---- A client's commands ----
  // Each returns what TiDB receives for it, in order; the session is then what its answers made it.

  Steps query(BackendModel& backend, std::string_view text);
  Steps init_database(BackendModel& backend, std::string_view database);
  // COM_SET_OPTION.
  Steps set_multi_statements(BackendModel& backend, bool enabled);
  // COM_STMT_PREPARE; answers the session's own id of the statement by `id`.
  Steps prepare(BackendModel& backend, std::string_view text, std::uint32_t& id,
                std::uint16_t params = 0);
  // One without parameters, or with one of the types that are given, two bytes each; empty: the
  // client sends none.
  Steps execute(BackendModel& backend, std::uint32_t id, std::string_view types = {},
                std::uint8_t cursor_flags = 0);
  Steps send_long_data(BackendModel& backend, std::uint32_t id);
  Steps fetch(BackendModel& backend, std::uint32_t id);
  Steps reset_statement(BackendModel& backend, std::uint32_t id);
  // Any command; the test makes it.
  Steps run(BackendModel& backend, Command& command);

  // ---- What the proxy does by itself ----

  // The USE that checks a login's database.
  Steps check_login(BackendModel& backend, std::string_view database);
  // The questions that bring back what only the backend knows.
  Steps capture(BackendModel& backend);

  // ---- TiDB ----

  // What is answered to that text from now on, whole packets.
  void answer(const std::string& text, std::string packets) { answers_[text] = std::move(packets); }
  // A backend as it is after its login.
  static BackendModel fresh_backend() { return {sql::SessionState(), 16}; }

  // ---- Of the last command ----

  // No commands bring the backend to the session's state.
  bool found_no_way() const { return found_no_way_; }
  // What was sent, with command bytes.
  const std::vector<std::string>& payloads() const { return payloads_; }
  // The ids that were to be closed on the backend.
  const std::vector<std::uint32_t>& closed() const { return closed_; }
  // What the client was told.
  const protocol::ResponseSummary& told() const { return told_; }

  SessionModel model;

 private:
  Steps use_statement(BackendModel& backend, protocol::Command type, std::uint32_t id,
                      std::string_view argument);
  Steps exchange(CommandContext& context);
  void follow(CommandContext& context, StepKind ended);
  void follow_prepare(CommandContext& context);
  void settle_relay(CommandContext& context);
  void settle_prepare(CommandContext& context);
  void settle_failed_exchange(CommandContext& context);
  std::string answer_to(std::string_view payload);

  std::map<std::string, std::string> answers_;
  std::uint32_t last_statement_ = 0;  // of all backends
  bool found_no_way_ = false;
  std::vector<std::string> payloads_;
  std::vector<std::uint32_t> closed_;
  protocol::ResponseSummary told_;
};

// Packets as TiDB sends them.
std::string ok_packets(std::uint64_t insert_id = 0, std::uint16_t warnings = 0,
                       std::uint16_t status = 2);
std::string number_packets(std::uint64_t number);                            // a row with a number
std::string text_packets(const std::string& text);                           // a row with a string
std::string rows_packets(std::uint16_t warnings, std::uint16_t status = 2);  // a row
std::string cursor_packets(std::uint16_t warnings);  // a cursor is open, FETCH brings the rows
std::string error_packets(std::uint16_t number, std::string_view message = "no");
std::string prepared_packets(std::uint32_t id, std::uint16_t warnings = 0);
// An answer to SHOW WARNINGS with rows of these levels.
std::string shown_packets(const std::vector<std::string>& levels);

}  // namespace tidepool::tracking
