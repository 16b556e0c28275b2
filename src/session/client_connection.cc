#include "tidepool/session/client_connection.h"

#include <utility>

#include "tidepool/base/log.h"
#include "tidepool/protocol/client_library.h"
#include "tidepool/protocol/reply_messages.h"

namespace tidepool::session {
namespace {

// At this much unsent, a backend that was not read is read again.
constexpr std::size_t kLowWatermark = std::size_t{64} << 10U;

}  // namespace

ClientConnection::ClientConnection(Environment& environment, std::uint32_t session,
                                   net::UniqueFd fd, net::StreamSink* sink, ClientEvents& events)
    : environment_(environment),
      session_(session),
      events_(events),
      channel_(environment.loop, std::move(fd), sink) {
  channel_.stream().set_low_watermark(kLowWatermark);
}

void ClientConnection::count_received(std::size_t bytes) {
  if (traffic_ != nullptr) traffic_->received.add(bytes);
}

void ClientConnection::send(std::string_view bytes) {
  if (!takes_answers()) return;
  if (const auto written = channel_.write(bytes); !written) return refuse_answers(written.error());
  if (traffic_ != nullptr) traffic_->sent.add(bytes.size());
  if (!is_full()) return;
  events_.on_client_full();
  if (stall_timer_ == nullptr || !stall_timer_->is_active()) watch_stall();
}

void ClientConnection::send_error(const Error& error, std::uint8_t sequence) {
  protocol::ErrMessage err;
  const std::uint16_t number = error.mysql_errno != 0 ? error.mysql_errno : 1105;
  err.number = protocol::number_for_client(number, attributes_);
  err.sqlstate = error.sqlstate.empty() ? "HY000" : error.sqlstate;
  err.message = error.message;
  send(protocol::err_packet(err, sequence));
}

void ClientConnection::begin_file(std::uint8_t sequence) {
  sends_file_ = true;
  channel_.continue_command(true);
  channel_.expect_sequence(sequence);
}

Departure& ClientConnection::departure() {
  if (departure_ == nullptr) {
    departure_ = std::make_unique<Departure>(environment_.disconnect_grace);
  }
  return *departure_;
}

bool ClientConnection::takes_answers() const {
  return departure_ == nullptr || (departure_->takes_answers() && !departure_->has_left());
}

// What it had sent is executed all the same: TiDB does not look at its answers' fate either.
void ClientConnection::refuse_answers(const Error& error) {
  log::debug("client takes no more answers", {{"session", session_}, {"error", error.message}});
  departure().refuse_answers();
  events_.on_answers_refused();
}

void ClientConnection::watch_stall() {
  if (environment_.client_stall_timeout <= Duration::zero()) return;
  if (stall_timer_ == nullptr) stall_timer_ = std::make_unique<net::Timer>(environment_.loop);
  stalled_bytes_ = channel_.stream().untaken_bytes();
  stall_timer_->start(environment_.client_stall_timeout, [this] { on_stall(); });
}

void ClientConnection::stop_stall_watch() {
  if (stall_timer_ != nullptr) stall_timer_->stop();
}

void ClientConnection::on_stall() {
  if (!is_full() && !sends_file_) return;
  if (is_full() && channel_.stream().untaken_bytes() < stalled_bytes_) return watch_stall();
  events_.on_client_stalled();
}

std::unique_ptr<CommandRoom> ClientConnection::make_room() {
  if (environment_.command_memory == nullptr) return nullptr;
  RoomSink& sink = *this;
  return std::make_unique<CommandRoom>(*environment_.command_memory, environment_.loop, sink);
}

// Requires that memory is limited.
CommandRoom& ClientConnection::room() {
  if (room_ == nullptr) room_ = make_room();
  return *room_;
}

void ClientConnection::hold_received(bool waits_for_others) {
  const std::size_t bytes = channel_.receiving_bytes();
  if (environment_.command_memory == nullptr || channel_.is_held_up()) return;
  if (bytes <= CommandMemory::kFreeBytes) {
    room_.reset();
    return stream().resume(net::PauseReason::kOverload);
  }
  const std::size_t next = 2 * environment_.loop.scratch().size();
  const bool has_room = waits_for_others ? room().try_hold(bytes) : room().receive(bytes + next);
  if (has_room) {
    stream().resume(net::PauseReason::kOverload);
  } else {
    stream().pause(net::PauseReason::kOverload);
  }
}

bool ClientConnection::may_unpack(std::size_t bytes) {
  if (bytes <= CommandMemory::kFreeBytes || environment_.command_memory == nullptr) return true;
  if (room().receive(bytes)) return true;
  stream().pause(net::PauseReason::kOverload);
  return false;
}

// The memory is for itself and for what of it is on its way to the backend.
std::string ClientConnection::take_large(const protocol::Packet& packet) {
  std::string payload = channel_.take_payload(packet);
  if (environment_.command_memory == nullptr) return payload;
  room().set_whole(2 * payload.size());
  stream().resume(net::PauseReason::kOverload);
  return payload;
}

}  // namespace tidepool::session
