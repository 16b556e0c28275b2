#include "tidepool/session/command_memory.h"

#include <deque>
#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidepool::session {
namespace {

using News = CommandShare::News;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Commands of at most 100, and memory for 250.
class CommandMemoryTest : public ::testing::Test {
 protected:
  struct Command {
    explicit Command(CommandMemory& memory)
        : share(std::make_unique<CommandShare>(memory, [this](News one) { news.push_back(one); })) {
    }
    std::vector<News> news;
    std::unique_ptr<CommandShare> share;
  };

  CommandMemoryTest() { memory_.set_limit(250); }

  Command& command() { return commands_.emplace_back(memory_); }
  Command& receiving(std::uint64_t bytes) {
    Command& made = command();
    EXPECT_TRUE(receive(made, bytes));
    return made;
  }
  bool receive(Command& command, std::uint64_t bytes) {
    return command.share->receive(bytes, now_);
  }
  std::uint64_t refused(CommandRefusal why) { return stats_.refused[why].value(); }

  CommandStats stats_;
  CommandMemory memory_{stats_, 100};
  TimePoint now_{std::chrono::hours(1)};
  std::deque<Command> commands_;
};

TEST_F(CommandMemoryTest, GivesWhatThereIs) {
  Command& one = receiving(100);
  Command& two = receiving(100);
  EXPECT_EQ(stats_.bytes.value(), 200);
  one.share.reset();
  EXPECT_EQ(stats_.bytes.value(), 100);
  EXPECT_TRUE(receive(two, 10)) << "less than before";
  EXPECT_EQ(stats_.bytes.value(), 10);
  EXPECT_EQ(stats_.waits.value(), 0U);
}

TEST_F(CommandMemoryTest, WithoutALimitNobodyWaits) {
  memory_.set_limit(0);
  receiving(100'000);
  receiving(100'000);
  EXPECT_EQ(stats_.bytes.value(), 200'000);
}

TEST_F(CommandMemoryTest, LetsTheNextOnesWaitInTheOrderInWhichTheyCame) {
  Command& first = receiving(100);
  Command& second = receiving(100);
  Command& third = command();
  Command& fourth = command();
  EXPECT_FALSE(receive(third, 90));
  EXPECT_FALSE(receive(fourth, 50)) << "there is room, but one waits that came before";
  EXPECT_EQ(stats_.waiting.value(), 2);
  EXPECT_EQ(stats_.waits.value(), 2U);

  first.share->set_whole(100);
  EXPECT_THAT(third.news, IsEmpty());
  first.share.reset();

  EXPECT_THAT(third.news, ElementsAre(News::kRoom));
  EXPECT_THAT(fourth.news, ElementsAre(News::kRoom));
  EXPECT_TRUE(receive(third, 90));
  EXPECT_EQ(stats_.waiting.value(), 0);
  EXPECT_EQ(stats_.bytes.value(), 240);
  second.share.reset();
}

TEST_F(CommandMemoryTest, LeavesTheOneThatCameFirstTheRoomForTheLargestCommand) {
  Command& first = receiving(10);
  Command& second = receiving(100);
  Command& third = receiving(50);
  EXPECT_FALSE(receive(third, 60)) << "of 250, 100 are for the first";
  EXPECT_TRUE(receive(first, 100));
  EXPECT_TRUE(receive(second, 100));
  first.share->set_whole(100);
  first.share.reset();
  EXPECT_THAT(third.news, ElementsAre(News::kRoom));
}

// However many there are, each comes to its end when its turn has come.
TEST_F(CommandMemoryTest, CommandsThatGrowTogetherAllEnd) {
  constexpr int kCommands = 10;
  std::vector<std::uint64_t> sizes(kCommands, 0);
  for (int i = 0; i < kCommands; ++i)
    command();
  int done = 0;
  std::uint64_t most = 0;
  for (int turn = 0; turn < 1000 && done < kCommands; ++turn) {
    for (int i = 0; i < kCommands; ++i) {
      Command& one = commands_[static_cast<std::size_t>(i)];
      std::uint64_t& size = sizes[static_cast<std::size_t>(i)];
      if (one.share == nullptr) continue;
      if (receive(one, size + 10)) size += 10;
      most = std::max(most, static_cast<std::uint64_t>(stats_.bytes.value()));
      if (size < 100) continue;
      one.share->set_whole(100);
      one.share.reset();
      ++done;
    }
  }
  EXPECT_EQ(done, kCommands);
  EXPECT_LE(most, 250U);
  EXPECT_EQ(refused(CommandRefusal::kLargest) + refused(CommandRefusal::kStalled), 0U);
  EXPECT_EQ(stats_.bytes.value(), 0);
}

TEST_F(CommandMemoryTest, RefusesOneThatIsTooLargeByItself) {
  memory_.set_limit(80);
  Command& one = receiving(80);
  EXPECT_FALSE(receive(one, 81));
  EXPECT_THAT(one.news, ElementsAre(News::kTooLarge));
  EXPECT_EQ(refused(CommandRefusal::kTooLarge), 1U);
  EXPECT_FALSE(receive(one, 10)) << "it has been refused";
  EXPECT_EQ(stats_.bytes.value(), 80) << "until its owner lets it go";
  Command& next = command();
  EXPECT_FALSE(receive(next, 50));
  one.share.reset();
  EXPECT_THAT(next.news, ElementsAre(News::kRoom));
}

TEST_F(CommandMemoryTest, RefusesThoseThatDoNotGoOnWhileOthersWait) {
  Command& silent = receiving(100);
  Command& slow = receiving(90);
  Command& waiting = command();
  EXPECT_FALSE(receive(waiting, 100));
  now_ += CommandMemory::kPatience / 2;
  waiting.share->complain(now_);
  EXPECT_THAT(silent.news, IsEmpty());
  EXPECT_TRUE(receive(slow, 95));
  now_ += CommandMemory::kPatience / 2;

  waiting.share->complain(now_);

  EXPECT_THAT(silent.news, ElementsAre(News::kStalled));
  EXPECT_THAT(slow.news, IsEmpty()) << "it goes on";
  silent.share.reset();
  EXPECT_THAT(waiting.news, ElementsAre(News::kRoom));
}

TEST_F(CommandMemoryTest, DoesNotTakeOneForSilentThatWaitedItself) {
  Command& first = receiving(100);
  Command& second = receiving(100);
  Command& third = command();
  EXPECT_FALSE(receive(third, 60));
  now_ += std::chrono::hours(1);
  EXPECT_TRUE(receive(second, 101));
  first.share->set_whole(100);
  first.share.reset();
  ASSERT_THAT(third.news, ElementsAre(News::kRoom));
  Command& fourth = command();
  EXPECT_FALSE(receive(fourth, 100));
  fourth.share->complain(now_);
  EXPECT_THAT(third.news, ElementsAre(News::kRoom)) << "it has not heard of it yet";
}

TEST_F(CommandMemoryTest, RefusesTheLargestIfNoneCanGoOn) {
  Command& small = receiving(60);
  Command& large = receiving(100);
  memory_.set_limit(120);
  EXPECT_FALSE(receive(small, 70));
  EXPECT_FALSE(receive(large, 110));

  small.share->complain(now_);

  EXPECT_THAT(large.news, ElementsAre(News::kLargest));
  EXPECT_EQ(refused(CommandRefusal::kLargest), 1U);
  large.share.reset();
  EXPECT_THAT(small.news, ElementsAre(News::kRoom));
}

TEST_F(CommandMemoryTest, WaitsForThoseThatAreWhole) {
  Command& whole = receiving(100);
  whole.share->set_whole(200);
  Command& waiting = command();
  EXPECT_FALSE(receive(waiting, 60));
  now_ += std::chrono::hours(1);
  waiting.share->complain(now_);
  EXPECT_THAT(whole.news, IsEmpty());
  EXPECT_THAT(waiting.news, IsEmpty());
  whole.share.reset();
  EXPECT_THAT(waiting.news, ElementsAre(News::kRoom));
}

TEST_F(CommandMemoryTest, WhatComesAheadOfItsTurnNeverWaits) {
  Command& one = receiving(100);
  Command& two = command();
  EXPECT_FALSE(two.share->try_hold(160));
  EXPECT_TRUE(two.share->try_hold(150));
  EXPECT_EQ(stats_.waiting.value(), 0);
  EXPECT_EQ(stats_.bytes.value(), 250);
  one.share.reset();
  EXPECT_THAT(two.news, IsEmpty());
}

TEST_F(CommandMemoryTest, AHigherLimitIsRoom) {
  receiving(100);
  Command& two = command();
  EXPECT_FALSE(receive(two, 200));
  memory_.set_limit(400);
  EXPECT_THAT(two.news, ElementsAre(News::kRoom));
}

TEST_F(CommandMemoryTest, OneThatGoesWhileItWaitsIsForgotten) {
  Command& one = receiving(100);
  Command& two = command();
  EXPECT_FALSE(receive(two, 200));
  two.share.reset();
  EXPECT_EQ(stats_.waiting.value(), 0);
  one.share.reset();
  EXPECT_THAT(two.news, IsEmpty());
  EXPECT_EQ(stats_.bytes.value(), 0);
}

}  // namespace
}  // namespace tidepool::session
