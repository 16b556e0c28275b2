#include "fake_tidb.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace tidepool::testing {
namespace {

constexpr std::uint16_t kInTransaction = 1;
constexpr std::uint16_t kAutocommit = 2;
constexpr std::string_view kFirstLook = "SELECT @@global.tidb_";

std::uint32_t read_id(std::string_view command) {
  std::uint32_t id = 0;
  for (std::size_t i = std::min<std::size_t>(command.size(), 5); i-- > 1;)
    id = (id << 8U) | static_cast<unsigned char>(command[i]);
  return id;
}

std::string little_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i)
    out += static_cast<char>((value >> (8 * i)) & 0xFF);
  return out;
}

// TiDB has rolled back the transaction.
bool is_deadlock(std::string_view answer) {
  return answer.size() > 6 && answer.substr(4, 3) == "\xFF\xBD\x04";
}

bool begins_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(), [](char left, char right) {
           return left == std::toupper(static_cast<unsigned char>(right));
         });
}

// See scripts/received. Each server of a process has a file of its own, by number; the connections
// come one after the other in it, since only within one the order is always the same.
void write_received(std::vector<FakeTidb::Received> received) {
  const char* const path = std::getenv("TIDEPOOL_RECEIVED");
  if (path == nullptr) return;
  static std::atomic<int> servers = 0;
  std::stable_sort(received.begin(), received.end(), [](const auto& left, const auto& right) {
    return left.connection < right.connection;
  });
  std::ofstream file(path + ("." + std::to_string(servers++)));
  for (const FakeTidb::Received& one : received)
    file << one.connection << ' ' << one.what << '\n';
}

// Definitions of parameters or columns, closed by an EOF.
std::string definitions(std::uint8_t& sequence, int count, std::uint16_t status) {
  std::string out;
  const std::string one = std::string(
      "\x03"
      "def\0\0\0\x01?\0\x0C\x3F\0\0\0\0\0\xFD\0\0\0\0\0",
      23);
  for (int i = 0; i < count; ++i)
    out += packet(sequence++, one);
  return count == 0 ? out : out + eof_packet(sequence++, status);
}

}  // namespace

const char* to_string(Fault fault) {
  switch (fault) {
    case Fault::kClose: return "close";
    case Fault::kReset: return "RST";
    case Fault::kError: return "ERR";
    case Fault::kShuttingDown: return "ERR 1053 and close";
    case Fault::kGarbage: return "garbage";
    case Fault::kShort: return "half an answer";
    case Fault::kAnswerAndClose: return "an answer and close";
    case Fault::kSilence: return "silence";
  }
  return "?";
}

// What TiDB knows of one connection; its thread only.
class FakeTidb::Connection {
 public:
  Connection(int number, std::atomic<int>& statements, const std::atomic<int>& most)
      : number_(number), statements_(statements), most_(most) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { lose_statements(); }
  int number() const { return number_; }

  // The word for the record, and the text that a scripted answer goes by (empty: none).
  std::string describe(std::string_view command) const;
  std::string text_of(std::string_view command) const;
  FakeMysql::Answer answer(std::string_view command);
  // A scripted statement was executed: what it does to the transaction.
  void note(const std::string& text);
  void lose_statements() {
    statements_ -= static_cast<int>(prepared_.size());
    prepared_.clear();
  }
  void roll_back() { in_transaction_ = false; }

 private:
  std::string answer_text(const std::string& text);
  std::string prepare(const std::string& text);
  std::string ok() const { return ok_packet(1, status()); }
  std::uint16_t status() const {
    return static_cast<std::uint16_t>((autocommit_ ? kAutocommit : 0) |
                                      (in_transaction_ ? kInTransaction : 0));
  }

  int number_;
  std::atomic<int>& statements_;  // of all connections
  const std::atomic<int>& most_;
  bool autocommit_ = true;
  bool in_transaction_ = false;
  std::map<std::uint32_t, std::string> prepared_;
  std::uint32_t next_id_ = 1;
};

std::string FakeTidb::Connection::describe(std::string_view command) const {
  std::string argument(command.substr(1));
  const std::string id = std::to_string(read_id(command));
  switch (command[0]) {
    case 1: return "QUIT";
    case 2: return "INIT_DB " + argument;
    case 3: return argument;
    case 14: return "PING";
    case 22: return "PREPARE " + argument;
    case 23: return "EXECUTE " + id;
    case 24: return "LONG_DATA " + id;
    case 25: return "CLOSE " + id;
    case 26: return "STMT_RESET " + id;
    case 27: return "SET_OPTION";
    case 28: return "FETCH " + id;
    case 31: return "RESET";
    default: return "COMMAND " + std::to_string(static_cast<int>(command[0]));
  }
}

