// The client's side of a session: its stream, cut into packets, compressed or not.
//
// Owned by the session; on the loop's thread. An idle one owns no buffer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tidepool/base/error.h"
#include "tidepool/net/stream.h"
#include "tidepool/protocol/compression.h"
#include "tidepool/protocol/packet.h"

namespace tidepool::session {

class ClientChannel {
 public:
  // What the client sends ahead of its turn is kept up to this, then its socket is no longer read.
  static constexpr std::size_t kMaxPendingBytes = std::size_t{1} << 20U;

  ClientChannel(net::Loop& loop, net::UniqueFd fd, net::StreamSink* sink);

  net::Stream& stream() { return *stream_; }

  // Bytes as read from the socket, to be taken by next(); borrowed until keep().
  void offer(std::string_view bytes);
  // The next whole packet; nullopt: more bytes are needed. Its views last until the next call of
  // next() or offer().
  Result<std::optional<protocol::Packet>> next();
  // The caller's buffer ends here: copies what next() has not taken; pauses the reading when that
  // is much.
  void keep();
  // Nothing that was offered is left, not even a part of a packet's frames that wait for the rest.
  bool is_empty() const { return offered_.empty() && plain_.empty(); }
  // What of it is to become a command, or is one that waits for its turn; about twice what has come
  // of one that is half received, as it is copied when it grows.
  std::size_t receiving_bytes() const {
    const std::size_t packed = compression_ ? compression_->decompressor.held_bytes() : 0;
    return 2 * assembler_.half_received_bytes() + kept_.bytes.size() + kept_plain_.bytes.size() +
           packed;
  }
  // Of a client that compresses: next() asks before it unpacks, with what receiving_bytes() might
  // be then. False: it is held up, and answers nothing until it is asked again.
  void set_gate(std::function<bool(std::size_t bytes)> gate) { gate_ = std::move(gate); }
  bool is_held_up() const { return is_held_up_; }
  // The payload of the packet that next() answered last, whose views end here; as far as can be
  // without a copy.
  std::string take_payload(const protocol::Packet& packet);
  // What it keeps of what the client has sent.
  std::size_t held_bytes() const;
  // Gives back what the last packet needs, whose views end here.
  void release_packet() { assembler_.release_delivered(); }
  // Of what the client sends ahead of its turn; kMaxPendingBytes unless it is told otherwise.
  void set_max_pending_bytes(std::size_t bytes) { max_pending_bytes_ = bytes; }
  // Takes the bytes that were offered and not used, for the TLS handshake that begins in them.
  std::string take_rest();

  void expect_sequence(std::uint8_t sequence) { assembler_.expect_sequence(sequence); }
  std::uint8_t refusal_sequence() const { return assembler_.refusal_sequence(); }
  // What the client sends may be a password: it is wiped where it was.
  void set_secret(bool is_secret);
  void set_max_packet_bytes(std::size_t bytes) { assembler_.set_max_bytes(bytes); }

  // True while the client's packets belong to a command under way (LOCAL INFILE): numbers go on
  // instead of starting anew.
  void continue_command(bool on) { inside_command_ = on; }

  // From the next byte on in both directions.
  void start_compression(protocol::CompressionAlgorithm algorithm, int zstd_level);

  // Whole packets or parts of them.
  Result<void> write(std::string_view bytes);
  std::size_t queued_bytes() const { return stream_->queued_bytes(); }

 private:
  struct Compression {
    Compression(protocol::CompressionAlgorithm algorithm, int zstd_level)
        : decompressor(algorithm), compressor(algorithm, zstd_level) {}
    protocol::Decompressor decompressor;
    protocol::Compressor compressor;
    std::uint8_t write_sequence = 0;
  };

  // What was read and is not used yet.
  struct Kept {
    Kept() = default;
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    ~Kept() { replace({}); }
    void replace(std::string bytes);  // wiped, if it was secret
    void make_room(std::size_t more);

    std::string bytes;
    bool is_secret = false;
  };

  void keep_in(Kept& kept, std::string_view& rest) const;
  Result<bool> unpack_more();

  std::unique_ptr<net::Stream> stream_;
  protocol::PacketAssembler assembler_;
  std::unique_ptr<Compression> compression_;
  bool inside_command_ = false;
  bool is_secret_ = false;
  std::function<bool(std::size_t bytes)> gate_;
  bool is_held_up_ = false;
  std::size_t max_pending_bytes_ = kMaxPendingBytes;
  // From the socket, not yet looked at; into the caller's buffer or kept_.
  std::string_view offered_;
  // Unpacked, not yet cut (compression only); into the decompressor or kept_plain_.
  std::string_view plain_;
  Kept kept_;
  Kept kept_plain_;
};

}  // namespace tidepool::session
