#include "tidepool/net/message_channel.h"

#include <array>
#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "loop_run.h"

namespace tidepool::net {
namespace {

using testing::run_until;

class MessageChannelTest : public ::testing::Test {
 protected:
  std::unique_ptr<MessageChannel> channel(UniqueFd fd) {
    return std::make_unique<MessageChannel>(
        loop, std::move(fd), [this](auto message) { heard.push_back(std::move(message)); },
        [this] { ++ends; });
  }

  Loop loop;
  std::pair<UniqueFd, UniqueFd> fds = MessageChannel::pair().value();
  std::vector<MessageChannel::Message> heard;
  int ends = 0;
  std::unique_ptr<MessageChannel> one = channel(std::move(fds.first));
};

TEST_F(MessageChannelTest, KeepsMessagesApart) {
  const auto two = channel(std::move(fds.second));
  EXPECT_TRUE(one->try_send("first"));
  EXPECT_TRUE(one->try_send("second"));
  EXPECT_TRUE(run_until(loop, [&] { return heard.size() == 2; }));
  EXPECT_EQ(heard[0].text, "first");
  EXPECT_EQ(heard[1].text, "second");
  EXPECT_TRUE(heard[0].descriptors.empty());
}

TEST_F(MessageChannelTest, CarriesDescriptorsThatAreNotInherited) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const UniqueFd reader(pipe[0]);
  const UniqueFd writer(pipe[1]);
  EXPECT_TRUE(one->try_send("take them", {writer.get(), reader.get()}));

  auto message = MessageChannel::receive(fds.second.get(), std::chrono::seconds(60));

  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->text, "take them");
  ASSERT_EQ(message->descriptors.size(), 2U);
  for (const UniqueFd& fd : message->descriptors)
    EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::write(message->descriptors[0].get(), "x", 1), 1);
  char got = 0;
  EXPECT_EQ(::read(reader.get(), &got, 1), 1);
}

TEST_F(MessageChannelTest, NoticesOnceThatTheOtherEndIsGone) {
  fds.second.reset();
  EXPECT_TRUE(run_until(loop, [&] { return ends > 0; }));
  EXPECT_FALSE(one->try_send("nobody is there"));
  EXPECT_TRUE(heard.empty());
  bool is_later = false;
  Timer later(loop);
  later.start(std::chrono::milliseconds(5), [&] { is_later = true; });
  EXPECT_TRUE(run_until(loop, [&] { return is_later; }));
  EXPECT_EQ(ends, 1);
}

TEST_F(MessageChannelTest, HearsWhatWasSaidBeforeTheEnd) {
  const auto two = channel(std::move(fds.second));
  EXPECT_TRUE(one->try_send("the last word"));
  one.reset();
  EXPECT_TRUE(run_until(loop, [&] { return ends == 1; }));
  ASSERT_EQ(heard.size(), 1U);
}

TEST_F(MessageChannelTest, WaitsWithABound) {
  const auto nothing = MessageChannel::receive(fds.second.get(), std::chrono::milliseconds(1));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Code::kTimeout);
  one.reset();
  const auto end = MessageChannel::receive(fds.second.get(), std::chrono::seconds(60));
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Code::kClosed);
}

TEST_F(MessageChannelTest, DoesNotWaitForOneThatDoesNotRead) {
  const std::string message(MessageChannel::kMaxBytes, 'x');
  int sent = 0;
  while (sent < 100'000 && one->try_send(message))
    ++sent;
  EXPECT_GT(sent, 0);
  EXPECT_LT(sent, 100'000);
}

TEST(MessageChannel, KnowsAnEndFromOtherDescriptors) {
  const auto fds = MessageChannel::pair().value();
  EXPECT_TRUE(MessageChannel::is_end(fds.first.get()));
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(MessageChannel::is_end(file.get()));
  EXPECT_FALSE(MessageChannel::is_end(-1));
}

}  // namespace
}  // namespace tidepool::net
