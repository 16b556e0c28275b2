// A backend that answers anything at all: the end of the answer and what came of it do not depend
// on the pieces.
#include <string>

#include "fuzz_input.h"
#include "tidepool/base/check.h"
#include "tidepool/protocol/response_tracker.h"

using namespace tidepool::protocol;  // NOLINT(google-build-using-namespace)

namespace {

std::string follow(Command command, ResponseTracker::Context context, std::string_view bytes,
                   std::size_t piece) {
  ResponseTracker tracker;
  tracker.begin(command, context);
  std::size_t used = 0;
  while (!bytes.empty()) {
    const std::string_view chunk = tidepool::fuzz::take_piece(bytes, piece);
    const auto taken = tracker.feed(chunk);
    if (!taken) return "refused";
    TIDEPOOL_CHECK(*taken <= chunk.size());
    used += *taken;
    if (*taken < chunk.size() || tracker.wants_local_infile()) break;
  }
  TIDEPOOL_CHECK(bytes.empty() || tracker.complete() || tracker.wants_local_infile());
  const ResponseSummary& summary = tracker.summary();
  return std::to_string(used) + " " + std::to_string(tracker.complete()) + " " +
         std::to_string(summary.rows) + " " + std::to_string(summary.status) + " " +
         std::to_string(summary.results) + " " + summary.message + summary.info;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = tidepool::fuzz::as_view(data, size);
  const auto command = static_cast<Command>(tidepool::fuzz::take_byte(input) % 32);
  const std::uint8_t choice = tidepool::fuzz::take_byte(input);
  const ResponseTracker::Context context{.deprecate_eof = choice % 2 != 0,
                                         .may_request_file = choice % 4 >= 2};
  TIDEPOOL_CHECK(follow(command, context, input, choice / 2) ==
                 follow(command, context, input, size + 1));
  return 0;
}