std::string FakeTidb::Connection::text_of(std::string_view command) const {
  if (command[0] == 3) return std::string(command.substr(1));
  if (command[0] != 23) return {};
  const auto found = prepared_.find(read_id(command));
  return found == prepared_.end() ? std::string() : found->second;
}

FakeMysql::Answer FakeTidb::Connection::answer(std::string_view command) {
  switch (command[0]) {
    case 3: return {.bytes = answer_text(std::string(command.substr(1)))};
    case 7: {  // COM_REFRESH of the privileges: that of FLUSH PRIVILEGES, and its own
      const bool twice = command.size() > 1 && command[1] == 1;
      return {.bytes = ok() + (twice ? ok_packet(2, status()) : std::string())};
    }
    case 22: return {.bytes = prepare(std::string(command.substr(1)))};
    case 23: {
      const std::string text = text_of(command);
      if (text.empty()) return {.bytes = err_packet(1243, "HY000", "unknown statement")};
      return {.bytes = answer_text(text)};
    }
    case 24: return {};
    case 25: statements_ -= static_cast<int>(prepared_.erase(read_id(command))); return {};
    case 27: return {.bytes = eof_packet(1, status())};
    case 31:
      lose_statements();
      autocommit_ = true;
      in_transaction_ = false;
      return {.bytes = ok()};
    default: return {.bytes = ok()};
  }
}

void FakeTidb::Connection::note(const std::string& text) {
  if (begins_with(text, "BEGIN") || begins_with(text, "START TRANSACTION")) in_transaction_ = true;
  const bool to_savepoint = begins_with(text, "ROLLBACK TO");
  if (begins_with(text, "COMMIT") || (begins_with(text, "ROLLBACK") && !to_savepoint)) {
    in_transaction_ = false;
  }
}

std::string FakeTidb::Connection::answer_text(const std::string& text) {
  note(text);
  if (begins_with(text, "SET ") && text.find("autocommit=") != std::string::npos)
    autocommit_ = text.find("autocommit=OFF") == std::string::npos;
  if (text.starts_with(kFirstLook))
    return text_result(
        {"a", "b", "c", "d", "e", "f"},
        {{"1073741824", "1", "", "utf8mb4_bin", "utf8mb4_bin", std::to_string(1000 + number_)}});
  if (begins_with(text, "SHOW WARNINGS"))
    return text_result({"Level", "Code", "Message"}, {{"Warning", "1292", "a warning"}}, status());
  if (begins_with(text, "SELECT")) {
    return text_result({"connection"}, {{std::to_string(number_)}}, status());
  }
  if (text == "USE `nowhere`") return err_packet(1049, "42000", "Unknown database 'nowhere'");
  if (text.find("broken") != std::string::npos) return err_packet(1105, "HY000", "told to fail");
  return ok();
}

std::string FakeTidb::Connection::prepare(const std::string& text) {
  if (text.find("broken") != std::string::npos)
    return err_packet(1064, "42000", "cannot be prepared");
  const std::uint32_t id = next_id_++;
  if (++statements_ > most_) {
    --statements_;
    return err_packet(1461, "42000", "Can't create more than so many statements");
  }
  const std::string meaning = text.substr(std::min(text.size(), text.find_first_not_of(" \t\r\f")));
  prepared_[id] = meaning;
  const auto params = static_cast<int>(std::count(text.begin(), text.end(), '?'));
  const int columns = begins_with(meaning, "SELECT") ? 1 : 0;
  std::uint8_t sequence = 1;
  const std::string head = packet(
      sequence++, std::string(1, '\0') + little_endian(id, 4) +
                      little_endian(static_cast<std::uint64_t>(columns), 2) +
                      little_endian(static_cast<std::uint64_t>(params), 2) + std::string(3, '\0'));
  const std::string params_part = definitions(sequence, params, status());
  return head + params_part + definitions(sequence, columns, status());
}

FakeTidb::FakeTidb(FakeMysql::Options options) {
  options.handler_maker = [this](int number) {
    auto connection = std::make_shared<Connection>(number, statements_, most_statements_);
    return
        [this, connection](std::string_view command) { return on_command(*connection, command); };
  };
  server_ = std::make_unique<FakeMysql>(std::move(options));
}

FakeTidb::~FakeTidb() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  released_.notify_all();
  server_.reset();
  write_received(std::move(all_received_));
}

void FakeTidb::answer(const std::string& statement, FakeMysql::Answer answer) {
  const std::lock_guard lock(mutex_);
  answers_[statement] = std::move(answer);
}

