// An answer to COM_STMT_PREPARE that is remembered and given again differs from TiDB's in nothing
// but the statement's id and the status flags, and can be remembered once more.
#include <string>

#include "fuzz_input.h"
#include "tidepool/base/check.h"
#include "tidepool/protocol/codec.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/session/prepare_answer.h"

namespace tidepool::session {
namespace {

constexpr std::uint32_t kId = 0x01020304;
constexpr std::uint16_t kStatus = 0x0506;

void check(std::string_view packets) {
  const auto prepare = parse_prepare_answer(packets);
  if (!prepare) return;
  const std::string again = prepare_answer(*prepare, kId, kStatus);
  TIDEPOOL_CHECK(again.size() == packets.size());
  std::string expected(packets);
  std::string id;
  protocol::Writer(id).u32(kId);
  expected.replace(protocol::kHeaderBytes + 1, id.size(), id);
  std::string status;
  protocol::Writer(status).u16(kStatus);
  for (const std::size_t place : prepare->status_places)
    expected.replace(place, status.size(), status);
  TIDEPOOL_CHECK(again == expected);
  const auto same = parse_prepare_answer(again);
  TIDEPOOL_CHECK(same && same->packets == again && same->params == prepare->params &&
                 same->columns == prepare->columns && same->warnings == prepare->warnings &&
                 same->status_places == prepare->status_places);
}

}  // namespace
}  // namespace tidepool::session

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tidepool::session::check(tidepool::fuzz::as_view(data, size));
  return 0;
}
