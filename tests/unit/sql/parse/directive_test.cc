#include "tidepool/sql/parse/directive.h"

#include <gtest/gtest.h>

namespace tidepool::sql {
namespace {

TEST(Directive, ForbidsARetry) {
  for (const char* text : {
           "/* tidepool: retry=off */ SELECT 1",
           "SELECT 1 /* tidepool: retry=off */",
           "SELECT /*tidepool:retry=off*/ 1",
           "SELECT 1 /*\n tidepool: other=1, retry = off */",
           "/* tidepool: retry=on */ SELECT 1 /* tidepool: retry=off */",
           "SELECT '/* tidepool: retry=off */'",
       }) {
    EXPECT_TRUE(forbids_retry(text)) << text;
  }
}

TEST(Directive, SaysNothingOtherwise) {
  for (const char* text : {
           "",
           "SELECT 1",
           "tidepool: retry=off",
           "SELECT 1 -- tidepool: retry=off",
           "/* retry=off */ SELECT 1",
           "/* tidepool: retry=on */ SELECT 1",
           "/* tidepool: retry */ SELECT 1",
           "/* tidepool: retry= */ SELECT 1",
           "/* tidepool: retryoff=off */ SELECT 1",
           "/* tidepool: */ SELECT 'retry=off'",
           "/* not tidepool: retry=off */ SELECT 1",
           "*tidepool: retry=off",
       }) {
    EXPECT_FALSE(forbids_retry(text)) << text;
  }
}

}  // namespace
}  // namespace tidepool::sql
