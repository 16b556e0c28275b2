// Framing: 3 bytes of payload length, 1 byte of sequence number, payload. A payload of 0xffffff
// bytes continues in the next packet, and one that ends exactly there is closed by an empty packet
// (MySQL manual, "MySQL Packets").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tidepool/base/error.h"

namespace tidepool::protocol {

inline constexpr std::size_t kHeaderBytes = 4;
inline constexpr std::size_t kMaxPayloadBytes = 0xffffff;
// TiDB's default max_allowed_packet.
inline constexpr std::size_t kMaxPacketBytes = std::size_t{64} << 20U;
// Enough for every login with 64 KiB of connection attributes; an unknown peer may not make us hold
// more.
inline constexpr std::size_t kMaxLoginPacketBytes = std::size_t{80} << 10U;

// Appends `payload` framed, in as many packets as it takes. `sequence` is the number of the first
// packet, and is set to the number of the packet to follow.
void append_packet(std::string& out, std::uint8_t& sequence, std::string_view payload);

struct Packet {
  std::string_view payload;  // whole: packets of 16 MiB and more are joined
  std::string_view frame;    // the bytes as received, with the header; empty if they were joined
  std::uint8_t next_sequence = 0;  // of the packet after it, in either direction
};

// Cuts a client's byte stream into packets.
//
// Owned by a session; holds no memory while no packet is half received, and does not copy a packet
// that lies whole in the chunk it is fed. After an error the stream is out of step and must be
// closed: every further call fails too.
class PacketAssembler {
 public:
  explicit PacketAssembler(std::size_t max_bytes = kMaxPacketBytes) : max_bytes_(max_bytes) {}

  // Takes bytes from the front of `chunk` until a packet is whole or the chunk is empty (nullopt).
  // The packet's views are valid until the next call, and as long as the chunk's own bytes. Fails
  // with kProtocol on a sequence number that is not the expected one (mysql_errno 1156) or a
  // payload above the maximum (mysql_errno 1153).
  Result<std::optional<Packet>> next(std::string_view& chunk);

  // The sequence number that the next packet must start with: 0 (the default, and again after each
  // packet) for a command, Packet::next_sequence plus the packets sent since during a handshake or
  // LOCAL INFILE. To be set between packets.
  void expect_sequence(std::uint8_t sequence) { expected_ = sequence; }

  // For compressed clients, whose inner sequence numbers no server checks (MySQL's
  // sql-common/net_serv.cc).
  void ignore_sequence() { check_sequence_ = false; }

  // Returns the number of an answer that refuses a packet that is half received, or was above the
  // maximum.
  [[nodiscard]] std::uint8_t refusal_sequence() const;

  void set_max_bytes(std::size_t max_bytes) { max_bytes_ = max_bytes; }

  // The packets hold secrets: what is kept of one is wiped when it moves.
  void set_secret(bool is_secret) { is_secret_ = is_secret; }

  // Gives back what the packet that next() answered last needs, whose views end here.
  void release_delivered();

  // Takes the payload of the packet that next() answered last, if it was gathered here; its views
  // end. Empty: it lies in the chunk.
  std::string take_delivered();

  // What has come of a packet that is half received.
  [[nodiscard]] std::size_t half_received_bytes() const { return delivered_ ? 0 : buffer_.size(); }

  // Whether a packet is half received.
  [[nodiscard]] bool is_inside_packet() const { return !buffer_.empty() && !delivered_; }

  [[nodiscard]] std::size_t buffered_bytes() const {
    return buffer_.capacity() > 15 ? buffer_.capacity() : 0;
  }

 private:
  std::optional<Packet> take_whole(std::string_view& chunk);
  void make_room(std::size_t bytes, std::size_t of_frame);
  Result<bool> gather(std::string_view& chunk);
  Result<void> check_header(std::string_view header, std::uint8_t expected, std::size_t before);
  Packet deliver();
  void join();

  std::size_t max_bytes_;
  std::string buffer_;  // frames received so far of the packet under way; one of several frames is
                        // joined in its place
  std::size_t frame_at_ = 0;  // where in buffer_ the current frame's header begins
  std::uint8_t expected_ = 0;
  bool check_sequence_ = true;
  bool is_secret_ = false;
  bool delivered_ = false;  // buffer_ holds a packet that the caller has had
  bool failed_ = false;
};

}  // namespace tidepool::protocol
