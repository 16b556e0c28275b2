// A client's session: logs it in, takes its commands one at a time, gets a lease where one is
// needed, brings the backend to the session's state, relays the answer and gives the lease back as
// soon as nothing pins it.
//
// What it knows of itself is its tracking::SessionModel; how a command is planned and settled,
// tracking/planner.h and tracking/settler.h say.
//
// Owned by the worker's list of sessions; everything on its loop's thread. It ends by asking the
// list to retire it. session.cc: the client's side and the life · session_login.cc: how it begins ·
// session_commands.cc: what each command means · session_lease.cc: how a lease begins and ends ·
// session_relay.cc: a command on its backend · session_retry.cc: what becomes of it when that fails
// · session_replay_log.cc and session_replay.cc: transactions that are run again
// · session_prepared.cc and session_plans.cc: prepared statements · session_departure.cc: clients
// that leave · session_kill.cc: KILL · session_timeouts.cc: clients and statements that take too
// long · session_capture.cc: what only the backend knows is read back ·
// session_prepare_memory.cc: prepares that TiDB need not be asked · session_prepared_bytes.cc: what
// prepared statements take · session_command_memory.cc: what large commands take.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tidepool/net/timer.h"
#include "tidepool/pool/lease.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/session/client_channel.h"
#include "tidepool/session/client_command.h"
#include "tidepool/session/command_room.h"
#include "tidepool/session/departure.h"
#include "tidepool/session/environment.h"
#include "tidepool/session/kill_reach.h"
#include "tidepool/session/login.h"
#include "tidepool/session/login_places.h"
#include "tidepool/session/replay.h"
#include "tidepool/session/retry.h"
#include "tidepool/session/state.h"
#include "tidepool/session/statement_killer.h"
#include "tidepool/sql/pin.h"
#include "tidepool/sql/session_state.h"
#include "tidepool/sql/substitute.h"
#include "tidepool/tracking/command_context.h"
#include "tidepool/tracking/session_model.h"

