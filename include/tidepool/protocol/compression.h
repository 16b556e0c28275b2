// The compressed packet layer, below ordinary packets once the login's OK is out: 3 bytes of
// compressed length, 1 of sequence number, 3 of plain length (0: stored as is), data (MySQL manual
// "Compression"; TiDB pkg/server/internal/packetio.go).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tidepool/base/error.h"

namespace tidepool::protocol {

enum class CompressionAlgorithm : std::uint8_t { kZlib, kZstd };

// What a client and the announced capabilities agree on; zlib before zstd, as in TiDB. nullopt:
// none.
std::optional<CompressionAlgorithm> negotiated_compression(std::uint32_t client_capabilities,
                                                           std::uint32_t offered_capabilities);

inline constexpr std::size_t kCompressedHeaderBytes = 7;
// Below this, compression costs more than it saves (MySQL's MIN_COMPRESS_LENGTH).
inline constexpr std::size_t kMinCompressBytes = 50;
inline constexpr int kDefaultZstdLevel = 3;

// Unpacks a client's stream, one compressed packet a call, so that the caller decides how much is
// in memory: at most one packet of 16 MiB compressed and one of 16 MiB plain, and output is
// allocated only as it really appears. Nothing is held between packets.
class Decompressor {
 public:
  explicit Decompressor(CompressionAlgorithm algorithm) : algorithm_(algorithm) {}

  // Takes bytes from the front of `chunk` until a compressed packet is whole (its plain bytes,
  // valid until the next call and as long as the chunk's) or the chunk is empty (nullopt).
  // kProtocol if the data is corrupt, longer or shorter than its header says, or out of sequence;
  // then the stream must be closed.
  Result<std::optional<std::string_view>> next(std::string_view& chunk);

  // What the next call of next() would unpack, if a packet is whole with these bytes; else 0.
  [[nodiscard]] std::size_t next_plain_bytes(std::string_view chunk) const;
  // Gives back what it answered last needs, whose views end here.
  void release_delivered();
  [[nodiscard]] std::size_t held_bytes() const { return buffer_.size() + plain_.size(); }

  // 0 at each command; runs on inside one (LOCAL INFILE), shared with the Compressor's answers.
  void expect_sequence(std::uint8_t sequence) { sequence_ = sequence; }
  [[nodiscard]] std::uint8_t next_sequence() const { return sequence_; }

 private:
  Result<std::string_view> unpack(std::string_view packet);
  tl::unexpected<Error> out_of_order();

  CompressionAlgorithm algorithm_;
  std::uint8_t sequence_ = 0;
  bool failed_ = false;
  bool delivered_ = false;  // the caller has had what buffer_ and plain_ hold
  std::string buffer_;      // a packet half received
  std::string plain_;       // the packet being delivered
};

// Packs bytes for a client. Holds only a codec's working memory, so one serves all clients of a
// worker that agree on algorithm and level.
class Compressor {
 public:
  explicit Compressor(CompressionAlgorithm algorithm, int zstd_level = kDefaultZstdLevel);
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // Appends `plain` as compressed packets, the first with number `sequence`, and sets it to the
  // number of the packet to follow.
  Result<void> append(std::string& out, std::uint8_t& sequence, std::string_view plain);

 private:
  struct Codec;

  Result<bool> pack(std::string_view plain);

  CompressionAlgorithm algorithm_;
  int zstd_level_;
  std::string packed_;
  std::unique_ptr<Codec> codec_;
};

}  // namespace tidepool::protocol
