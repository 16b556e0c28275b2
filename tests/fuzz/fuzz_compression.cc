// Compressed input of any kind is refused or unpacked within its bounds; what we pack unpacks to
// the same.
#include <string>

#include "fuzz_input.h"
#include "tidepool/base/check.h"
#include "tidepool/protocol/compression.h"

using namespace tidepool::protocol;  // NOLINT(google-build-using-namespace)

namespace {

// False after an error.
bool unpack(CompressionAlgorithm algorithm, std::string_view bytes, std::size_t piece,
            std::string& plain) {
  Decompressor decompressor(algorithm);
  while (!bytes.empty()) {
    std::string_view chunk = tidepool::fuzz::take_piece(bytes, piece);
    while (true) {
      const auto part = decompressor.next(chunk);
      if (!part) return false;
      if (!*part) break;
      plain += **part;
    }
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = tidepool::fuzz::as_view(data, size);
  const std::uint8_t choice = tidepool::fuzz::take_byte(input);
  const auto algorithm = static_cast<CompressionAlgorithm>(choice % 2);
  const std::size_t piece = choice / 2;
  std::string whole;
  std::string pieces;
  const bool good = unpack(algorithm, input, size + 1, whole);
  TIDEPOOL_CHECK(good == unpack(algorithm, input, piece, pieces) && whole == pieces);

  Compressor compressor(algorithm);
  std::string packed;
  std::string back;
  std::uint8_t sequence = 0;
  TIDEPOOL_CHECK(compressor.append(packed, sequence, input).has_value());
  TIDEPOOL_CHECK(unpack(algorithm, packed, piece, back) && back == input);
  return 0;
}
