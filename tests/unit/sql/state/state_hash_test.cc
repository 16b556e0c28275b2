// What the hash is good for: to choose a backend that is likely to be in the right state. The tests
// that are run with a constant hash leave this suite out.
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::sql {
namespace {

SessionState after(std::string_view text) {
  SessionState state;
  const Script script = classify(text, {});
  for (std::size_t at = 0; at < script.size(); ++at)
    state.apply(script[at].changes);
  return state;
}

TEST(StateHash, DiffersForStatesThatDiffer) {
  const std::vector<std::string_view> texts = {"",
                                               "SET autocommit=1",
                                               "SET NAMES utf8",
                                               "SET wait_timeout=5",
                                               "SET sql_mode='ansi_quotes'",
                                               "SET time_zone='UTC', wait_timeout=5",
                                               "SET wait_timeout=NOW()",
                                               "SET @a=1, @b='x'",
                                               "SET @a=1.0",
                                               "SET @a='1'",
                                               "SET @a=1",
                                               "SET @a=NOW()",
                                               "USE d",
                                               "SET ROLE NONE",
                                               "SET RESOURCE GROUP a",
                                               "SET RESOURCE GROUP b"};
  for (std::size_t left = 0; left < texts.size(); ++left)
    for (std::size_t right = 0; right < left; ++right)
      EXPECT_NE(after(texts[left]).hash(), after(texts[right]).hash())
          << texts[left] << " and " << texts[right];
}

TEST(StateHash, FollowsChangesThatAreNoStatements) {
  SessionState state;
  const std::uint64_t fresh = state.hash();
  state.apply(multi_statements(true));
  EXPECT_NE(state.hash(), fresh);
  state.apply(multi_statements(false));
  EXPECT_EQ(state.hash(), fresh);
  state.apply(init_database("d"));
  EXPECT_NE(state.hash(), fresh);
}

}  // namespace
}  // namespace tidepool::sql