namespace tidepool::session {

// How a client came in.
struct Arrival {
  net::UniqueFd fd;
  std::string peer;     // for logs, and its host for the text of 1045
  std::string network;  // see net::network_of()
  bool is_unix = false;
  // Null: not offered. Shared with the listener, whose certificate may change during the login.
  std::shared_ptr<net::TlsContext> tls;
  bool tls_required = false;
  bool asks_for_clear_password = false;
  std::unique_ptr<LoginPlace> place = nullptr;  // null: nobody counts
  Duration waited{};                            // of the time for the login: for a PROXY header
};

class Session final : public net::StreamSink,
                      public pool::LeaseSink,
                      public pool::LeaseKeeper,
                      public PendingClient {
 public:
  using OnClosed = std::function<void(std::uint32_t id)>;

  Session(Environment& environment, std::uint32_t id, Arrival arrival, OnClosed on_closed);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() override;

  void start();  // greets
  // Ends at the next moment at which nothing is lost: now, or when the transaction or command is
  // over.
  void drain();
  // The same, with an error, if its user is no longer one of the configuration.
  void dismiss_if_removed();
  // Whether it refers, or may do so again, to an Account that is_removed.
  bool knows_removed_account() const;
  void on_kill(KillKind kind);
  void close();
  // It has ended, and is to be destroyed soon.
  void leave_place() { place_.reset(); }
  bool is_silent() override;
  void give_way(LoginFailure why) override;

  std::uint32_t id() const { return id_; }
  State state() const { return state_; }

 private:
  // Listens to the backend's stream while a command is on it, or the lease is kept.
  struct BackendSide final : net::StreamSink {
    explicit BackendSide(Session& owner) : session(owner) {}
    void on_readable() override { session.on_backend_readable(); }
    void on_drained() override { session.on_backend_drained(); }
    void on_error(Error error) override { session.on_backend_lost(error); }
    Session& session;
  };
  // Waits for memory while a large command is received.
  struct RoomSide final : RoomSink {
    explicit RoomSide(Session& owner) : session(owner) {}
    void on_room() override { session.on_room(); }
    void on_refused(CommandRefusal why) override { session.refuse_received(why); }
    Session& session;
  };
  // Whether a callback may go on with the command and the lease that it began with. Either may end
  // in the middle of a call: its answer is over, its backend lost, the session closed.
  enum class [[nodiscard]] Flow : std::uint8_t{kGoOn, kEnded};
  // How a client's answer came about, for the statistics.
  enum class Source : std::uint8_t { kBackend, kProxy };

  // With more than this queued for one side, the other side is not read.
  static constexpr std::size_t kHighWatermark = std::size_t{256} << 10U;

  // session.cc
  void enter(State next);
  void on_readable() override;
  void on_drained() override;
  void on_tls_established() override;
  void on_error(Error error) override;
  void process_input();
  void resume_input();
  void keep_input();
  void take_packets();
  bool is_clients_turn() const;
  void on_client_out_of_step(const Error& error);
  void on_packet(const protocol::Packet& packet);
  bool may_end() const;
  bool is_dismissed() const { return account_ != nullptr && account_->is_removed; }
  void dismiss(std::uint8_t sequence);
  // None of these ends the session: a client that takes no more may have sent something before.
  void send(std::string_view bytes);
  void send_error(const Error& error, std::uint8_t sequence);
  void send_ok();       // to a statement that the proxy executed
  void send_last_ok();  // to what is no statement
  void set_pins(sql::PinReasons pins);
  void count_pins();
  static SessionState counted_as(State state);
  SessionStats& stats() { return *(account_ != nullptr ? account_ : login_account_)->pool->stats; }

  // session_command_memory.cc
  CommandRoom& room();
  void hold_received();
  bool may_unpack(std::size_t bytes);
  std::string take_large(const protocol::Packet& packet);
  void on_room();
  void refuse_received(CommandRefusal why);
  std::optional<Error> refusal_of_script(ClientCommand& command);
  void refuse_script(std::unique_ptr<ClientCommand> command, const Error& error);

  // session_departure.cc
  Departure& departure();
  void end_input();
  void lose_answers(const Error& error);
  bool has_left() const { return departure_ != nullptr && departure_->has_left(); }
  bool takes_answers() const {
    return departure_ == nullptr || (departure_->takes_answers() && !departure_->has_left());
  }
  bool is_departed() const;
  bool is_drained() const;
  bool must_roll_back() const;
  void depart();
  void watch_departure();
  std::optional<Departure::Running> running_statement() const;

  // session_login.cc
  protocol::HandshakeOptions handshake_options() const;
  std::unique_ptr<Login> make_login(net::TlsContext* tls, protocol::ServerHandshake handshake);
  void on_login_status(Login::Status status);
  void on_login_timeout();
  bool is_pending() const { return place_ != nullptr && place_->is_pending(); }
  void turn_away();
  void on_accepted();
  bool admit(const Account& account, const std::string& user, const std::string& database);
  void begin_session();
  void finish_login();
  void refuse_login(const Error& error);
  void tell_refusal(const Error& error);
  void on_change_user_rejected();
  void change_user(std::string_view payload);

  // session_commands.cc
  // `large`: the payload itself, if it is one that must not be copied.
  void on_command(std::string_view payload, std::string large = {});
  void plan_named(ClientCommand& command);
  bool answer_locally(ClientCommand& command);
  bool send_fact(const std::optional<protocol::TextResult>& fact);
  void forget_statements();
  bool answer_query_locally(const ClientCommand& command);
  bool answer_captured(const ClientCommand& command);
  bool answer_set_option(const ClientCommand& command);
  void reset_session();
  void begin(std::unique_ptr<ClientCommand> command);
  void end_command(Source source, bool failed);
  void count_command(Source source, bool failed);

  // session_lease.cc
  void acquire();
  pool::Want want() const;
  tracking::CommandContext command_context();
  [[nodiscard]] bool plan_steps();
  void plan_captures();
  void count_captures();
  [[nodiscard]] bool ask_first();
  void on_asked();
  void on_lease(pool::Lease lease) override;
  void on_no_lease(const Error& error) override;
  void execute();
  [[nodiscard]] bool retry_lost_database(const Error& error);
  void fail_exchange();
  void release_lease();
  void end_lease(pool::Release how);
  void drop_lease();
  void on_backend_lost(const Error& error);

  // session_relay.cc
  void write_steps();
  Flow note_written(const Result<void>& written, std::size_t size);
  void on_backend_drained();
  void on_backend_readable();
  Flow on_backend_bytes(std::string_view bytes);
  Flow on_progress(const tracking::Exchange::Progress& progress, std::string_view bytes,
                   bool has_more);
  Flow lose_backend(const std::string& reason);
  Flow flow_since(std::uint64_t turn) const {
    return turn == turn_ && lease_ ? Flow::kGoOn : Flow::kEnded;
  }
  void pass_on(std::string_view bytes);
  Flow begin_local_infile();
  void on_local_infile_packet(const protocol::Packet& packet);
  void end_infile();
  void on_step_ended(tracking::StepKind kind);
  void on_relayed();
  void note_status(std::uint16_t status);
  void settle_probe();
  void probe();
  [[nodiscard]] bool resend_original();
  void on_repeating_ok();
  void on_repeating_warnings();
  void settle();

  // session_retry.cc
  Decision judge(FailureKind kind, bool is_pinned);
  [[nodiscard]] bool repeats(const tracking::Exchange::Progress& progress);
  void repeat(FailureKind kind, Duration delay);
  void end_by_loss(const Error& cause, bool was_pinned);

  // session_replay_log.cc
  void prepare_recording();
  void note_answer(const tracking::Exchange::Progress& progress, std::string_view bytes);
  void record();

  // session_replay.cc
  bool replay_is_due() const;
  bool is_replaying() const;
  bool may_come_after_replay() const;
  bool has_replay() const;
  bool may_replay();
  [[nodiscard]] bool replays_after_loss(const Error& cause);
  void note_before_replay();
  void defer_error();
  void pass_on_error(std::string error);
  void settle_deferred();
  void replay_after_error(bool ends_session);
  void await_replay(FailureKind kind);
  void replay_next();
  void on_replay_relayed();
  void on_replayed();
  void end_replay();
  void replay_in_vain(ReplayResult result, pool::Release how = pool::Release::kDiscard);

  // session_prepared.cc
  bool find_statement(ClientCommand& command);
  void on_statement_close(std::string_view payload);
  void on_prepared();
  void on_prepare_failed();
  [[nodiscard]] bool repeat_execute();
  [[nodiscard]] bool prepares_again();
  [[nodiscard]] bool prepares_here();
  [[nodiscard]] bool waits_for_others_statements();
  void wait_here(Duration pause);
  void go_on_here();
  void close_on_backend(const std::vector<std::uint32_t>& ids);
  void on_client_prepared();
  void note_statement_use();

  // session_kill.cc
  bool answer_kill(const ClientCommand& command);
  KillReach kill_reach() const { return {environment_, *account_, user_}; }
  bool is_denied_kill(const sql::Script& script) const;
  [[nodiscard]] bool deny_kill();
  void plan_kills();
  void carry_out_kills();
  void refuse(const Error& error);
  bool can_kill_statement() const;
  void kill_statement();
  void on_killed();
  [[nodiscard]] bool awaits_kill();
  [[nodiscard]] bool leave();

  // session_timeouts.cc
  void watch_silence();
  void on_silence();
  void watch_query();
  void on_query_timeout();
  void watch_own_steps();
  void on_own_step_timeout();
  void watch_stall();
  void on_stall();
  bool tells_of_stop(std::string_view bytes) const;
  void note_stopped();

  // session_prepare_memory.cc
  pool::PrepareMemory& prepare_memory() { return *account_->pool->prepares; }
  const pool::PrepareMemory::View& schema_view(const ClientCommand& command) const;
  bool answer_prepare_locally(ClientCommand& command);
  tracking::PreparedStatement& add_statement(ClientCommand& command, std::uint16_t params,
                                             std::uint16_t columns, TimePoint seen);
  void note_schema_use();
  void note_schema_changes(ClientCommand& command);

  // session_prepared_bytes.cc
  std::optional<Error> refusal_to_prepare(ClientCommand& command);
  void count_bytes(tracking::PreparedStatement& statement);
  void count_text_bytes();

  // session_capture.cc
  void rest();
  void on_recall() override;
  void capture();
  void end_captures();

  Environment& environment_;
  const std::uint32_t id_;
  const Arrival arrival_;  // without its descriptor
  OnClosed on_closed_;
  ClientChannel channel_;
  State state_ = State::kHandshake;
  bool draining_ = false;
  bool counted_ = false;  // in the statistics of its pool

  // Null while the client shows no sign of leaving.
  std::unique_ptr<Departure> departure_;
  std::unique_ptr<net::Timer> departure_timer_;

  std::unique_ptr<LoginPlace> place_;

  // The login, and what it said.
  std::unique_ptr<Login> login_;
  std::unique_ptr<net::Timer> timer_;  // bounds the login, and in the end the wait for the client
  protocol::Accept accepted_;          // the login that is being finished, or was last
  Account* login_account_ = nullptr;   // of accepted_
  std::uint32_t capabilities_ = 0;
  std::uint8_t collation_ = 0;       // of the handshake
  std::uint8_t login_sequence_ = 0;  // of the OK or ERR that ends the login
  unsigned denied_changes_ = 0;      // of its user, since the connection began
  std::string salt_;
  std::string user_;
  Account* account_ = nullptr;
  tracking::PreparedBytes prepared_bytes_;  // before all that has a share of them
  tracking::PreparedShare text_share_;      // of model_.texts
  std::uint64_t variant_ = 0;

  // Set while the client may not be silent for ever: from its last sign of life.
  std::unique_ptr<net::Timer> silence_timer_;
  std::unique_ptr<net::Timer>
      query_timer_;  // from when the command went to TiDB; may be out of date
  std::unique_ptr<net::Timer> own_step_timer_;  // likewise, of what the proxy asks by itself
  std::unique_ptr<net::Timer> stall_timer_;     // set while the client keeps a command waiting
  std::size_t stalled_bytes_ = 0;               // that it had not taken then

  tracking::SessionModel model_;
  sql::PinReasons counted_pins_;  // of the model, as the statistics have them

  std::unique_ptr<Replay> replay_;  // null: nothing was recorded yet

  RoomSide room_side_{*this};
  std::unique_ptr<CommandRoom> room_;  // of the command that is being received, if it is large

  // The command under way, and its backend.
  std::unique_ptr<ClientCommand> command_;
  std::unique_ptr<net::Timer> pause_;        // before it is run again
  std::unique_ptr<StatementKiller> killer_;  // of the statement under way
  bool waits_for_infile_ = false;            // the client's packets are its file
  bool processing_input_ = false;
  std::uint8_t answer_sequence_ = 1;  // of the answer to the client's command
  BackendSide backend_side_{*this};
  std::uint64_t turn_ = 0;  // counts the times that a command began on a lease, or the lease ended
  pool::BackendId last_backend_ = 0;
  pool::Lease lease_;
  pool::Ticket ticket_;  // last: it refers to this session
};

}  // namespace tidepool::session