void FakeTidb::answer(const std::string& statement, std::string bytes) {
  answer(statement, FakeMysql::Answer{.bytes = std::move(bytes)});
}

void FakeTidb::answer_once(const std::string& statement, std::string bytes) {
  const std::lock_guard lock(mutex_);
  once_[statement] = std::move(bytes);
}

void FakeTidb::answer_first_look(std::string bytes) {
  const std::lock_guard lock(mutex_);
  first_look_ = std::move(bytes);
}

void FakeTidb::hold(const std::string& statement) {
  const std::lock_guard lock(mutex_);
  holds_.insert(statement);
}

void FakeTidb::let_go() {
  {
    const std::lock_guard lock(mutex_);
    holds_.clear();
  }
  released_.notify_all();
}

void FakeTidb::release(const std::string& statement) {
  {
    const std::lock_guard lock(mutex_);
    holds_.erase(statement);
  }
  released_.notify_all();
}

int FakeTidb::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

void FakeTidb::break_at(int step, Fault fault) {
  const std::lock_guard lock(mutex_);
  steps_ = 0;
  break_step_ = step;
  fault_ = fault;
  has_broken_ = false;
}

bool FakeTidb::has_broken() const {
  const std::lock_guard lock(mutex_);
  return has_broken_;
}

void FakeTidb::lose_statements() {
  const std::lock_guard lock(mutex_);
  loses_statements_ = true;
}

std::vector<FakeTidb::Received> FakeTidb::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

std::vector<std::string> FakeTidb::commands() const {
  std::vector<std::string> words;
  for (const Received& one : received())
    words.push_back(one.what);
  return words;
}

void FakeTidb::forget() {
  const std::lock_guard lock(mutex_);
  received_.clear();
}

FakeMysql::Answer FakeTidb::on_command(Connection& connection, std::string_view command) {
  if (command.empty()) return {.bytes = err_packet(1047, "08S01", "Unknown command")};
  std::unique_lock lock(mutex_);
  if (std::exchange(loses_statements_, false)) connection.lose_statements();
  const std::string text = connection.text_of(command);
  const std::string what = connection.describe(command);
  if (!text.starts_with(kFirstLook)) {
    received_.push_back({connection.number(), what});
    all_received_.push_back(received_.back());
  }
  const bool breaks = steps_++ == break_step_;
  has_broken_ = has_broken_ || breaks;
  const Fault fault = fault_;
  wait_if_held(lock, text.empty() ? what : text);
  const auto scripted = answers_.find(text);
  FakeMysql::Answer answer;
  if (const auto once = once_.find(text); once != once_.end()) {
    answer.bytes = std::move(once->second);
    once_.erase(once);
    if (is_deadlock(answer.bytes)) connection.roll_back();
  } else if (text.starts_with(kFirstLook) && !first_look_.empty()) {
    answer.bytes = first_look_;
  } else if (!text.empty() && scripted != answers_.end()) {
    answer = scripted->second;
    connection.note(text);
  } else {
    answer = connection.answer(command);
  }
  if (!breaks) return answer;
  answer = break_answer(std::move(answer), fault);
  // Connector/C takes garbage for the beginning of an answer, and would wait for the rest until its
  // time is up.
  const bool is_control = text.starts_with(kFirstLook) || command[0] == 31;
  if (fault == Fault::kGarbage && is_control) answer.hang_up = true;
  return answer;
}

void FakeTidb::wait_if_held(std::unique_lock<std::mutex>& lock, const std::string& statement) {
  if (!holds_.contains(statement)) return;
  ++held_;
  released_.wait(lock, [&] { return stopping_ || !holds_.contains(statement); });
  --held_;
}

FakeMysql::Answer FakeTidb::break_answer(FakeMysql::Answer answer, Fault fault) {
  switch (fault) {
    case Fault::kClose: return {.bytes = "", .hang_up = true};
    case Fault::kReset: return {.bytes = "", .with_reset = true};
    case Fault::kError: return {.bytes = err_packet(1105, "HY000", "broken by the test")};
    case Fault::kShuttingDown:
      return {.bytes = err_packet(1053, "08S01", "Server shutdown in progress"), .hang_up = true};
    case Fault::kGarbage: return {.bytes = std::string("\x07\0\0\x4dgarbage", 11)};
    case Fault::kShort:
      answer.bytes.resize(answer.bytes.size() / 2);
      answer.takes_file = false;
      answer.hang_up = true;
      return answer;
    case Fault::kAnswerAndClose: answer.hang_up = true; return answer;
    case Fault::kSilence: return {.bytes = "", .silent = true};
  }
  return answer;
}

}  // namespace tidepool::testing
