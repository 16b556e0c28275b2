#include "tidepool/protocol/compression.h"

#include <algorithm>

#include <zlib.h>
#include <zstd.h>

#include "release.h"
#include "tidepool/base/check.h"
#include "tidepool/protocol/capabilities.h"
#include "tidepool/protocol/codec.h"
#include "tidepool/protocol/packet.h"

namespace tidepool::protocol {
namespace {

// Output grows by this much at a time, so that a lying header costs nothing.
constexpr std::size_t kStepBytes = std::size_t{64} << 10U;

// A Compressor keeps no larger buffer than this between calls.
constexpr std::size_t kMaxKeptBytes = std::size_t{1} << 20U;

struct CompressedHeader {
  std::size_t packed = 0;
  std::uint8_t sequence = 0;
  std::size_t plain = 0;
};

CompressedHeader parse_header(std::string_view bytes) {
  Reader reader(bytes);
  CompressedHeader header;
  header.packed = reader.u24();
  header.sequence = reader.u8();
  header.plain = reader.u24();
  return header;
}

tl::unexpected<Error> corrupt() {
  return tl::unexpected<Error>(
      Error{Code::kProtocol, "Couldn't uncompress communication packet", 1157, "08S01"});
}

// zlib reads through a pointer to non-const that it does not write through.
Bytef* as_input(std::string_view bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
}

// Makes room for one more step of `total` bytes of output; false when all the room has been given.
bool grow(std::string& out, std::size_t total) {
  if (out.size() >= total) return false;
  out.resize(std::min(total, out.size() + kStepBytes));
  return true;
}

// Whether `packed` is one zlib stream of exactly `total` bytes, which then are in `out`.
bool inflate_exactly(std::string_view packed, std::size_t total, std::string& out) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return false;
  stream.next_in = as_input(packed);
  stream.avail_in = static_cast<uInt>(packed.size());
  int state = Z_OK;
  std::size_t made = 0;
  while (state == Z_OK && grow(out, total)) {
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + made);
    stream.avail_out = static_cast<uInt>(out.size() - made);
    state = inflate(&stream, Z_NO_FLUSH);
    made = out.size() - stream.avail_out;
    if (stream.avail_out > 0) break;
  }
  if (state == Z_OK && made == total) {  // all bytes are out, the checksum is still to be read
    Bytef surplus = 0;
    stream.next_out = &surplus;
    stream.avail_out = 1;
    state = inflate(&stream, Z_FINISH);
    if (stream.avail_out == 0) state = Z_DATA_ERROR;
  }
  const bool all_read = stream.avail_in == 0;
  inflateEnd(&stream);
  return state == Z_STREAM_END && made == total && all_read;
}

bool unzstd_exactly(std::string_view packed, std::size_t total, std::string& out) {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ZSTD_inBuffer input{packed.data(), packed.size(), 0};
  std::size_t made = 0;
  std::size_t hint = 1;
  while (!ZSTD_isError(hint) && hint != 0 && grow(out, total)) {
    ZSTD_outBuffer output{out.data(), out.size(), made};
    hint = ZSTD_decompressStream(context, &output, &input);
    made = output.pos;
    if (made < out.size()) break;
  }
  if (!ZSTD_isError(hint) && hint != 0 &&
      made == total) {  // what ends the frame is still to be read
    char surplus = 0;
    ZSTD_outBuffer output{&surplus, 1, 0};
    hint = ZSTD_decompressStream(context, &output, &input);
    if (output.pos > 0) hint = 1;
  }
  ZSTD_freeDCtx(context);
  return hint == 0 && made == total && input.pos == input.size;
}

}  // namespace

std::optional<CompressionAlgorithm> negotiated_compression(std::uint32_t client_capabilities,
                                                           std::uint32_t offered_capabilities) {
  const std::uint32_t both = client_capabilities & offered_capabilities;
  if ((both & capability::kCompress) != 0) return CompressionAlgorithm::kZlib;
  if ((both & capability::kZstd) != 0) return CompressionAlgorithm::kZstd;
  return std::nullopt;
}

Result<std::optional<std::string_view>> Decompressor::next(std::string_view& chunk) {
  if (failed_) return corrupt();
  release_delivered();
  if (buffer_.empty() &&
      chunk.size() >= kCompressedHeaderBytes) {  // mostly the packet is whole: no copy
    const CompressedHeader header = parse_header(chunk);
    const std::string_view packet = chunk.substr(0, kCompressedHeaderBytes + header.packed);
    if (header.sequence != sequence_) return out_of_order();
    if (packet.size() == kCompressedHeaderBytes + header.packed) {
      chunk.remove_prefix(packet.size());
      return unpack(packet);
    }
  }
  while (!chunk.empty()) {
    std::size_t want = kCompressedHeaderBytes;
    if (buffer_.size() >= want) want += parse_header(buffer_).packed;
    const std::size_t taken = std::min(want - buffer_.size(), chunk.size());
    buffer_.append(chunk.substr(0, taken));
    chunk.remove_prefix(taken);
    if (buffer_.size() < kCompressedHeaderBytes) break;
    const CompressedHeader header = parse_header(buffer_);
    if (header.sequence != sequence_) return out_of_order();
    if (buffer_.size() == kCompressedHeaderBytes + header.packed) return unpack(buffer_);
  }
  return std::nullopt;
}

