#include "tidepool/session/session.h"

#include <utility>

#include "tidepool/base/check.h"
#include "tidepool/base/log.h"
#include "tidepool/protocol/capabilities.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/session/effects.h"

namespace tidepool::session {
namespace {

// Above this much unsent, the backend is not read; below the low watermark it is again.
constexpr std::size_t kHighWatermark = std::size_t{256} << 10U;
constexpr std::size_t kLowWatermark = std::size_t{64} << 10U;
// How long a session that ends waits for its client to take what is queued.
constexpr std::chrono::seconds kLinger{5};

SessionState stats_state(State state) {
  switch (state) {
    case State::kAcquiring: return SessionState::kWaiting;
    case State::kExecuting:
    case State::kStreaming: return SessionState::kExecuting;
    case State::kIdlePinned: return SessionState::kPinned;
    case State::kHandshake:
    case State::kIdle:
    case State::kClosing: return SessionState::kIdle;
  }
  return SessionState::kIdle;
}

LoginFailure failure_of(const Error& error) {
  switch (error.code) {
    case Code::kAuth:
      return error.mysql_errno == 1045 ? LoginFailure::kPassword : LoginFailure::kDatabase;
    case Code::kTls: return LoginFailure::kTls;
    case Code::kTimeout: return LoginFailure::kTimeout;
    case Code::kClosed: return LoginFailure::kClosed;
    case Code::kBackend:
      return error.mysql_errno == 1049 || error.mysql_errno == 1044 ? LoginFailure::kDatabase
                                                                    : LoginFailure::kBackend;
    default: return LoginFailure::kProtocol;
  }
}

backend::Variant variant_of(std::uint32_t capabilities, std::uint16_t collation) {
  backend::Variant variant;
  // A character set that TiDB cannot convert comes by the handshake or not at all.
  const bool by_handshake = collation != 0 && sql::charset_of_any_collation(collation).empty();
  if (by_handshake) variant.collation = static_cast<std::uint8_t>(collation);
  variant.found_rows = (capabilities & protocol::capability::kFoundRows) != 0;
  variant.interactive = (capabilities & protocol::capability::kInteractive) != 0;
  variant.local_files = (capabilities & protocol::capability::kLocalFiles) != 0;
  return variant;
}

}  // namespace

Session::Session(Environment& environment, std::uint32_t id, Arrival arrival, OnClosed on_closed)
    : environment_(environment),
      id_(id),
      arrival_{{}, arrival.peer, arrival.is_unix, arrival.tls, arrival.tls_required},
      on_closed_(std::move(on_closed)),
      channel_(environment.loop, std::move(arrival.fd), this) {
  channel_.stream().set_low_watermark(kLowWatermark);
}

Session::~Session() {
  set_pins({});
  if (!counted_) return;
  stats().sessions[stats_state(state_)].sub();
  stats().closed.add();
}

void Session::start() {
  protocol::HandshakeOptions options;
  options.server_version = environment_.server_version();
  options.connection_id = id_;
  options.tls = arrival_.tls == nullptr ? protocol::TlsPolicy::kDisabled
                : arrival_.tls_required ? protocol::TlsPolicy::kRequired
                                        : protocol::TlsPolicy::kOffered;
  options.transport =
      arrival_.is_unix ? protocol::Transport::kUnixSocket : protocol::Transport::kTcp;
  options.client_host = host_of(arrival_.peer);
  options.rsa_key = environment_.rsa_key;
  options.decoy = environment_.decoy;
  options.default_plugin = std::string(protocol::kNativePassword);  // as TiDB
  channel_.set_max_packet_bytes(protocol::kMaxLoginPacketBytes);
  login_ = std::make_unique<Login>(environment_, channel_, arrival_.tls,
                                   protocol::ServerHandshake(std::move(options)));
  timer_ = std::make_unique<net::Timer>(environment_.loop);
  timer_->start(environment_.login_timeout, [this] { on_login_timeout(); });
  on_login_status(login_->start());
}

void Session::enter(State next) {
  if (next == state_) return;
  TIDEPOOL_CHECK(may_follow(state_, next));
  if (counted_) stats().move(stats_state(state_), stats_state(next));
  state_ = next;
}

void Session::on_readable() {
  for (;;) {
    const auto result = channel_.stream().read(environment_.loop.scratch());
    if (!result || result->status == net::ReadResult::Status::kEnd) return client_gone();
    if (result->status == net::ReadResult::Status::kWouldBlock) return;
    if (counted_) stats().client.received.add(result->bytes);
    channel_.offer({environment_.loop.scratch().data(), result->bytes});
    process_input();
    if (state_ == State::kClosing) return;
    channel_.keep();
    const bool maybe_more = result->bytes == environment_.loop.scratch().size();
    if (!maybe_more && !channel_.stream().has_buffered()) return;
    if (channel_.stream().is_paused()) return;
  }
}

// Takes packets while it is the client's turn.
void Session::process_input() {
  processing_input_ = true;
  take_packets();
  processing_input_ = false;
}

// The client's turn has come while its bytes were already here.
void Session::resume_input() {
  if (processing_input_ || state_ == State::kClosing) return;
  process_input();
  if (state_ != State::kClosing) channel_.keep();
}

void Session::take_packets() {
  for (;;) {
    if (draining_ && may_end()) return close();
    if (channel_.queued_bytes() > kHighWatermark) return;  // it reads first: on_drained() goes on
    const bool is_turn = state_ == State::kIdle || state_ == State::kIdlePinned ||
                         (state_ == State::kHandshake && login_ != nullptr) || waits_for_infile_;
    if (!is_turn || (login_ != nullptr && login_->awaits_tls())) return;
    const auto packet = channel_.next();
    if (!packet) {
      log::debug("client out of step", {{"session", id_}, {"error", packet.error().message}});
      const bool too_big = packet.error().mysql_errno == 1153;
      if (!too_big) return client_gone();
      send_error({Code::kProtocol, packet.error().message, 1153, "08S01"},
                 channel_.refusal_sequence());
      return close();
    }
    if (!packet->has_value()) return;
    on_packet(**packet);
  }
}

void Session::on_packet(const protocol::Packet& packet) {
  if (state_ == State::kHandshake) return on_login_status(login_->on_packet(packet.payload));
  if (waits_for_infile_) return on_local_infile_packet(packet);
  if (packet.payload.empty()) return client_gone();
  answer_sequence_ = packet.next_sequence;
  on_command(packet.payload);
}

void Session::on_tls_established() {
  on_login_status(login_->on_tls_established());
}

void Session::on_login_status(Login::Status status) {
  switch (status) {
    case Login::Status::kUnderWay: return;
    case Login::Status::kAccepted: return on_accepted();
    case Login::Status::kRejected:
      if (account_ != nullptr) return on_change_user_rejected();
      environment_.logins->failures[failure_of(login_->reason())].add();
      log::info("login refused",
                {{"session", id_}, {"peer", arrival_.peer}, {"error", login_->reason().message}});
      return close();
    case Login::Status::kLost: return client_gone();
  }
}

void Session::on_login_timeout() {
  environment_.logins->failures[LoginFailure::kTimeout].add();
  log::info("login timed out", {{"session", id_}, {"peer", arrival_.peer}});
  close();
}

// The password is right; the database is still to be checked.
void Session::on_accepted() {
  if (timer_ != nullptr) timer_->stop();  // the wait for a lease has its own limit
  accepted_ = std::move(login_->accepted());
  login_account_ = &login_->account();
  salt_ = login_->salt();
  login_.reset();
  channel_.set_max_packet_bytes(protocol::kMaxPacketBytes);
  channel_.expect_sequence(0);
  login_sequence_ = accepted_.next_sequence;
  if (account_ == nullptr) collation_ = accepted_.login.collation;
  accepted_.login.collation = collation_;  // TiDB ignores that of COM_CHANGE_USER
  std::string& database = accepted_.login.database;
  if (database.empty()) database = login_account_->database;
  if (database.empty() ||
      login_account_->pool->databases.knows(database, environment_.loop.now())) {
    return begin_session();
  }
  command_ = std::make_unique<ClientCommand>(protocol::Command::kInitDb,
                                             std::string(1, '\x02') + database, Clock::now());
  command_->is_login = true;
  const bool same_pool = account_ != nullptr && login_account_->pool == account_->pool;
  if (lease_ && same_pool)
    return execute();  // a COM_CHANGE_USER that may fail: nothing is given up yet
  if (lease_) release_lease();
  variant_ = pool::variant_key(variant_of(accepted_.login.capabilities, accepted_.login.collation));
  acquire();
}

// The session begins anew, also after COM_CHANGE_USER.
void Session::begin_session() {
  if (counted_) stats().sessions[stats_state(state_)].sub();
  if (lease_) release_lease();
  account_ = login_account_;
  if (!counted_) stats().opened.add();
  counted_ = true;
  stats().sessions[stats_state(state_)].add();
  capabilities_ = accepted_.login.capabilities;
  user_ = accepted_.login.user;
  variant_ = pool::variant_key(variant_of(capabilities_, accepted_.login.collation));
  const auto facts = account_->pool->pool->facts();
  const sql::Handshake handshake{
      .collation_id = collation_,
      .database = accepted_.login.database,
      .multi_statements = (capabilities_ & protocol::capability::kMultiStatements) != 0};
  desired_ = sql::SessionState(handshake, facts ? facts->baseline : sql::Baseline{});
  prepared_.clear();
  forget_facts();
  finish_login();
}

void Session::finish_login() {
  const bool was_login = timer_ != nullptr;
  timer_.reset();
  protocol::OkMessage ok;
  ok.status = was_login ? protocol::status::kAutocommit : status_flags();
  if (!send(protocol::ok_packet(ok, login_sequence_))) return;
  if (was_login) {
    const auto algorithm =
        protocol::negotiated_compression(capabilities_, protocol::capability::kOffered);
    if (algorithm) channel_.start_compression(*algorithm, protocol::kDefaultZstdLevel);
  }
  enter(State::kIdle);
  if (draining_) close();
}

void Session::refuse_login(const Error& error) {
  environment_.logins->failures[failure_of(error)].add();
  log::info("login refused", {{"session", id_},
                              {"user", accepted_.login.user},
                              {"peer", arrival_.peer},
                              {"error", error.message}});
  command_.reset();
  send_error(error, login_sequence_);
  if (account_ == nullptr) return close();
  enter(lease_ ? State::kIdlePinned : State::kIdle);  // as in TiDB, the old session goes on
  resume_input();
}

// As in TiDB, the old session goes on.
void Session::on_change_user_rejected() {
  login_.reset();
  channel_.expect_sequence(0);
  enter(lease_ ? State::kIdlePinned : State::kIdle);
}

void Session::on_local_infile_packet(const protocol::Packet& packet) {
  const bool is_last = packet.payload.empty();
  if (!write_to_backend(packet.frame)) return;
  channel_.expect_sequence(packet.next_sequence);
  if (!is_last) return;
  end_infile();
  command_->exchange.on_local_infile_sent(packet.next_sequence);
}

// The client's next packet begins a command.
void Session::end_infile() {
  waits_for_infile_ = false;
  channel_.continue_command(false);
  channel_.expect_sequence(0);
}

void Session::on_drained() {
  if (state_ == State::kClosing) {
    channel_.stream().shutdown();
    return on_closed_(id_);
  }
  if (lease_) lease_.stream().resume(net::PauseReason::kPeerFull);
  resume_input();
}

void Session::on_error(Error error) {
  log::debug("client lost", {{"session", id_}, {"error", error.message}});
  client_gone();
}

// Whatever is under way is of no use any more.
void Session::client_gone() {
  if (state_ == State::kHandshake && !counted_) {
    environment_.logins->failures[LoginFailure::kClosed].add();
  }
  if (command_ != nullptr && command_->is_relayed && lease_) {
    // The client has its answer; only the proxy's own questions are still open on a sound backend.
    has_left_ = true;
    channel_.stream().pause(net::PauseReason::kClosing);
    return;
  }
  close();
  on_closed_(id_);  // nobody takes what is still queued
}

void Session::drain() {
  draining_ = true;
  if (may_end()) close();
}

// Nothing is lost if it ends now.
bool Session::may_end() const {
  if (state_ == State::kHandshake) return account_ == nullptr;
  return (state_ == State::kIdle || state_ == State::kIdlePinned) && !in_transaction_;
}

// Gives back what it has; what is queued for the client is still written, for as long as the client
// takes it.
void Session::close() {
  if (state_ == State::kClosing) return;
  const bool executing = state_ == State::kExecuting || state_ == State::kStreaming;
  if (lease_ && executing) {
    lease_.set_broken();
    end_lease(pool::Release::kDiscard);
  } else if (lease_) {
    release_lease();
  }
  ticket_.cancel();
  enter(State::kClosing);
  channel_.stream().pause(net::PauseReason::kClosing);
  if (channel_.queued_bytes() > 0) {
    channel_.stream().set_low_watermark(0);
    timer_ = std::make_unique<net::Timer>(environment_.loop);
    timer_->start(kLinger, [this] { on_closed_(id_); });
    return;  // on_drained() goes on
  }
  timer_.reset();
  channel_.stream().shutdown();
  on_closed_(id_);
}

bool Session::send(std::string_view bytes) {
  if (counted_) stats().client.sent.add(bytes.size());
  if (const auto written = channel_.write(bytes); !written) {
    client_gone();
    return false;
  }
  if (lease_ && channel_.queued_bytes() > kHighWatermark) {
    lease_.stream().pause(net::PauseReason::kPeerFull);
  }
  return true;
}

bool Session::send_error(const Error& error, std::uint8_t sequence) {
  protocol::ErrMessage err;
  err.number = error.mysql_errno != 0 ? error.mysql_errno : 1105;
  err.sqlstate = error.sqlstate.empty() ? "HY000" : error.sqlstate;
  err.message = error.message;
  return send(protocol::err_packet(err, sequence));
}

bool Session::send_ok() {
  protocol::OkMessage ok;
  ok.status = status_flags();
  return send(protocol::ok_packet(ok, answer_sequence_));
}

bool Session::send_last_ok() {
  protocol::OkMessage ok = last_ok_;
  ok.status = status_flags();
  return send(protocol::ok_packet(ok, answer_sequence_));
}

void Session::set_pins(sql::PinReasons pins) {
  if (pins == pins_) return;
  const sql::PinReasons before = pins_;
  pins_ = pins;
  if (!counted_) return;
  pins.for_each([&](sql::Pin pin) {
    if (before.contains(pin)) return;
    stats().pin(pin);
    log::debug("pinned", {{"session", id_}, {"reason", to_string(pin)}});
  });
  before.for_each([&](sql::Pin pin) {
    if (!pins.contains(pin)) stats().unpin(pin);
  });
}

}  // namespace tidepool::session
