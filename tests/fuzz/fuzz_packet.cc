// Framing: the same packets come out whole and in pieces.
#include <string>

#include "fuzz_input.h"
#include "tidepool/base/check.h"
#include "tidepool/protocol/packet.h"

namespace {

std::string assemble(std::string_view bytes, std::size_t piece) {
  tidepool::protocol::PacketAssembler assembler(1000);
  std::string seen;
  while (!bytes.empty()) {
    std::string_view chunk = tidepool::fuzz::take_piece(bytes, piece);
    while (true) {
      const auto packet = assembler.next(chunk);
      if (!packet) return seen + "!" + packet.error().message;
      if (!*packet) break;
      TIDEPOOL_CHECK((*packet)->frame.ends_with((*packet)->payload));
      seen.append((*packet)->frame).push_back('|');
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = tidepool::fuzz::as_view(data, size);
  const std::size_t piece = tidepool::fuzz::take_byte(input);
  TIDEPOOL_CHECK(assemble(input, piece) == assemble(input, size + 1));
  return 0;
}
