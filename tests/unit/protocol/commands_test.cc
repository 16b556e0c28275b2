#include "tidepool/protocol/commands.h"

#include <gtest/gtest.h>

namespace tidepool::protocol {
namespace {

TEST(Commands, HaveAWordForLogsAndLabels) {
  EXPECT_STREQ(to_string(Command::kSleep), "sleep");
  EXPECT_STREQ(to_string(Command::kQuery), "query");
  EXPECT_STREQ(to_string(Command::kPing), "ping");
  EXPECT_STREQ(to_string(Command::kChangeUser), "change_user");
  EXPECT_STREQ(to_string(Command::kStmtPrepare), "stmt_prepare");
  EXPECT_STREQ(to_string(Command::kStmtFetch), "stmt_fetch");
  EXPECT_STREQ(to_string(Command::kResetConnection), "reset_connection");
  EXPECT_STREQ(to_string(static_cast<Command>(200)), "unknown");
}

TEST(Commands, KnowWhichGetNoReply) {
  for (int id = 0; id < 256; ++id) {
    const bool silent = id == 1 || id == 24 || id == 25;
    EXPECT_EQ(has_no_reply(static_cast<Command>(id)), silent) << id;
  }
}

TEST(Commands, KnowWhoseAnswerMayGoOnBehindItsEnd) {
  for (const int id : {7, 8, 0, 5, 10, 13, 19, 30, 32, 200, 255})
    EXPECT_FALSE(has_certain_end(static_cast<Command>(id))) << id;
  for (const int id : {2, 3, 4, 9, 14, 22, 23, 24, 25, 26, 27, 28, 31})
    EXPECT_TRUE(has_certain_end(static_cast<Command>(id))) << id;
}

}  // namespace
}  // namespace tidepool::protocol
