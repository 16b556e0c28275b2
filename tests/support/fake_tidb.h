// A fake TiDB for tests of the pool and of sessions: FakeMysql with the answers that those expect
// of TiDB (transactions and their status flags, prepared statements, a reset), with scripted
// answers for single statements, a record of what reached which connection, answers that wait until
// the test lets them go, and faults at a chosen command.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fake_mysql.h"

namespace tidepool::testing {

// How a backend breaks at a command.
enum class Fault : std::uint8_t {
  kClose,           // hangs up without an answer
  kReset,           // the same with an RST
  kError,           // answers with an ERR
  kShuttingDown,    // answers with ERR 1053, and hangs up
  kGarbage,         // answers with bytes that are no packets
  kShort,           // the first half of the answer, then hangs up
  kAnswerAndClose,  // the whole answer, then hangs up
  kSilence,         // says nothing until the peer closes
};
inline constexpr std::size_t kFaults = 7;  // without the silence, which only a deadline ends
const char* to_string(Fault fault);

class FakeTidb {
 public:
  // A command as it arrived.
  struct Received {
    int connection;    // by number, from 0
    std::string what;  // "SELECT 1", "PREPARE SELECT ?", "EXECUTE 1", "CLOSE 1", "RESET", "PING", …

    bool operator==(const Received&) const = default;
  };

  explicit FakeTidb(FakeMysql::Options options = {});
  FakeTidb(const FakeTidb&) = delete;
  FakeTidb& operator=(const FakeTidb&) = delete;
  ~FakeTidb();

  FakeMysql& server() { return *server_; }
  std::uint16_t port() const { return server_->port(); }

  // What a COM_QUERY or an execute of just this text is answered with from now on.
  void answer(const std::string& statement, FakeMysql::Answer answer);
  void answer(const std::string& statement, std::string bytes);
  // What the next one of just this text is answered with, before that. Error 1213 ends the
  // transaction.
  void answer_once(const std::string& statement, std::string bytes);
  // The answer to the statement, or to a command by its word ("PING"), waits until let_go(), or the
  // end.
  void hold(const std::string& statement);
  void let_go();
  void release(const std::string& statement);  // only this one
  // Of the statements held, how many wait now.
  int held() const;
  // The command that comes as the `step`-th from now on (0: the next), on whatever connection,
  // meets the fault.
  void break_at(int step, Fault fault);
  // Whether a command has come to the step that was to break.
  bool has_broken() const;

  // The connection that the next command comes on has none of the statements that it prepared.
  void lose_statements();

  // What the pool's first look at a new backend is answered with from now on; empty: as TiDB does.
  void answer_first_look(std::string bytes);

  // max_prepared_stmt_count: in all connections together.
  void set_most_statements(int most) { most_statements_ = most; }

  // All commands so far but the pool's first look at a new backend, in the order of their arrival.
  std::vector<Received> received() const;
  // Their words only.
  std::vector<std::string> commands() const;
  void forget();

 private:
  class Connection;
  struct Script;

  FakeMysql::Answer on_command(Connection& connection, std::string_view command);
  FakeMysql::Answer break_answer(FakeMysql::Answer answer, Fault fault);
  void wait_if_held(std::unique_lock<std::mutex>& lock, const std::string& statement);

  std::atomic<int> statements_ = 0;
  std::atomic<int> most_statements_ = 1 << 20;
  mutable std::mutex mutex_;
  std::condition_variable released_;
  std::map<std::string, FakeMysql::Answer> answers_;  // under mutex_, as the rest
  std::map<std::string, std::string> once_;
  std::string first_look_;
  std::set<std::string> holds_;
  int held_ = 0;
  bool stopping_ = false;
  std::vector<Received> received_;      // since forget()
  std::vector<Received> all_received_;  // written down at the end, if scripts/received asks for it
  int steps_ = 0;
  int break_step_ = -1;
  Fault fault_ = Fault::kClose;
  bool has_broken_ = false;
  bool loses_statements_ = false;
  std::unique_ptr<FakeMysql> server_;  // last: its threads use the rest
};

}  // namespace tidepool::testing
