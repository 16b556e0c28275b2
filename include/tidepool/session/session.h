// Session: one client, from its connection to its end. Takes its packets one at a time, has each
// command answered here or executed on a backend, and keeps, parks or gives back the lease
// between them.
//
// Its parts do the rest, each of which says what it is for: SessionContext (what they share),
// SessionLogin, LocalAnswers, Execution, TransactionReplay, Capture, SessionStatements. What a
// session knows of itself is its tracking::SessionModel; how a command is planned and settled,
// tracking/planner.h and tracking/settler.h say.
//
// Owned by the worker's list of sessions; everything on its loop's thread. It ends by asking the
// list to retire it. session.cc: the life, and the turns of the client · session_commands.cc: what
// each command means.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tidepool/net/timer.h"
#include "tidepool/pool/lease.h"
#include "tidepool/session/accepted_client.h"
#include "tidepool/session/capture.h"
#include "tidepool/session/client_command.h"
#include "tidepool/session/departure_watch.h"
#include "tidepool/session/environment.h"
#include "tidepool/session/exchange_runner.h"
#include "tidepool/session/execution.h"
#include "tidepool/session/idle_timeout.h"
#include "tidepool/session/kill_commands.h"
#include "tidepool/session/local_answers.h"
#include "tidepool/session/session_context.h"
#include "tidepool/session/session_host.h"
#include "tidepool/session/session_login.h"
#include "tidepool/session/session_statements.h"
#include "tidepool/session/state.h"
#include "tidepool/session/transaction_replay.h"

namespace tidepool::session {

class Session final : net::StreamSink,
                      pool::LeaseKeeper,
                      BackendUser,
                      ClientEvents,
                      LoginSink,
                      SessionHost,
                      public PendingClient {
 public:
  using OnClosed = std::function<void(std::uint32_t id)>;

  Session(Environment& environment, std::uint32_t id, AcceptedClient accepted, OnClosed on_closed);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() override;

  void start() { login_.start(); }  // greets
  // Ends at the next moment at which nothing is lost: now, or when the transaction or command is
  // over.
  void drain();
  // The same, with an error, if its user is no longer one of the configuration.
  void evict_if_removed();
  // Whether it refers, or may do so again, to an Account that is_removed.
  bool knows_removed_account() const;
  void on_kill(KillKind kind);
  void close() override;
  // It has ended, and is to be destroyed soon.
  void leave_place() { login_.leave_place(); }
  bool is_silent() override { return login_.is_silent(); }
  void give_way(LoginFailure why) override { login_.give_way(why); }

  std::uint32_t id() const { return context_.id; }
  State state() const { return context_.status.state(); }

 private:
  // The client's stream.
  void on_readable() override;
  void on_drained() override;
  void on_tls_established() override { login_.on_tls_established(); }
  void on_error(Error error) override;
  // The client.
  void on_client_full() override { context_.backend.pause(); }
  void on_answers_refused() override { context_.backend.resume(); }
  void on_client_stalled() override;
  void on_room() override;
  void on_no_room(CommandRefusal why) override;
  void on_logged_in() override;
  void on_client_gone() override;
  // The backend, while no command is on it.
  void on_backend_lost(const Error& error) override;
  void on_recall() override;
  // The parts.
  void rest() override;
  void end_turn() override;
  void resume_input() override;

  // session.cc
  void process_input();
  void take_packets();
  void keep_input();
  void end_input();
  bool is_clients_turn() const;
  bool may_end() const;
  bool is_drained() const;
  bool is_over() const;
  bool is_evicted() const { return context_.account != nullptr && context_.account->is_removed; }
  void on_client_out_of_step(const Error& error);
  void evict(std::uint8_t sequence);

  // session_commands.cc
  void on_packet(const protocol::Packet& packet);
  void on_command(std::string_view payload, std::string large);
  std::unique_ptr<ClientCommand> make_command(std::string_view payload, std::string large);
  void take_command(std::unique_ptr<ClientCommand> command);
  std::optional<Error> refusal_of(ClientCommand& command);
  void refuse_script(std::unique_ptr<ClientCommand> command, const Error& error);
  void plan_named(ClientCommand& command);
  bool answers(ClientCommand& command);
  void end_local(std::unique_ptr<ClientCommand> command, bool failed);
  void reset_session();
  void start_compression();

  OnClosed on_closed_;
  bool draining_ = false;
  bool processing_input_ = false;
  std::unique_ptr<net::Timer> linger_timer_;  // while it may still take what is queued
  SessionContext context_;
  ExchangeRunner runner_{context_};
  SessionStatements statements_{context_};
  KillCommands kills_{context_};
  LocalAnswers answers_{context_, statements_};
  TransactionReplay replay_{context_, runner_, statements_, *this};
  Execution execution_;
  Capture capture_{context_, runner_, *this};
  IdleTimeout idle_timeout_{context_, *this};
  DepartureWatch departure_watch_{context_, runner_, *this};
  SessionLogin login_;
};

}  // namespace tidepool::session
