#include "tidepool/session/session.h"

#include <span>
#include <utility>

#include "own_errors.h"
#include "tidepool/base/check.h"
#include "tidepool/base/log.h"
#include "tidepool/base/secret.h"
#include "tidepool/protocol/client_library.h"
#include "tidepool/protocol/reply_messages.h"

namespace tidepool::session {
namespace {

// At this much unsent, a backend that was not read is read again.
constexpr std::size_t kLowWatermark = std::size_t{64} << 10U;
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

SessionState Session::counted_as(State state) {
  switch (state) {
    case State::kAcquiring: return SessionState::kWaiting;
    case State::kExecuting:
    case State::kStreaming: return SessionState::kExecuting;
    case State::kIdlePinned: return SessionState::kPinned;
    case State::kParked:
    case State::kCapturing:
    case State::kHandshake:
    case State::kIdle:
    case State::kClosing: return SessionState::kIdle;
  }
  return SessionState::kIdle;
}

Session::Session(Environment& environment, std::uint32_t id, Arrival arrival, OnClosed on_closed)
    : environment_(environment),
      id_(id),
      arrival_{{},
               arrival.peer,
               arrival.network,
               arrival.is_unix,
               arrival.tls,
               arrival.tls_required,
               arrival.asks_for_clear_password,
               nullptr,
               arrival.waited},
      on_closed_(std::move(on_closed)),
      channel_(environment.loop, std::move(arrival.fd), this),
      place_(std::move(arrival.place)),
      model_(id) {
  channel_.stream().set_low_watermark(kLowWatermark);
}

Session::~Session() {
  set_pins({});
  if (environment_.registry != nullptr) environment_.registry->remove(id_);
  if (!counted_) return;
  stats().sessions[counted_as(state_)].sub();
  stats().closed.add();
}

void Session::enter(State next) {
  if (next == state_) return;
  TIDEPOOL_CHECK(may_follow(state_, next));
  if (counted_) stats().move(counted_as(state_), counted_as(next));
  state_ = next;
}

void Session::on_readable() {
  for (;;) {
    // Before its login a client may not make us keep much.
    const std::span<char> scratch = environment_.loop.scratch().first(
        is_pending() ? kPendingReadBytes : environment_.loop.scratch().size());
    const auto result = channel_.stream().read(scratch);
    if (!result) lose_answers(result.error());
    if (!result || result->status == net::ReadResult::Status::kEnd) return end_input();
    if (result->status == net::ReadResult::Status::kWouldBlock) return;
    if (counted_) stats().client.received.add(result->bytes);
    channel_.offer({scratch.data(), result->bytes});
    const InputGuard guard(login_ != nullptr ? scratch.first(result->bytes) : std::span<char>());
    process_input();
    if (state_ == State::kClosing) return;
    keep_input();
    if (state_ == State::kClosing) return;
    const bool maybe_more = result->bytes == scratch.size();
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
  if (state_ != State::kClosing) keep_input();
}

void Session::keep_input() {
  channel_.keep();
  if (!is_pending()) {
    const bool is_large = channel_.receiving_bytes() > CommandMemory::kFreeBytes;
    if (is_large || room_ != nullptr) hold_received();
    return;
  }
  channel_.release_packet();
  const std::size_t named = login_ != nullptr ? login_->held_bytes() : 0;
  if (!place_->hold(channel_.held_bytes() + named)) give_way(LoginFailure::kMemory);
}

void Session::take_packets() {
  for (;;) {
    if (is_drained() && may_end()) return close();
    if (channel_.queued_bytes() > kHighWatermark) return;  // it reads first: on_drained() goes on
    if (!is_clients_turn()) return;
    if (must_roll_back()) return close();
    const auto packet = channel_.next();
    if (!packet) return on_client_out_of_step(packet.error());
    if (!packet->has_value()) {
      if (channel_.is_held_up()) return;  // on_room() goes on
      if (departure_ != nullptr && departure_->has_ended()) return depart();
      if (is_dismissed() && may_end()) dismiss(0);
      return;
    }
    on_packet(**packet);
  }
}

bool Session::is_clients_turn() const {
  if (login_ != nullptr && !login_->takes_packets()) return false;
  return state_ == State::kIdle || state_ == State::kIdlePinned || state_ == State::kParked ||
         (state_ == State::kHandshake && login_ != nullptr) || waits_for_infile_;
}

void Session::on_client_out_of_step(const Error& error) {
  log::debug("client out of step", {{"session", id_}, {"error", error.message}});
  const bool too_big = error.mysql_errno == 1153;
  if (!too_big) return depart();
  if (is_pending()) environment_.logins->failures[LoginFailure::kProtocol].add();
  send_error({Code::kProtocol, error.message, 1153, "08S01"}, channel_.refusal_sequence());
  close();
}

void Session::on_packet(const protocol::Packet& packet) {
  if (state_ == State::kHandshake) {
    const Login::Status status = login_->on_packet(packet.payload);
    wipe(packet.frame);  // whatever has been needed of it is kept elsewhere
    return on_login_status(status);
  }
  if (waits_for_infile_) return on_local_infile_packet(packet);
  answer_sequence_ = packet.next_sequence;
  if (packet.payload.empty()) {
    send_error(no_command(), answer_sequence_);
    return close();
  }
  if (is_dismissed() && may_end()) return dismiss(answer_sequence_);
  if (silence_timer_ != nullptr) watch_silence();
  if (packet.payload.size() <= CommandMemory::kFreeBytes) return on_command(packet.payload);
  std::string large = take_large(packet);
  const std::string_view payload = large;
  on_command(payload, std::move(large));
}

void Session::on_tls_established() {
  on_login_status(login_->on_tls_established());
}

void Session::on_drained() {
  if (state_ == State::kClosing) {
    channel_.stream().shutdown();
    return on_closed_(id_);
  }
  if (stall_timer_ != nullptr) stall_timer_->stop();
  if (lease_) lease_.stream().resume(net::PauseReason::kPeerFull);
  resume_input();
}

void Session::on_error(Error error) {
  if (state_ == State::kClosing) return on_closed_(id_);  // nobody takes what was still queued
  if (state_ == State::kHandshake && account_ == nullptr) return depart();
  lose_answers(error);
  resume_input();
}

void Session::drain() {
  draining_ = true;
  if (is_drained() && may_end()) close();
}

void Session::dismiss_if_removed() {
  if (is_dismissed() && may_end()) dismiss(0);
}

bool Session::knows_removed_account() const {
  const Account* in_login = login_ != nullptr ? login_->found() : nullptr;
  const auto is_removed = [](const Account* one) { return one != nullptr && one->is_removed; };
  return is_removed(account_) || is_removed(login_account_) || is_removed(in_login);
}

// Sequence 0, that of no answer, where the client has asked nothing: it finds the error when it
// speaks the next time, as MySQL's of 4031.
void Session::dismiss(std::uint8_t sequence) {
  log::info("session ended: its user is gone, or has another pool",
            {{"session", id_}, {"user", user_}});
  send_error(dismissed(), sequence);
  close();
}

// Nothing is lost if it ends now.
bool Session::may_end() const {
  if (state_ == State::kHandshake) return account_ == nullptr;
  const bool is_turn =
      state_ == State::kIdle || state_ == State::kIdlePinned || state_ == State::kParked;
  return is_turn && !model_.in_transaction;
}

// Gives back what it has; what is queued for the client is still written, for as long as the client
// takes it.
void Session::close() {
  if (state_ == State::kClosing) return;
  const bool executing =
      state_ == State::kExecuting || state_ == State::kStreaming || state_ == State::kCapturing;
  if (lease_ && executing) {
    lease_.set_broken();
    end_lease(pool::Release::kDiscard);
  } else if (lease_) {
    release_lease();
  }
  ticket_.cancel();
  pause_.reset();
  killer_.reset();
  // Due perhaps, before this is destroyed.
  for (const auto& timer : {&query_timer_, &own_step_timer_, &stall_timer_})
    if (*timer != nullptr) (*timer)->stop();
  if (departure_timer_ != nullptr) departure_timer_->stop();
  if (is_pending()) place_.reset();  // others need not wait until it is destroyed
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

void Session::send(std::string_view bytes) {
  if (!takes_answers()) return;
  if (const auto written = channel_.write(bytes); !written) return lose_answers(written.error());
  if (counted_) stats().client.sent.add(bytes.size());
  if (channel_.queued_bytes() > kHighWatermark) {
    if (lease_) lease_.stream().pause(net::PauseReason::kPeerFull);
    if (stall_timer_ == nullptr || !stall_timer_->is_active()) watch_stall();
  }
}

void Session::send_error(const Error& error, std::uint8_t sequence) {
  protocol::ErrMessage err;
  const std::uint16_t number = error.mysql_errno != 0 ? error.mysql_errno : 1105;
  err.number = protocol::number_for_client(number, accepted_.login.attributes);
  err.sqlstate = error.sqlstate.empty() ? "HY000" : error.sqlstate;
  err.message = error.message;
  send(protocol::err_packet(err, sequence));
}

void Session::send_ok() {
  protocol::OkMessage ok;
  ok.status = model_.status_flags();
  send(protocol::ok_packet(ok, answer_sequence_));
}

void Session::send_last_ok() {
  protocol::OkMessage ok = model_.facts.last_ok();
  ok.status = model_.status_flags();
  send(protocol::ok_packet(ok, answer_sequence_));
}

void Session::set_pins(sql::PinReasons pins) {
  model_.pins = pins;
  count_pins();
}

// Called after whatever may have changed the model's pins.
void Session::count_pins() {
  const sql::PinReasons pins = model_.pins;
  const sql::PinReasons before = std::exchange(counted_pins_, pins);
  if (pins == before || !counted_) return;
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
