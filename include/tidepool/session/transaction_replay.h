// TransactionReplay: keeps the statements of the session's transaction while it goes on, and when
// its backend is lost, or TiDB ends it with an error that says "try again", runs them on another
// backend, each answer compared with the first one. Then the client's command that was interrupted
// goes on. The client sees nothing of it unless an answer differs.
//
// Owned by the session; on its loop's thread. transaction_replay.cc runs it, transaction_log.cc
// writes the log.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tidepool/net/timer.h"
#include "tidepool/session/client_command.h"
#include "tidepool/session/exchange_runner.h"
#include "tidepool/session/failure_judge.h"
#include "tidepool/session/replay_phase.h"
#include "tidepool/session/session_context.h"
#include "tidepool/session/session_host.h"
#include "tidepool/session/session_statements.h"
#include "tidepool/tracking/diagnostics.h"
#include "tidepool/tracking/replay_log.h"

namespace tidepool::session {

// Whose command was interrupted.
class ReplaySink {
 public:
  ReplaySink() = default;
  ReplaySink(const ReplaySink&) = delete;
  ReplaySink& operator=(const ReplaySink&) = delete;
  virtual ~ReplaySink() = default;

  // The transaction is where it was, on the session's lease: the command goes on.
  virtual void on_replayed() = 0;
  // The client has got TiDB's error in answer to the command.
  virtual void on_replay_failed() = 0;
};

class TransactionReplay final : BackendUser, ExchangeSink {
 public:
  TransactionReplay(SessionContext& context, ExchangeRunner& runner, SessionStatements& statements,
                    SessionHost& host)
      : context_(context), runner_(runner), statements_(statements), host_(host) {}

  // Before all else.
  void set_sink(ReplaySink& sink) { sink_ = &sink; }
  // The session begins, or begins anew.
  void begin_anew() { run_.reset(); }
  void stop() { pause_.reset(); }

  // Before a command meets its backend.
  void prepare_recording(ClientCommand& command) const;
  // A command is over.
  void record(const ClientCommand& command);

  // The transaction is gone, and the client does not know: nothing is known of it until its next
  // command, which must be handed to start().
  bool is_due() const { return run_ != nullptr && run_->phase == ReplayPhase::kDue; }
  void start(ClientCommand& command) { acquire_for(command); }
  // The session's backend is lost. `command`: that was under way; null: none was. Returns whether
  // the client need not know yet; if false, nothing has happened.
  [[nodiscard]] bool begins_after_loss(const Error& cause, ClientCommand* command);

  // An ERR may have ended the transaction: only the ping after it tells, and until then the client
  // does not get it.
  void defer_error(ClientCommand& command);
  // What the client gets of a deferred error, unless the replay mends it.
  void keep_error(std::string answer) { run_->error_answer = std::move(answer); }
  std::string take_error() { return std::exchange(run_->error_answer, {}); }
  // The deferred error has ended the transaction, and is settled as if the client had it.
  // `ends_session`: its client could not know that no transaction is open.
  void begin_after_error(ClientCommand& command, bool ends_session);

 private:
  struct Run {
    explicit Run(std::size_t max_bytes) : log(max_bytes) {}
    // Requires that `next` may follow.
    void enter(ReplayPhase next);

    tracking::ReplayLog log;
    ReplayPhase phase = ReplayPhase::kRecording;
    std::optional<tracking::ReplayPlayer> player;  // while it runs
    Error cause;                                   // why the backend is gone
    unsigned attempts = 0;                         // for this command of the client
    unsigned conflicts = 0;                        // of these, after an error of TiDB
    tracking::Diagnostics before{};                // what was known ahead of the replay
    bool knew_insert_id = true;  // of the backend that is gone, see tracking::BackendModel
    // TiDB's error that ended the transaction; empty: the connection was lost. And what is known of
    // the statement that it answers.
    std::string error_answer{};
    tracking::Diagnostics after{};
    bool ends_session = false;
  };

  void on_lease() override;
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

  bool is_on() const;
  bool may_begin(const ClientCommand* command) const;
  bool may_come_after(const ClientCommand* command) const;
  void note_before();
  void await(FailureKind kind);
  void acquire();
  void acquire_for(ClientCommand& command);
  void next_statement();
  void end();
  void give_up(ReplayResult result, pool::Release how = pool::Release::kDiscard);

  SessionContext& context_;
  ExchangeRunner& runner_;
  SessionStatements& statements_;
  SessionHost& host_;
  ReplaySink* sink_ = nullptr;
  std::unique_ptr<Run> run_;                      // null: nothing was recorded yet
  ClientCommand* interrupted_ = nullptr;          // of the client, which comes after the replay
  std::unique_ptr<tracking::Command> statement_;  // of the log, while it is on a backend
  std::unique_ptr<net::Timer> pause_;             // before the next attempt
};

}  // namespace tidepool::session
