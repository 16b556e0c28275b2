#include "tidepool/session/client_channel.h"

#include <utility>

#include "tidepool/base/secret.h"

namespace tidepool::session {

ClientChannel::ClientChannel(net::Loop& loop, net::UniqueFd fd, net::StreamSink* sink)
    : stream_(net::Stream::own(loop, std::move(fd), sink)) {}

void ClientChannel::offer(std::string_view bytes) {
  if (offered_.empty()) {
    offered_ = bytes;
    return;
  }
  // What was kept ends where these begin.
  const std::size_t taken = kept_.bytes.size() - offered_.size();
  if (kept_.is_secret || is_secret_) kept_.make_room(bytes.size());
  kept_.bytes += bytes;
  offered_ = std::string_view(kept_.bytes).substr(taken);
}

Result<std::optional<protocol::Packet>> ClientChannel::next() {
  if (!compression_) return assembler_.next(offered_);
  for (;;) {
    if (!plain_.empty()) {
      auto packet = assembler_.next(plain_);
      if (!packet || packet->has_value()) return packet;
    }
    const Result<bool> more = unpack_more();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return std::nullopt;
  }
}

Result<bool> ClientChannel::unpack_more() {
  Compression& compression = *compression_;
  assembler_.release_delivered();
  if (gate_) {
    const std::size_t more = compression.decompressor.next_plain_bytes(offered_);
    is_held_up_ = more > 0 && !gate_(2 * (assembler_.half_received_bytes() + more));
    if (is_held_up_) return false;
  }
  if (!assembler_.is_inside_packet() && !inside_command_) {
    compression.decompressor.expect_sequence(0);
  } else if (inside_command_) {
    compression.decompressor.expect_sequence(compression.write_sequence);
  }
  auto plain = compression.decompressor.next(offered_);
  if (!plain) return tl::unexpected(plain.error());
  if (!plain->has_value()) return false;
  plain_ = **plain;
  compression.write_sequence = compression.decompressor.next_sequence();
  return true;
}

// What is kept already is copied again only when half of it is used up: of many commands that came
// at once, each leaves all those behind it.
void ClientChannel::keep_in(Kept& kept, std::string_view& rest) const {
  const std::string_view bytes = kept.bytes;
  const bool is_kept = !rest.empty() && rest.data() + rest.size() == bytes.data() + bytes.size();
  if (is_kept && rest.size() >= bytes.size() / 2) return;
  // Of what was secret, what is left may be too.
  const bool is_secret = !rest.empty() && (is_secret_ || (is_kept && kept.is_secret));
  kept.replace(std::string(rest));
  kept.is_secret = is_secret;
  rest = kept.bytes;
}

void ClientChannel::set_secret(bool is_secret) {
  is_secret_ = is_secret;
  assembler_.set_secret(is_secret);
  stream_->wipe_after_reading(is_secret);
  if (!is_secret) return;
  // What has come already may be a password too.
  kept_.is_secret = !kept_.bytes.empty();
  kept_plain_.is_secret = !kept_plain_.bytes.empty();
}

// For bytes that are secret: they leave no copy behind when they grow, and are copied as seldom as
// those of a string that grows by itself.
void ClientChannel::Kept::make_room(std::size_t more) {
  is_secret = true;
  const std::size_t needed = bytes.size() + more;
  if (needed <= bytes.capacity()) return;
  std::string longer;
  longer.reserve(2 * needed);
  replace(std::move(longer.append(bytes)));
}

void ClientChannel::Kept::replace(std::string others) {
  bytes.swap(others);  // an assignment might keep the old one's memory
  if (is_secret) wipe(others);
}

void ClientChannel::keep() {
  keep_in(kept_plain_, plain_);
  if (compression_) compression_->decompressor.release_delivered();
  keep_in(kept_, offered_);
  if (offered_.size() + plain_.size() > max_pending_bytes_) {
    stream_->pause(net::PauseReason::kBusy);
  } else {
    stream_->resume(net::PauseReason::kBusy);
  }
}

std::string ClientChannel::take_payload(const protocol::Packet& packet) {
  std::string payload = assembler_.take_delivered();
  if (payload.empty()) payload = packet.payload;
  if (compression_ && plain_.empty()) compression_->decompressor.release_delivered();
  return payload;
}

std::size_t ClientChannel::held_bytes() const {
  return assembler_.buffered_bytes() + kept_.bytes.size() + kept_plain_.bytes.size();
}

std::string ClientChannel::take_rest() {
  std::string rest(offered_);
  offered_ = {};
  return rest;
}

void ClientChannel::start_compression(protocol::CompressionAlgorithm algorithm, int zstd_level) {
  compression_ = std::make_unique<Compression>(algorithm, zstd_level);
  assembler_.ignore_sequence();
}

Result<void> ClientChannel::write(std::string_view bytes) {
  if (!compression_) return stream_->write(bytes);
  std::string packed;
  auto result = compression_->compressor.append(packed, compression_->write_sequence, bytes);
  if (!result) return result;
  return stream_->write(packed);
}

}  // namespace tidepool::session
