#include "scripted_backend.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <sys/socket.h>
#include <utility>

#include "fake_mysql.h"
#include "trace.h"

namespace tidepool::fuzz {
namespace {

using testing::err_packet;
using testing::packet;

constexpr std::uint16_t kMoreResults = 8;
constexpr unsigned kManyRows = 2000;

// Those that the proxy does not merely pass on, and some others.
struct KnownError {
  std::uint16_t number;
  const char* sqlstate;
  const char* text;
};
constexpr auto kErrors = std::to_array<KnownError>({
    {1105, "HY000", "unknown error"},
    {1213, "40001", "Deadlock found"},
    {1205, "HY000", "Lock wait timeout exceeded"},
    {9007, "HY000", "Write conflict"},
    {8022, "HY000", "commit failed, [try again later]"},
    {8002, "HY000", "can not retry select for update statement"},
    {1053, "08S01", "Server shutdown in progress"},
    {8027, "HY000", "schema is out of date"},
    {8028, "HY000", "Information schema is changed"},
    {1105, "HY000", "tidb server shutting down"},
    {1046, "3D000", "No database selected"},
    {1049, "42000", "Unknown database 'd1'"},
    {1146, "42S02", "Table doesn't exist"},
    {1243, "HY000", "Unknown prepared statement handler"},
    {8111, "HY000", "Prepared statement not found"},
    {8113, "HY000", "Schema change caused error"},
    {1461, "42000", "Can't create more than max_prepared_stmt_count statements"},
    {1295, "HY000", "not supported in the prepared statement protocol"},
    {1317, "70100", "Query execution was interrupted"},
    {3024, "HY000", "maximum statement execution time exceeded"},
    {1815, "HY000", "Internal : something"},
    {1062, "23000", "Duplicate entry"},
    {1290, "HY000", "read-only"},
    {1227, "42000", "Access denied; you need SUPER"},
    {1064, "42000", "You have an error in your SQL syntax"},
    {9005, "HY000", "Region is unavailable"},
    {1193, "HY000", "Unknown system variable"},
    {3572, "HY000", "Statement aborted because lock(s) could not be acquired immediately"},
});

bool may_be_retried(int number) {
  return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

}  // namespace

ScriptedBackend::ScriptedBackend(net::UniqueFd fd, unsigned number)
    : fd_(std::move(fd)), number_(number), model_(number) {}

void ScriptedBackend::receive() {
  std::array<char, 16384> buffer{};
  while (fd_.is_open()) {
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && may_be_retried(errno)) break;
    if (got <= 0) return close();
    frames_.add({buffer.data(), static_cast<std::size_t>(got)});
    if (static_cast<std::size_t>(got) < buffer.size()) break;
  }
  while (const auto frame = frames_.next())
    take(frame->payload, frame->sequence);
}

void ScriptedBackend::take(std::string_view payload, std::uint8_t sequence) {
  trace("backend receives", number_, payload);
  if (awaits_file_) {
    if (!payload.empty()) return;
    awaits_file_ = false;
    return write(testing::ok_packet(static_cast<std::uint8_t>(sequence + 1), model_.status()));
  }
  if (TidbModel::has_answer(payload)) {
    commands_.emplace_back(payload);
  } else if (payload[0] == 1) {
    close();
  } else {
    model_.apply(payload);
  }
}

void ScriptedBackend::half_close() const {
  if (fd_.is_open()) ::shutdown(fd_.get(), SHUT_WR);
}

std::optional<std::uint64_t> ScriptedBackend::kills() const {
  static constexpr std::string_view kKill =
      "\x03"
      "KILL ";
  const std::string& command = commands_.front();
  const std::size_t digit = command.find_first_of("0123456789");
  if (!command.starts_with(kKill) || digit == std::string::npos) return std::nullopt;
  return std::strtoull(command.c_str() + digit, nullptr, 10);
}

void ScriptedBackend::interrupt() {
  if (!is_silent_ || commands_.empty()) return;
  is_silent_ = false;
  commands_.pop_front();
  write(err_packet(1317, "70100", "Query execution was interrupted"));
}

std::string ScriptedBackend::usual(const std::string& command) {
  std::string bytes = model_.answer(command);
  awaits_file_ = bytes.size() > 4 && bytes[4] == '\xFB';
  return bytes;
}

// The session does what it was asked to, although the answer is not the usual one.
std::string ScriptedBackend::success(const std::string& command, std::string bytes) {
  model_.apply(command);
  return bytes;
}

std::string ScriptedBackend::bytes_of(const Answer& answer, const std::string& command) {
  const unsigned argument = answer.argument;
  switch (answer.kind) {
    case AnswerKind::kOk: model_.apply(command); return model_.ok();
    case AnswerKind::kError: {
      const KnownError& error = kErrors[argument % kErrors.size()];
      return err_packet(error.number, error.sqlstate, error.text);
    }
    case AnswerKind::kAnyError:
      return err_packet(static_cast<std::uint16_t>(argument << 5U), "HY000", answer.bytes);
    case AnswerKind::kRows:
      return success(command, model_.rows(command, argument % 12 + 1, argument / 64));
    case AnswerKind::kManyRows:
      return success(command, model_.rows(command + std::string(200, 'x'), 1, kManyRows));
    case AnswerKind::kRowsThenError: {
      std::string bytes = model_.rows(command, 1, 1);
      bytes.resize(bytes.size() - testing::eof_packet(1).size());
      return bytes +
             err_packet(1317, "70100", "Query execution was interrupted", sequence_after(bytes));
    }
    case AnswerKind::kFileRequest:
      // What answers COM_STATISTICS is a text, whatever it begins with.
      awaits_file_ = command[0] != '\x09';
      return packet(1,
                    "\xFB"
                    "file");
    case AnswerKind::kPrepared:
      return success(command, model_.prepared(command, argument % 4, argument / 4 % 4));
    case AnswerKind::kEof: return success(command, testing::eof_packet(1, model_.status()));
    case AnswerKind::kMoreResults: {
      model_.apply(command);
      model_.add_status(kMoreResults);
      const std::string first = argument % 2 == 0 ? model_.ok() : model_.rows(command, 1, 1);
      model_.clear_once();
      return first + testing::ok_packet(sequence_after(first), model_.status());
    }
    case AnswerKind::kPacket: return success(command, packet(1, answer.bytes));
    case AnswerKind::kBytes: return success(command, answer.bytes);
    default: return usual(command);
  }
}

void ScriptedBackend::answer(const Answer& answer) {
  if (answer.kind == AnswerKind::kSilence) {
    is_silent_ = true;
    return;
  }
  const std::string command = std::move(commands_.front());
  commands_.pop_front();
  if (answer.kind == AnswerKind::kClose) return close();
  if (answer.kind == AnswerKind::kInTransaction)
    model_.set_in_transaction(answer.argument % 2 == 1);
  if (answer.kind == AnswerKind::kStatus)
    model_.add_status(static_cast<std::uint16_t>(answer.argument << 4U));
  if (answer.kind == AnswerKind::kWarnings) model_.set_warnings(answer.argument);
  std::string bytes = bytes_of(answer, command);
  model_.clear_once();
  if (answer.kind == AnswerKind::kTwice)
    bytes += answer.argument % 2 == 0 ? model_.ok() : model_.rows(command, 1, 1);
  if (answer.kind == AnswerKind::kHalfThenClose) bytes.resize(bytes.size() / 2);
  if (answer.kind == AnswerKind::kHalves) {
    write(std::string_view(bytes).substr(0, bytes.size() / 2));
    queue_ += std::string_view(bytes).substr(bytes.size() / 2);
    return;
  }
  write(bytes);
  if (answer.kind == AnswerKind::kThenClose || answer.kind == AnswerKind::kHalfThenClose) close();
}

void ScriptedBackend::write(std::string_view bytes) {
  trace("backend sends", number_, bytes);
  const bool at_once = queue_.empty();
  queue_ += bytes;
  if (at_once) send();
}

void ScriptedBackend::send() {
  while (fd_.is_open() && !queue_.empty()) {
    const ssize_t sent =
        ::send(fd_.get(), queue_.data(), queue_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && may_be_retried(errno)) return;
    if (sent < 0) return close();
    queue_.erase(0, static_cast<std::size_t>(sent));
  }
}

}  // namespace tidepool::fuzz
