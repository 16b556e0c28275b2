// Any bytes ahead of a login, in any pieces: a PROXY header or an error, the same however it is
// cut, and nothing behind it is taken.
#include <algorithm>

#include "fuzz_input.h"
#include "tidepool/base/check.h"
#include "tidepool/protocol/proxy_header.h"

using tidepool::protocol::ProxyHeader;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = tidepool::fuzz::as_view(data, size);
  const std::size_t step = 1 + tidepool::fuzz::take_byte(input);
  ProxyHeader whole;
  const auto taken = whole.feed(input);
  ProxyHeader pieces;
  std::size_t read = 0;
  bool is_bad = false;
  while (!is_bad && !pieces.is_complete() && read < input.size()) {
    const std::size_t wanted = pieces.wanted();
    TIDEPOOL_CHECK(wanted > 0);
    const std::string_view piece = input.substr(read, std::min(step, wanted));
    const auto more = pieces.feed(piece);
    is_bad = !more;
    if (more) TIDEPOOL_CHECK(*more == piece.size());
    read += piece.size();
  }
  TIDEPOOL_CHECK(is_bad == !taken);
  if (!taken) return 0;
  TIDEPOOL_CHECK(*taken == read);
  TIDEPOOL_CHECK(whole.is_complete() == pieces.is_complete());
  TIDEPOOL_CHECK(whole.client() == pieces.client());
  TIDEPOOL_CHECK(whole.is_complete() == (whole.wanted() == 0));
  return 0;
}