void Decompressor::release_delivered() {
  if (!delivered_) return;
  release(buffer_);
  release(plain_);
  delivered_ = false;
}

std::size_t Decompressor::next_plain_bytes(std::string_view chunk) const {
  std::string head = delivered_ ? std::string() : buffer_.substr(0, kCompressedHeaderBytes);
  const std::size_t before = delivered_ ? 0 : buffer_.size();
  head += chunk.substr(0, kCompressedHeaderBytes - head.size());
  if (head.size() < kCompressedHeaderBytes) return 0;
  const CompressedHeader header = parse_header(head);
  return before + chunk.size() < kCompressedHeaderBytes + header.packed ? 0 : header.plain;
}

tl::unexpected<Error> Decompressor::out_of_order() {
  failed_ = true;
  return fail(Code::kProtocol, "compressed packets out of order");
}

Result<std::string_view> Decompressor::unpack(std::string_view packet) {
  const CompressedHeader header = parse_header(packet);
  const std::string_view body = packet.substr(kCompressedHeaderBytes);
  delivered_ = true;
  ++sequence_;
  if (header.plain == 0) return body;
  const bool good = algorithm_ == CompressionAlgorithm::kZlib
                        ? inflate_exactly(body, header.plain, plain_)
                        : unzstd_exactly(body, header.plain, plain_);
  if (good) return std::string_view(plain_);
  failed_ = true;
  return corrupt();
}

struct Compressor::Codec {
  struct FreeZstd {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  struct FreeZlib {
    void operator()(z_stream* stream) const {
      deflateEnd(stream);
      delete stream;
    }
  };
  std::unique_ptr<ZSTD_CCtx, FreeZstd> zstd;
  std::unique_ptr<z_stream, FreeZlib> zlib;
};

Compressor::Compressor(CompressionAlgorithm algorithm, int zstd_level)
    : algorithm_(algorithm),
      zstd_level_(std::clamp(zstd_level, 1, ZSTD_maxCLevel())),
      codec_(std::make_unique<Codec>()) {
  if (algorithm_ == CompressionAlgorithm::kZstd) {
    codec_->zstd.reset(ZSTD_createCCtx());
    return;
  }
  codec_->zlib.reset(new z_stream{});
  TIDEPOOL_CHECK(deflateInit(codec_->zlib.get(), Z_DEFAULT_COMPRESSION) == Z_OK);
}

Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

Result<void> Compressor::append(std::string& out, std::uint8_t& sequence, std::string_view plain) {
  while (!plain.empty()) {
    const std::string_view part = plain.substr(0, kMaxPayloadBytes);
    plain.remove_prefix(part.size());
    auto packed = pack(part);
    if (!packed) return tl::unexpected(packed.error());
    const std::string_view body = *packed ? std::string_view(packed_) : part;
    Writer writer(out);
    writer.u24(static_cast<std::uint32_t>(body.size())).u8(sequence++);
    writer.u24(*packed ? static_cast<std::uint32_t>(part.size()) : 0).bytes(body);
  }
  if (packed_.capacity() > kMaxKeptBytes) release(packed_);
  return {};
}

// Fills packed_; false if that does not make it smaller.
Result<bool> Compressor::pack(std::string_view plain) {
  if (plain.size() < kMinCompressBytes) return false;
  if (algorithm_ == CompressionAlgorithm::kZstd) {
    packed_.resize(ZSTD_compressBound(plain.size()));
    const std::size_t size = ZSTD_compressCCtx(codec_->zstd.get(), packed_.data(), packed_.size(),
                                               plain.data(), plain.size(), zstd_level_);
    if (ZSTD_isError(size) != 0) return fail(Code::kInternal, ZSTD_getErrorName(size));
    packed_.resize(size);
    return size < plain.size();
  }
  z_stream* stream = codec_->zlib.get();
  if (deflateReset(stream) != Z_OK) return fail(Code::kInternal, "zlib cannot start");
  packed_.resize(deflateBound(stream, plain.size()));
  stream->next_in = as_input(plain);
  stream->avail_in = static_cast<uInt>(plain.size());
  stream->next_out = reinterpret_cast<Bytef*>(packed_.data());
  stream->avail_out = static_cast<uInt>(packed_.size());
  if (deflate(stream, Z_FINISH) != Z_STREAM_END) return fail(Code::kInternal, "zlib cannot pack");
  packed_.resize(stream->total_out);
  return packed_.size() < plain.size();
}

}  // namespace tidepool::protocol
