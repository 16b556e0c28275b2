// Turns: the commands of one session, planned and settled on backends that are models too, without
// a socket. Each step is answered with OK, a prepare with the next id, unless the test says what
// else TiDB answers.
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

  // What TiDB receives for the command, in order; the session is then what its answers made it.
  Steps query(BackendModel& backend, std::string_view text);
  // COM_STMT_PREPARE; answers the session's own id of the statement by `id`.
  Steps prepare(BackendModel& backend, std::string_view text, std::uint32_t& id);
  Steps execute(BackendModel& backend, std::uint32_t id);
  // The USE that checks a login's database.
  Steps check_login(BackendModel& backend, std::string_view database);
  // The questions that bring back what only the backend knows.
  Steps capture(BackendModel& backend);
  // What is answered to that text from now on, whole packets.
  void answer(const std::string& text, std::string packets) { answers_[text] = std::move(packets); }

  // A backend as it is after its login.
  static BackendModel fresh_backend() { return {sql::SessionState(), 16}; }
  // No commands bring the backend to the session's state.
  bool found_no_way() const { return found_no_way_; }

  SessionModel model;

 private:
  Steps run(BackendModel& backend, std::unique_ptr<Command> command);
  Steps exchange(CommandContext& context);
  void follow(CommandContext& context, StepKind ended);
  std::string answer_to(std::string_view payload);

  std::map<std::string, std::string> answers_;
  std::uint32_t last_statement_ = 0;  // of all backends
  bool found_no_way_ = false;
};

// Packets as TiDB sends them.
std::string ok_packets(std::uint64_t insert_id = 0, std::uint16_t warnings = 0,
                       std::uint16_t status = 2);
std::string number_packets(std::uint64_t number);   // a row with a number
std::string text_packets(const std::string& text);  // a row with a string
std::string error_packets(std::uint16_t number);

}  // namespace tidepool::tracking
