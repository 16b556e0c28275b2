#include "tidepool/session/session.h"

#include <span>
#include <utility>

#include "own_errors.h"
#include "tidepool/base/log.h"
#include "tidepool/base/secret.h"
#include "tidepool/protocol/capabilities.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/status.h"

namespace tidepool::session {
namespace {

constexpr std::size_t kPendingReadBytes = std::size_t{16} << 10U;
// How long a session that ends waits for its client to take what is queued.
constexpr std::chrono::seconds kLinger{5};

// Wipes what was read during a login: in the loop's scratch it would lie until others' bytes take
// its place.
class InputGuard {
 public:
  explicit InputGuard(std::span<char> input) : input_(input) {}
  InputGuard(const InputGuard&) = delete;
  InputGuard& operator=(const InputGuard&) = delete;
  ~InputGuard() {
    if (!input_.empty()) wipe(input_.data(), input_.size());
  }

 private:
  const std::span<char> input_;
};

}  // namespace

Session::Session(Environment& environment, std::uint32_t id, AcceptedClient accepted,
                 OnClosed on_closed)
    : on_closed_(std::move(on_closed)),
      context_(environment, id, std::move(accepted.fd), this, *this),
      execution_({.context = context_,
                  .runner = runner_,
                  .statements = statements_,
                  .kills = kills_,
                  .answers = answers_,
                  .replay = replay_,
                  .host = *this}),
      login_(context_, runner_, std::move(accepted), *this, *this) {
  context_.backend.set_user(*this);
}

Session::~Session() {
  if (context_.environment.registry != nullptr) context_.environment.registry->remove(id());
}

void Session::on_readable() {
  ClientChannel& channel = context_.client.channel();
  for (;;) {
    // Before its login a client may not make us keep much.
    const std::span<char> all = context_.environment.loop.scratch();
    const std::span<char> scratch = all.first(login_.is_pending() ? kPendingReadBytes : all.size());
    const auto result = channel.stream().read(scratch);
    if (!result) context_.client.refuse_answers(result.error());
    if (!result || result->status == net::ReadResult::Status::kEnd) return end_input();
    if (result->status == net::ReadResult::Status::kWouldBlock) return;
    context_.client.count_received(result->bytes);
    channel.offer({scratch.data(), result->bytes});
    const InputGuard guard(login_.is_under_way() ? scratch.first(result->bytes)
                                                 : std::span<char>());
    process_input();
    if (context_.status.is_closing()) return;
    keep_input();
    if (context_.status.is_closing()) return;
    const bool maybe_more = result->bytes == scratch.size();
    if (!maybe_more && !channel.stream().has_buffered()) return;
    if (channel.stream().is_paused()) return;
  }
}

// Takes packets while it is the client's turn.
void Session::process_input() {
  processing_input_ = true;
  take_packets();
  processing_input_ = false;
}

void Session::resume_input() {
  if (processing_input_ || context_.status.is_closing()) return;
  process_input();
  if (!context_.status.is_closing()) keep_input();
}

void Session::keep_input() {
  ClientConnection& client = context_.client;
  client.channel().keep();
  if (login_.is_pending()) return login_.hold_input();
  const bool is_large = client.channel().receiving_bytes() > CommandMemory::kFreeBytes;
  if (!is_large && !client.is_receiving()) return;
  const bool waits_for_backend =
      client.sends_file() && context_.has_lease() && context_.backend.is_full();
  client.hold_received(!is_clients_turn() || waits_for_backend);
}

void Session::take_packets() {
  ClientConnection& client = context_.client;
  for (;;) {
    if (is_drained() && may_end()) return close();
    if (client.is_full()) return;  // it reads first: on_drained() goes on
    if (!is_clients_turn()) return;
    if (departure_watch_.must_roll_back()) return close();
    const auto packet = client.channel().next();
    if (!packet) return on_client_out_of_step(packet.error());
    if (!packet->has_value()) {
      if (client.channel().is_held_up()) return;  // on_room() goes on
      if (client.has_ended()) return on_client_gone();
      if (is_evicted() && may_end()) evict(0);
      return;
    }
    on_packet(**packet);
  }
}

bool Session::is_clients_turn() const {
  if (!login_.takes_packets()) return false;
  // A login that was refused is still there when the session closes.
  const bool logs_in = state() == State::kHandshake && login_.is_under_way();
  return context_.status.is_idle() || logs_in || context_.client.sends_file();
}

void Session::on_client_out_of_step(const Error& error) {
  log::debug("client out of step", {{"session", id()}, {"error", error.message}});
  const bool too_big = error.mysql_errno == 1153;
  if (!too_big) return on_client_gone();
  if (login_.is_pending()) context_.environment.logins->failures[LoginFailure::kProtocol].add();
  context_.client.send_error({Code::kProtocol, error.message, 1153, "08S01"},
                             context_.client.channel().refusal_sequence());
  close();
}

void Session::on_drained() {
  if (context_.status.is_closing()) {
    context_.client.stream().shutdown();
    return on_closed_(id());
  }
  context_.client.stop_stall_watch();
  context_.backend.resume();
  resume_input();
}

void Session::on_error(Error error) {
  if (context_.status.is_closing()) return on_closed_(id());  // nobody takes what was still queued
  if (context_.status.state() == State::kHandshake && context_.account == nullptr)
    return on_client_gone();
  context_.client.refuse_answers(error);
  resume_input();
}

void Session::on_room() {
  if (context_.status.is_closing()) return;
  context_.client.stream().resume(net::PauseReason::kOverload);
  resume_input();
}

// The client is told in the place of an answer, perhaps while it still sends.
void Session::on_no_room(CommandRefusal why) {
  if (context_.status.is_closing()) return;
  log::info("command refused: there is no memory for it",
            {{"session", id()}, {"user", context_.user}, {"reason", to_string(why)}});
  context_.client.send_error(
      {Code::kProtocol,
       "Got a packet bigger than the memory for commands that clients send (command_memory)", 1153,
       "08S01"},
      context_.client.channel().refusal_sequence());
  close();
}

void Session::on_client_stalled() {
  context_.stats().timeouts[TimeoutKind::kClientStall].add();
  log::info("client stalls", {{"session", id()}, {"state", to_string(state())}});
  if (!departure_watch_.send_away()) close();
}

// The client waits for the OK to its login, or to its COM_CHANGE_USER.
void Session::on_logged_in() {
  const bool is_first = context_.account == nullptr;
  const protocol::LoginRequest& login = login_.request();
  tracking::SessionModel& model = context_.model;
  // What COM_SET_OPTION has switched stays as it is in COM_CHANGE_USER.
  const bool multi_statements = is_first ? login.has(protocol::capability::kMultiStatements)
                                         : model.desired.multi_statements();
  if (context_.has_lease()) context_.release_lease();
  context_.begin_as(login_.account(), login);
  context_.profile = login_.profile();
  const auto info = login_.account().pool->pool->info();
  const sql::Handshake handshake{.collation_id = login_.collation(),
                                 .database = login.database,
                                 .multi_statements = multi_statements};
  model.desired = sql::SessionState(handshake, info ? info->baseline : sql::Baseline{});
  idle_timeout_.stop();
  statements_.begin_anew();
  replay_.begin_anew();
  statements_.join_pool();
  protocol::OkMessage ok;
  ok.status = is_first ? protocol::status::kAutocommit : model.status_flags();
  context_.client.send(protocol::ok_packet(ok, login_.sequence()));
  if (is_first) start_compression();
  context_.backend.set_user(*this);
  context_.status.enter(State::kIdle);
  if (draining_) return close();
  if (is_evicted()) return evict(0);
  idle_timeout_.watch();
}

void Session::start_compression() {
  const auto algorithm =
      protocol::negotiated_compression(context_.capabilities, protocol::capability::kOffered);
  if (!algorithm) return;
  ClientChannel& channel = context_.client.channel();
  channel.start_compression(*algorithm, protocol::kDefaultZstdLevel);
  channel.set_gate([this](std::size_t bytes) { return context_.client.may_unpack(bytes); });
}

void Session::rest() {
  pool::Lease& lease = context_.backend.lease();
  const tracking::SessionModel& model = context_.model;
  context_.backend.set_user(*this);
  if (is_over()) {
    context_.status.enter(lease ? State::kIdlePinned : State::kIdle);
    return close();
  }
  idle_timeout_.watch();
  const bool must = lease && model.must_capture(lease.model().actual);
  if (!lease) {
    context_.status.enter(State::kIdle);
  } else if (model.keeps_lease() && !model.joins_warnings()) {
    context_.status.enter(State::kIdlePinned);
  } else if (!must && !model.diagnostics.warnings_on_backend() && model.desired.is_exact()) {
    context_.end_lease(pool::Release::kClean);
    context_.status.enter(State::kIdle);
  } else if (!must && lease.park(*this)) {
    context_.status.enter(State::kParked);
  } else {
    return capture_.start();
  }
  resume_input();
}

void Session::on_recall() {
  if (state() == State::kParked) capture_.start();
}

void Session::end_turn() {
  context_.backend.set_user(*this);
  if (is_over()) return close();
  idle_timeout_.watch();
  resume_input();
}

void Session::on_backend_lost(const Error& error) {
  if (replay_.begins_after_loss(error, nullptr)) return;
  context_.drop_lease();
  // As TiDB would have done: the session's state is gone.
  if (context_.model.is_bound()) return close();
  if (state() != State::kHandshake) rest();
}

// Nothing more comes from the client.
void Session::end_input() {
  context_.client.departure().end_input(Clock::now());
  if (context_.status.is_closing()) return;
  const bool waits_for_login = state() == State::kAcquiring && login_.checks_database();
  if (waits_for_login && context_.client.channel().is_empty()) return on_client_gone();
  departure_watch_.watch();
  resume_input();
}

void Session::on_client_gone() {
  if (state() == State::kHandshake && !context_.status.is_counted()) {
    context_.environment.logins->failures[LoginFailure::kClosed].add();
  }
  close();
}

// Another session wants this one's statement, or this one itself, to end.
void Session::on_kill(KillKind kind) {
  const bool query_only = kind == KillKind::kQuery;
  switch (state()) {
    case State::kAcquiring:
      if (!query_only) return close();
      return context_.backend.user().on_interrupted(interrupted());
    case State::kExecuting:
    case State::kStreaming:
      if (query_only) return runner_.kill();
      if (!departure_watch_.send_away()) close();
      return;
    case State::kClosing: return;
    default:
      if (!query_only) close();
      return;
  }
}

void Session::drain() {
  draining_ = true;
  if (is_drained() && may_end()) close();
}

void Session::evict_if_removed() {
  if (is_evicted() && may_end()) evict(0);
}

bool Session::knows_removed_account() const {
  return is_evicted() || login_.knows_removed_account();
}

// Sequence 0, that of no answer, where the client has asked nothing: it finds the error when it
// speaks the next time, as MySQL's of 4031.
void Session::evict(std::uint8_t sequence) {
  log::info("session ended: its user is gone, or has another pool",
            {{"session", id()}, {"user", context_.user}});
  context_.client.send_error(evicted(), sequence);
  close();
}

// Nothing is lost if it ends now.
bool Session::may_end() const {
  if (state() == State::kHandshake) return context_.account == nullptr;
  return context_.status.is_idle() && !context_.model.in_transaction;
}

// A drain does not wait for clients that may send more.
bool Session::is_drained() const {
  return draining_ && !context_.client.has_ended();
}

// No more of its client is to be executed.
bool Session::is_over() const {
  return context_.client.is_departed() || (is_drained() && !context_.model.in_transaction);
}

void Session::close() {
  if (context_.status.is_closing()) return;
  const bool executing =
      state() == State::kExecuting || state() == State::kStreaming || state() == State::kCapturing;
  if (context_.has_lease() && executing) {
    context_.backend.lease().set_broken();
    context_.end_lease(pool::Release::kDiscard);
  } else if (context_.has_lease()) {
    context_.release_lease();
  }
  context_.backend.stop_waiting();
  execution_.stop();
  replay_.stop();
  runner_.stop();  // its timers may be due, before this is destroyed
  login_.stop();
  context_.client.stop_stall_watch();
  departure_watch_.stop();
  context_.status.enter(State::kClosing);
  net::Stream& stream = context_.client.stream();
  stream.pause(net::PauseReason::kClosing);
  if (context_.client.channel().queued_bytes() > 0) {
    stream.set_low_watermark(0);
    linger_timer_ = std::make_unique<net::Timer>(context_.environment.loop);
    linger_timer_->start(kLinger, [this] { on_closed_(id()); });
    return;  // on_drained() goes on
  }
  linger_timer_.reset();
  stream.shutdown();
  on_closed_(id());
}

}  // namespace tidepool::session
