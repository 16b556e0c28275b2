// The words between two processes: each is read as it was written, and whatever is read is written
// so that it reads the same. Nobody keeps more backends than there are.
#include <string>

#include "fuzz_input.h"
#include "tidepool/base/check.h"
#include "tidepool/proxy/handover.h"

namespace tidepool::proxy {
namespace {

constexpr unsigned kKinds = 7;

void run(std::string_view input) {
  if (const auto word = decode(input)) TIDEPOOL_CHECK(decode(encode(*word)) == word);
  Word word{.kind = static_cast<Word::Kind>(fuzz::take_byte(input) % kKinds)};
  for (int i = 0; i < 8; ++i)
    word.number = word.number << 8U | fuzz::take_byte(input);
  word.name = input;
  TIDEPOOL_CHECK(decode(encode(word)) == word);
  const auto cap = static_cast<unsigned>(word.number);
  const PoolUsage usage{.sessions = static_cast<std::size_t>(word.number >> 16U),
                        .pinned = input.size()};
  TIDEPOOL_CHECK(kept_backends(cap, usage) <= offered_cap(cap) && offered_cap(cap) <= cap);
}

}  // namespace
}  // namespace tidepool::proxy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tidepool::proxy::run(tidepool::fuzz::as_view(data, size));
  return 0;
}
