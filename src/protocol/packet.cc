#include "tidepool/protocol/packet.h"

#include <algorithm>
#include <cstring>

#include "release.h"
#include "tidepool/base/secret.h"
#include "tidepool/protocol/codec.h"

namespace tidepool::protocol {
namespace {

constexpr std::uint16_t kErrPacketTooLarge = 1153;     // ER_NET_PACKET_TOO_LARGE
constexpr std::uint16_t kErrPacketsOutOfOrder = 1156;  // ER_NET_PACKETS_OUT_OF_ORDER
constexpr const char* kNetworkSqlstate = "08S01";

std::size_t length_in(std::string_view header) {
  return Reader(header).u24();
}

std::uint8_t sequence_in(std::string_view header) {
  return static_cast<std::uint8_t>(header[3]);
}

tl::unexpected<Error> broken(std::uint16_t number, std::string message) {
  return tl::unexpected<Error>(
      Error{Code::kProtocol, std::move(message), number, kNetworkSqlstate});
}

}  // namespace

void append_packet(std::string& out, std::uint8_t& sequence, std::string_view payload) {
  const std::size_t packets = payload.size() / kMaxPayloadBytes + 1;
  out.reserve(out.size() + payload.size() + packets * kHeaderBytes);
  bool full = true;
  while (full) {
    const std::string_view part = payload.substr(0, kMaxPayloadBytes);
    Writer(out).u24(static_cast<std::uint32_t>(part.size())).u8(sequence++).bytes(part);
    payload.remove_prefix(part.size());
    full = part.size() == kMaxPayloadBytes;
  }
}

Result<std::optional<Packet>> PacketAssembler::next(std::string_view& chunk) {
  if (failed_) return fail(Code::kProtocol, "the packet stream is out of step");
  release_delivered();
  if (buffer_.empty()) {
    if (chunk.size() >= kHeaderBytes) {
      if (auto good = check_header(chunk, expected_, 0); !good) {
        return tl::unexpected(good.error());
      }
    }
    if (auto packet = take_whole(chunk)) return packet;
  }
  auto whole = gather(chunk);
  if (!whole) return tl::unexpected(whole.error());
  if (!*whole) return std::nullopt;
  return deliver();
}

// A packet of one frame that lies whole in the chunk needs no copy. Its header has been checked.
std::optional<Packet> PacketAssembler::take_whole(std::string_view& chunk) {
  if (chunk.size() < kHeaderBytes) return std::nullopt;
  const std::size_t length = length_in(chunk);
  if (length == kMaxPayloadBytes || chunk.size() < kHeaderBytes + length) return std::nullopt;
  Packet packet;
  packet.frame = chunk.substr(0, kHeaderBytes + length);
  packet.payload = packet.frame.substr(kHeaderBytes);
  packet.next_sequence = static_cast<std::uint8_t>(sequence_in(chunk) + 1);
  chunk.remove_prefix(packet.frame.size());
  expected_ = 0;
  return packet;
}

void PacketAssembler::release_delivered() {
  if (!delivered_) return;
  release(buffer_);
  frame_at_ = 0;
  delivered_ = false;
}

// As append() would by itself, but never more than the frame needs: of a packet that is half
// received as much is kept as has come, and not twice as much as will.
void PacketAssembler::make_room(std::size_t bytes, std::size_t of_frame) {
  const std::size_t needed = buffer_.size() + bytes;
  if (needed <= buffer_.capacity()) return;
  std::string larger;
  larger.reserve(std::max(needed, std::min(2 * buffer_.capacity(), frame_at_ + of_frame)));
  larger.append(buffer_);
  buffer_.swap(larger);
  if (is_secret_) wipe(larger);
}

// Moves bytes into the buffer; true once the packet's last frame is whole. Takes no byte beyond it.
Result<bool> PacketAssembler::gather(std::string_view& chunk) {
  while (!chunk.empty()) {
    const std::size_t have = buffer_.size() - frame_at_;
    std::size_t want = kHeaderBytes;
    if (have >= kHeaderBytes) {
      want += length_in(std::string_view(buffer_).substr(frame_at_, kHeaderBytes));
    }
    const std::size_t taken = std::min(want - have, chunk.size());
    make_room(taken, want);
    buffer_.append(chunk.substr(0, taken));
    chunk.remove_prefix(taken);
    if (have + taken < want) continue;

    const std::string_view header = std::string_view(buffer_).substr(frame_at_, kHeaderBytes);
    const std::size_t length = length_in(header);
    if (have < kHeaderBytes) {  // the header has just become whole
      const std::size_t frames = frame_at_ / (kHeaderBytes + kMaxPayloadBytes);
      const auto expected = static_cast<std::uint8_t>(expected_ + frames);
      if (auto good = check_header(header, expected, frames * kMaxPayloadBytes); !good) {
        return tl::unexpected(good.error());
      }
      if (length > 0) continue;
    }
    if (length < kMaxPayloadBytes) return true;
    frame_at_ = buffer_.size();
  }
  return false;
}

// `before`: payload bytes of the packet's earlier frames.
Result<void> PacketAssembler::check_header(std::string_view header, std::uint8_t expected,
                                           std::size_t before) {
  if (check_sequence_ && sequence_in(header) != expected) {
    failed_ = true;
    return broken(kErrPacketsOutOfOrder, "Got packets out of order");
  }
  if (before + length_in(header) > max_bytes_) {
    failed_ = true;
    expected_ = static_cast<std::uint8_t>(sequence_in(header) + 1);
    return broken(kErrPacketTooLarge, "Got a packet bigger than 'max_allowed_packet' bytes");
  }
  return {};
}

Packet PacketAssembler::deliver() {
  delivered_ = true;
  expected_ = 0;
  Packet packet;
  packet.next_sequence =
      static_cast<std::uint8_t>(sequence_in(std::string_view(buffer_).substr(frame_at_)) + 1);
  if (frame_at_ == 0) {
    packet.frame = buffer_;
    packet.payload = packet.frame.substr(kHeaderBytes);
    return packet;
  }
  join();
  packet.payload = buffer_;
  return packet;
}

// Without a second buffer, which would be as large.
void PacketAssembler::join() {
  std::size_t size = 0;
  for (std::size_t at = 0; at < buffer_.size(); at += kHeaderBytes + kMaxPayloadBytes) {
    const std::size_t from = at + kHeaderBytes;
    const std::size_t length = std::min(kMaxPayloadBytes, buffer_.size() - from);
    std::memmove(buffer_.data() + size, buffer_.data() + from, length);
    size += length;
  }
  buffer_.resize(size);
}

std::string PacketAssembler::take_delivered() {
  std::string payload;
  if (!delivered_) return payload;
  if (frame_at_ == 0) buffer_.erase(0, kHeaderBytes);
  payload.swap(buffer_);
  release_delivered();
  return payload;
}

std::uint8_t PacketAssembler::refusal_sequence() const {
  if (failed_) return expected_;
  const std::size_t frames = frame_at_ / (kHeaderBytes + kMaxPayloadBytes);
  const bool has_next = frames == 0 || buffer_.size() - frame_at_ >= kHeaderBytes;
  return static_cast<std::uint8_t>(expected_ + frames + (has_next ? 1 : 0));
}

}  // namespace tidepool::protocol
