// Warnings that TiDB may word as it likes, put in the place of what a backend shows: what becomes
// of an answer does not depend on the pieces that it comes in, and where nothing is to be replaced
// it stays as it is.
#include <array>
#include <string>

#include "fuzz_input.h"
#include "tidepool/base/check.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/tracking/shown_warnings.h"

namespace tidepool::session {
namespace {

constexpr auto kTexts = std::to_array<std::string_view>({
    "SHOW WARNINGS",
    "SHOW ERRORS",
    "SHOW COUNT(*) WARNINGS",
    "SHOW WARNINGS; SHOW ERRORS; SELECT 1",
    "SHOW COUNT(*) ERRORS; SHOW WARNINGS LIMIT 1",
    "SELECT 1; SHOW WARNINGS",
});

std::string feed(tracking::ShownWarnings shown, std::string_view answer, std::size_t piece) {
  std::string out;
  while (!answer.empty())
    out += shown.feed(fuzz::take_piece(answer, piece));
  return out;
}

// How large the pieces are, the statements, how many warnings are shown, how much of the rest is
// the answer that holds the warnings; then that and the one to be changed.
void run(std::string_view input) {
  const std::size_t piece = fuzz::take_byte(input);
  const sql::Script script = sql::classify(kTexts[fuzz::take_byte(input) % kTexts.size()], {});
  const std::uint64_t shown = fuzz::take_byte(input);
  const std::uint64_t most = shown < 8 ? shown : tracking::kAllWarnings;
  const std::size_t size = fuzz::take_byte(input) * std::size_t{2};
  const auto warnings = protocol::parse_text_result(fuzz::take_piece(input, size));
  if (!warnings) return;
  const auto texts = tracking::texts_that_warn(*warnings);
  TIDEPOOL_CHECK(!texts || !texts->empty());
  const tracking::ShownWarnings changes(script, *warnings, most);
  const std::string at_once = feed(changes, input, input.size());
  TIDEPOOL_CHECK(feed(changes, input, piece) == at_once);
  if (changes.is_over()) TIDEPOOL_CHECK(at_once == input);
}

}  // namespace
}  // namespace tidepool::session

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tidepool::session::run(tidepool::fuzz::as_view(data, size));
  return 0;
}
