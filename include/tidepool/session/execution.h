// Execution: a client's command on a backend, from its lease to its end: brought to the session's
// state, relayed, settled; run again where that is certain to be harmless, else its failure told.
//
// Owned by the session, which starts one command after the other with it; on its loop's thread.
// execution.cc: the command's way if nothing fails · execution_failures.cc: what becomes of it
// else.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "tidepool/net/timer.h"
#include "tidepool/session/exchange_runner.h"
#include "tidepool/session/failure_judge.h"
#include "tidepool/session/kill_commands.h"
#include "tidepool/session/local_answers.h"
#include "tidepool/session/session_context.h"
#include "tidepool/session/session_host.h"
#include "tidepool/session/session_statements.h"
#include "tidepool/session/transaction_replay.h"

namespace tidepool::session {

class Execution final : BackendUser, ExchangeSink, ReplaySink {
 public:
  // What it works with; the session's.
  struct Parts {
    SessionContext& context;
    ExchangeRunner& runner;
    SessionStatements& statements;
    KillCommands& kills;
    LocalAnswers& answers;
    TransactionReplay& replay;
    SessionHost& host;
  };
  explicit Execution(const Parts& parts);

  void start(std::unique_ptr<ClientCommand> command);
  // Of the client's file, the last one empty.
  void on_file_packet(const protocol::Packet& packet);
  // The session ends.
  void stop() { pause_.reset(); }

 private:
  void on_lease() override { execute(); }
  void on_no_lease(const Error& error) override;
  void on_backend_lost(const Error& error) override;
  void on_interrupted(const Error& error) override;
  void on_time_up() override;
  Flow on_answer(const tracking::Exchange::Progress& progress, std::string_view bytes) override;
  Flow on_file_wanted() override;
  void on_relayed() override;
  void on_probed() override;
  void on_restore_failed() override;
  void on_prepare_failed() override;
  void on_over() override;
  void on_replayed() override;
  void on_replay_failed() override;

  // execution.cc
  void acquire();
  void execute();
  [[nodiscard]] bool prefetch();
  void on_prefetched();
  [[nodiscard]] bool plan();
  void pass_on(std::string_view bytes);
  void settle_answer();
  void on_client_prepared();
  void repeat_last_ok(const std::string& answer);
  void repeat_last_warnings(std::string answer);
  void note_statement_use();
  void finish(bool failed);

  // execution_failures.cc
  [[nodiscard]] bool retries_here();
  [[nodiscard]] bool makes_room();
  [[nodiscard]] bool waits_for_room();
  void wait_here(Duration pause);
  void go_on_here();
  [[nodiscard]] bool retries_after_error(const tracking::Exchange::Progress& progress);
  [[nodiscard]] bool retries_without_database(const Error& error);
  Decision judge(FailureKind kind, bool is_pinned) const;
  void retry(FailureKind kind, Duration delay);
  void end_by_loss(const Error& cause);
  bool tells_of_stop(std::string_view bytes) const;
  void note_stopped();

  SessionContext& context_;
  ExchangeRunner& runner_;
  SessionStatements& statements_;
  KillCommands& kills_;
  LocalAnswers& answers_;
  TransactionReplay& replay_;
  SessionHost& host_;
  std::unique_ptr<ClientCommand> command_;
  std::unique_ptr<net::Timer> pause_;  // before the command is run again
};

}  // namespace tidepool::session
