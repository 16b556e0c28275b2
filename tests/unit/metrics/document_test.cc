#include "document.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidepool::metrics {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kPage = TIDEPOOL_SOURCE_DIR "/docs/metrics.md";

std::string page_in_source() {
  std::ifstream file(kPage);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Run with TIDEPOOL_UPDATE=1 to write the page anew after a change of a table.
TEST(MetricsDocument, PageHasTheTablesOfTheProgram) {
  const std::string wanted = with_tables(page_in_source());
  if (std::getenv("TIDEPOOL_UPDATE") != nullptr) std::ofstream(kPage) << wanted;
  EXPECT_EQ(page_in_source(), wanted)
      << "docs/metrics.md differs from the tables; run this test with TIDEPOOL_UPDATE=1";
}

TEST(MetricsDocument, TableTakesThePlaceOfWhatIsBetweenItsMarkers) {
  const std::string page = with_tables(
      "# Sessions\n\n<!-- families: sessions -->\nwhat was here\n<!-- end -->\nMore prose.\n");

  EXPECT_THAT(page, StartsWith("# Sessions\n\n<!-- families: sessions -->\n| Metric | Type |"));
  EXPECT_THAT(page, HasSubstr(" |\n<!-- end -->\nMore prose.\n"));
  EXPECT_THAT(page, testing::Not(HasSubstr("what was here")));
}

TEST(MetricsDocument, RowSaysNameTypeLabelsAndMeaning) {
  const std::string page = with_tables("");

  EXPECT_THAT(page,
              HasSubstr("\n| `tidepool_leases_total` | counter | `pool` | Leases granted |\n"));
  EXPECT_THAT(page, HasSubstr("\n| `tidepool_queries_total` | counter | `pool`, `command`, "
                              "`outcome` | Commands answered, by kind"));
  EXPECT_THAT(page, HasSubstr("\n| `tidepool_waiters_refused_total` | counter | `pool` | Sessions "
                              "that found the queue full. See `max_waiters` |\n"));
  EXPECT_THAT(page, HasSubstr("\n| `tidepool_workers` | gauge | – | Event loops |\n"));
  EXPECT_THAT(page,
              HasSubstr("\n| `tidepool_tidb_away` | gauge | `pool` | Deprecated: the old name "
                        "of tidepool_tidb_unavailable |\n"));
}

TEST(MetricsDocument, TableWithoutAPlaceComesLast) {
  const std::string page = with_tables("# Metrics\n<!-- families: pool -->\nno end\n");

  EXPECT_THAT(page, StartsWith("# Metrics\n<!-- families: pool -->\nno end\n\n<!-- families: "));
  EXPECT_THAT(page, HasSubstr("<!-- families: sessions -->\n| Metric |"));
  EXPECT_THAT(page, EndsWith(" |\n<!-- end -->\n"));
}

}  // namespace
}  // namespace tidepool::metrics
