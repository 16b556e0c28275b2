// ClientConnection: the client's end of a session: its packets, what it still takes of its answers,
// whether it leaves or stalls, and the memory of a large command while it is received.
//
// Owned by the session; on its loop's thread. Whom it tells, a ClientEvents, outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tidepool/net/timer.h"
#include "tidepool/session/client_channel.h"
#include "tidepool/session/command_room.h"
#include "tidepool/session/departure.h"
#include "tidepool/session/environment.h"

namespace tidepool::session {

class ClientEvents {
 public:
  ClientEvents() = default;
  ClientEvents(const ClientEvents&) = delete;
  ClientEvents& operator=(const ClientEvents&) = delete;
  virtual ~ClientEvents() = default;

  // So much is queued for it that no more should be sent before on_drained().
  virtual void on_client_full() = 0;
  // Its answers are thrown away from now on.
  virtual void on_answers_refused() = 0;
  // It has kept its answer, or its file, waiting for client_stall_timeout.
  virtual void on_client_stalled() = 0;
  // There is memory for more of its command.
  virtual void on_room() = 0;
  // There is none, and its connection is to end.
  virtual void on_no_room(CommandRefusal why) = 0;
};

class ClientConnection final : RoomSink {
 public:
  // With more than this queued for one side, the other side is not read.
  static constexpr std::size_t kHighWatermark = std::size_t{256} << 10U;

  ClientConnection(Environment& environment, std::uint32_t session, net::UniqueFd fd,
                   net::StreamSink* sink, ClientEvents& events);

  ClientChannel& channel() { return channel_; }
  net::Stream& stream() { return channel_.stream(); }
  bool is_full() const { return channel_.queued_bytes() > kHighWatermark; }
  // What goes over it counts here from now on.
  void count_in(Traffic& traffic) { traffic_ = &traffic; }
  void count_received(std::size_t bytes);
  // Those of its login tell which error numbers it understands.
  void set_attributes(protocol::Attributes attributes) { attributes_ = std::move(attributes); }

  // None of these ends the session: a client that takes no more may have sent something before.
  void send(std::string_view bytes);
  void send_error(const Error& error, std::uint8_t sequence);
  // In answer to its command.
  void answer_error(const Error& error) { send_error(error, answer_sequence_); }
  std::uint8_t answer_sequence() const { return answer_sequence_; }
  void set_answer_sequence(std::uint8_t sequence) { answer_sequence_ = sequence; }

  // From begin_file() to end_file() its packets are its file (LOAD DATA LOCAL), the first with this
  // number.
  void begin_file(std::uint8_t sequence);
  void end_file() {
    if (!std::exchange(sends_file_, false)) return;
    channel_.continue_command(false);
    channel_.expect_sequence(0);  // the next packet begins a command
  }
  bool sends_file() const { return sends_file_; }

  // Made when it first shows a sign of leaving.
  Departure& departure();
  bool has_killed() const { return departure_ != nullptr && departure_->has_killed(); }
  // Nothing more comes from it.
  bool has_ended() const { return departure_ != nullptr && departure_->has_ended(); }
  // It is sent away.
  bool has_left() const { return departure_ != nullptr && departure_->has_left(); }
  // No more of it is to be executed: it has left, or all that it sent is done.
  bool is_departed() const { return has_left() || (has_ended() && channel_.is_empty()); }
  void refuse_answers(const Error& error);

  // It has the next step: to take its answer, or to send its file.
  void watch_stall();
  void stop_stall_watch();

  // Before more is read: asks for the memory of what has come of a command, and of what the next
  // read brings of it. `waits_for_others`: no more of it is needed for now.
  void hold_received(bool waits_for_others);
  // A large command is being received.
  bool is_receiving() const { return room_ != nullptr; }
  // Whether the next compressed packet may be unpacked; with it what has come takes so many bytes.
  bool may_unpack(std::size_t bytes);
  // The whole command, whose memory is handed over by take_room().
  std::string take_large(const protocol::Packet& packet);
  std::unique_ptr<CommandRoom> take_room() { return std::move(room_); }
  // Null: memory is not limited.
  std::unique_ptr<CommandRoom> make_room();

 private:
  void on_room() override { events_.on_room(); }
  void on_refused(CommandRefusal why) override { events_.on_no_room(why); }
  CommandRoom& room();
  bool takes_answers() const;
  void on_stall();

  Environment& environment_;
  const std::uint32_t session_;  // for logs
  ClientEvents& events_;
  ClientChannel channel_;
  Traffic* traffic_ = nullptr;  // null before the login
  protocol::Attributes attributes_;
  std::uint8_t answer_sequence_ = 1;
  bool sends_file_ = false;
  std::unique_ptr<Departure> departure_;  // null while it shows no sign of leaving
  std::unique_ptr<CommandRoom> room_;     // of the command that is being received, if it is large
  std::unique_ptr<net::Timer> stall_timer_;  // set while it keeps a command waiting
  std::size_t stalled_bytes_ = 0;            // that it had not taken then
};

}  // namespace tidepool::session
