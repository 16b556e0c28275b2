// Large commands of several clients at once, and the memory that they take together.
#include <algorithm>

#include "session_fixture.h"
#include "tidepool/protocol/packet.h"

namespace tidepool::testing {
namespace {

using session::CommandRefusal;
using ::testing::HasSubstr;

constexpr std::size_t kMega = std::size_t{1} << 20U;

class CommandMemoryTest : public SessionTest {
 protected:
  CommandMemoryTest() {
    config_.workers = 2;
    config_.command_memory = 4 * kMega;
  }
  static std::string query(std::size_t size) {
    std::string bytes;
    std::uint8_t sequence = 0;
    protocol::append_packet(bytes, sequence, "\x03SELECT '" + std::string(size, 'x') + "'");
    return bytes;
  }
  // All of it but for the last byte.
  static void send_half(RawClient& client, std::size_t size) {
    std::string bytes = query(size);
    bytes.pop_back();
    client.send_bytes(bytes);
  }
  static Reply end(RawClient& client) {
    client.send_bytes("'");
    return client.read_reply();
  }
  // What each client's socket takes; true when nothing is left.
  static bool send_more(std::vector<RawClient>& clients, std::vector<std::string>& left) {
    for (std::size_t i = 0; i < clients.size(); ++i)
      if (!left[i].empty()) left[i].erase(0, clients[i].send_some(left[i]));
    return std::all_of(left.begin(), left.end(), [](const auto& one) { return one.empty(); });
  }
  session::CommandStats& stats() { return proxy_->commands(); }
  bool takes_at_least(std::size_t bytes) {
    return eventually([&] { return stats().bytes.value() >= static_cast<std::int64_t>(bytes); });
  }
  bool waiting(std::int64_t count) {
    return eventually([&] { return stats().waiting.value() == count; });
  }
  bool takes_nothing() {
    return eventually([&] { return stats().bytes.value() == 0; });
  }
  std::uint64_t refused(CommandRefusal why) { return stats().refused[why].value(); }
};

TEST_F(CommandMemoryTest, IsNotTakenBySmallCommands) {
  start();
  RawClient client = this->client();
  send_half(client, 60'000);
  EXPECT_EQ(end(client).kind, Reply::Kind::kRows);
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_EQ(stats().bytes.value(), 0);
}

TEST_F(CommandMemoryTest, IsTakenUntilTheAnswerIsOut) {
  start();
  RawClient client = this->client();
  send_half(client, kMega);
  EXPECT_TRUE(takes_at_least(2 * kMega));

  EXPECT_EQ(end(client).kind, Reply::Kind::kRows);

  EXPECT_TRUE(takes_nothing());
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_EQ(client.prepare("SELECT '" + std::string(kMega, 'x') + "'").statement, 1U);
  EXPECT_EQ(client.execute(1).kind, Reply::Kind::kRows);
  EXPECT_TRUE(takes_nothing());
}

TEST_F(CommandMemoryTest, TheNextOneWaitsAndSmallOnesDoNot) {
  start();
  RawClient one = client();
  RawClient two = client();
  RawClient small = client();
  send_half(one, kMega);
  ASSERT_TRUE(takes_at_least(2 * kMega));
  two.send_some(query(kMega));  // the kernel's buffers may not take it all
  ASSERT_TRUE(waiting(1));

  EXPECT_EQ(small.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_EQ(end(one).kind, Reply::Kind::kRows);

  EXPECT_TRUE(waiting(0));
  EXPECT_GE(stats().waits.value(), 1U);
  EXPECT_EQ(refused(CommandRefusal::kStalled), 0U);
  two.close();
  EXPECT_TRUE(takes_nothing());
}

TEST_F(CommandMemoryTest, OneThatDoesNotGoOnIsRefusedWhenOthersWait) {
  start();
  RawClient silent = client();
  RawClient next = client();
  send_half(silent, 3 * kMega / 2);
  ASSERT_TRUE(takes_at_least(3 * kMega));

  next.send_bytes(query(kMega));
  EXPECT_EQ(next.read_reply().kind, Reply::Kind::kRows);

  const Reply reply = silent.read_reply();
  EXPECT_TRUE(reply.is_error(1153)) << describe(reply);
  EXPECT_THAT(reply.text, HasSubstr("command_memory"));
  EXPECT_EQ(refused(CommandRefusal::kStalled), 1U);
  EXPECT_TRUE(takes_nothing());
  EXPECT_TRUE(has_sessions(1));
}

TEST_F(CommandMemoryTest, OneThatIsTooLargeByItselfIsRefusedAtOnce) {
  start();
  RawClient large = client();
  large.send_some(query(8 * kMega));

  EXPECT_TRUE(large.read_reply().is_error(1153));

  EXPECT_EQ(refused(CommandRefusal::kTooLarge), 1U);
  EXPECT_TRUE(takes_nothing());
  expect_service();
}

TEST_F(CommandMemoryTest, WithoutALimitNobodyWaits) {
  config_.command_memory = 0;
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(client());
    send_half(clients.back(), 2 * kMega);
  }
  EXPECT_TRUE(takes_at_least(20 * kMega));
  for (RawClient& one : clients)
    EXPECT_EQ(end(one).kind, Reply::Kind::kRows);
  EXPECT_EQ(stats().waits.value(), 0U);
}

TEST_F(CommandMemoryTest, AClientThatGoesGivesItBack) {
  start();
  {
    RawClient one = client();
    RawClient two = client();
    send_half(one, kMega);
    ASSERT_TRUE(takes_at_least(2 * kMega));
    two.send_some(query(kMega));
    ASSERT_TRUE(waiting(1));
    one.close();
    EXPECT_TRUE(waiting(0));
  }
  EXPECT_TRUE(takes_nothing());
  EXPECT_TRUE(has_sessions(0));
}

TEST_F(CommandMemoryTest, FollowsAReload) {
  start();
  RawClient one = client();
  RawClient two = client();
  send_half(one, kMega);
  ASSERT_TRUE(takes_at_least(2 * kMega));
  two.send_some(query(kMega));
  ASSERT_TRUE(waiting(1));
  config_.command_memory = 512 * kMega;
  ASSERT_TRUE(proxy_->apply(config_));
  EXPECT_TRUE(waiting(0));
  EXPECT_EQ(end(one).kind, Reply::Kind::kRows);
}

TEST_F(CommandMemoryTest, CommandsOfSeveralPacketsComeWhole) {
  config_.command_memory = 256 * kMega;
  start();
  RawClient client = this->client();
  const std::size_t size = 33 * kMega;
  client.send_bytes(query(size));
  EXPECT_EQ(client.read_reply().kind, Reply::Kind::kRows);
  EXPECT_EQ(tidb_.commands().back().size(), size + std::string_view("SELECT ''").size());
  EXPECT_TRUE(tidb_.commands().back().ends_with("xxx'"));
  EXPECT_TRUE(takes_nothing());
}

// Each at a stage of its own: some wait, some are executed, all are answered.
TEST_F(CommandMemoryTest, ManyAtOnceAreAllAnswered) {
  constexpr std::size_t kClients = 8;
  pool().size = 2;
  start();
  std::vector<RawClient> clients;
  clients.reserve(kClients);
  while (clients.size() < kClients)
    clients.push_back(client());
  std::vector<std::string> left(kClients, query(kMega));

  EXPECT_TRUE(eventually([&] { return send_more(clients, left); }));
  for (RawClient& one : clients)
    EXPECT_EQ(one.read_reply().kind, Reply::Kind::kRows);

  EXPECT_GT(stats().waits.value(), 0U);
  EXPECT_TRUE(takes_nothing());
}

}  // namespace
}  // namespace tidepool::testing
