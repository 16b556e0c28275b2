// ExchangeRunner: runs a command's exchange on the session's backend: writes its steps, follows
// their answers, and ends a statement there before its time.
//
// Owned by the session; on its loop's thread. The command and its ExchangeSink are borrowed from
// begin() to end().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "tidepool/net/timer.h"
#include "tidepool/session/session_context.h"
#include "tidepool/session/statement_killer.h"

namespace tidepool::session {

// Whose command it is: told of what the backend answers, in the order of the steps. The answers to
// the proxy's own steps are settled already.
class ExchangeSink {
 public:
  ExchangeSink() = default;
  ExchangeSink(const ExchangeSink&) = delete;
  ExchangeSink& operator=(const ExchangeSink&) = delete;
  virtual ~ExchangeSink() = default;

  // Bytes of an answer, ahead of what is told of the step that they end.
  virtual Flow on_answer(const tracking::Exchange::Progress& /*progress*/,
                         std::string_view /*bytes*/) {
    return Flow::kGoOn;
  }
  // The backend wants the client's file.
  virtual Flow on_file_wanted() { return Flow::kGoOn; }
  // The client's command is answered.
  virtual void on_relayed() {}
  // The ping after its error is.
  virtual void on_probed() {}
  // The backend could not be brought to the session's state; everything is answered.
  virtual void on_restore_failed() = 0;
  // What the client prepared could not be prepared here; likewise.
  virtual void on_prepare_failed() {}
  // Everything is answered. What has no answer comes here too.
  virtual void on_over() = 0;
};

class ExchangeRunner final : BackendReader {
 public:
  explicit ExchangeRunner(SessionContext& context) : context_(context) {
    context.backend.set_reader(*this);
  }

  // `access`: of the pool that the backend is of.
  void begin(tracking::Command& command, PoolAccess& access, ExchangeSink& sink);
  // The command is no longer on the backend.
  void end() { command_ = nullptr; }
  // Goes on, unless something else has to come first.
  void write_steps();

  // The client's statement that the backend executes.
  std::optional<Departure::Running> running() const;
  // It can be ended by another backend's KILL QUERY.
  bool can_kill() const;
  void kill();
  bool is_killing() const { return killer_ != nullptr; }
  void stop_killing() { killer_.reset(); }

  // From when the command went to TiDB first: its user is told when query_timeout has passed. One
  // that is run again has the rest of its time.
  void watch_time(tracking::Command& command);
  void watch_time_again(Duration limit);
  // The session ends.
  void stop();

 private:
  Flow on_backend_bytes(std::string_view bytes) override;
  Flow on_progress(const tracking::Exchange::Progress& progress, std::string_view bytes,
                   bool has_more);
  void on_step_ended(tracking::StepKind kind);
  void settle_step(tracking::StepKind kind);
  void on_prepared();
  void watch_own_steps();
  void on_own_step_timeout();
  bool awaits_kill();
  void on_killed();
  Flow lose(const std::string& reason) { return context_.backend.lose({Code::kProtocol, reason}); }

  SessionContext& context_;
  tracking::Command* command_ = nullptr;
  PoolAccess* access_ = nullptr;
  ExchangeSink* sink_ = nullptr;
  std::unique_ptr<net::Timer> own_step_timer_;  // of what the proxy asks by itself; may be out of
                                                // date
  std::unique_ptr<net::Timer> time_timer_;      // of query_timeout; likewise
  std::unique_ptr<StatementKiller> killer_;     // of the statement under way
};

}  // namespace tidepool::session
