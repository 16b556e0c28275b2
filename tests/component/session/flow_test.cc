// Bytes in every size and pace: back-pressure, pipelined commands, commands in pieces, commands of
// several packets.
#include "certificates.h"
#include "session_fixture.h"
#include "tidepool/protocol/compression.h"
#include "tidepool/protocol/packet.h"

namespace tidepool::testing {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kMega = std::size_t{1} << 20U;

class FlowTest : public SessionTest {
 protected:
  // An answer of about this many bytes.
  void answer_with(const std::string& statement, std::size_t bytes) {
    const std::vector<std::vector<std::optional<std::string>>> rows(bytes / (32U << 10U),
                                                                    {std::string(32U << 10U, 'x')});
    large_ = text_result({"c"}, rows);
    tidb_.answer(statement, large_);
  }
  bool is_answered() const {
    const Words all = tidb_.commands();
    return !all.empty() && all.back() == "SELECT big";
  }
  std::string large_;
};

TEST_F(FlowTest, StopsReadingABackendWhoseClientDoesNotRead) {
  answer_with("SELECT big", 64 * kMega);
  start();
  RawClient client = this->client();
  client.set_receive_buffer(64 << 10);
  const std::size_t before = tidb_.server().bytes_sent();

  client.send("\x03SELECT big");

  // The writer stalls once the sockets' buffers and the proxy's queue are full.
  ASSERT_TRUE(eventually([&] { return tidb_.server().bytes_sent() > before; }));
  const std::size_t sent = settled([&] { return tidb_.server().bytes_sent(); }) - before;
  EXPECT_LT(sent, 24 * kMega) << "the rest waits in the backend";
  const Reply reply = client.read_reply();
  EXPECT_EQ(reply.kind, Reply::Kind::kRows);
  EXPECT_TRUE(reply.bytes == large_) << "every byte arrives, in order";
  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
}

TEST_F(FlowTest, AnswersTheNextClientAfterOneThatWasSlow) {
  answer_with("SELECT big", 8 * kMega);
  start();
  RawClient slow = client();
  RawClient next = client();
  slow.set_receive_buffer(16 << 10);

  for (int i = 0; i < 5; ++i) {
    slow.send("\x03SELECT big");
    EXPECT_TRUE(slow.read_reply().bytes == large_);
    EXPECT_EQ(next.query("SELECT 1").rows, Words{"0"});
  }
}

TEST_F(FlowTest, GivesTheBackendOnReadableWhenTheLastBytesStillWaitForASlowClient) {
  // Over a Unix socket, whose buffer does not grow: at one of these sizes the last bytes of the
  // answer are those that fill the queue.
  const TemporaryDirectory directory;
  config::Listener local;
  local.socket_path = directory.file("tidepool.sock");
  config_.listeners.push_back(local);
  start();
  RawClient::Options over_socket;
  over_socket.socket_path = local.socket_path;
  RawClient slow = client(over_socket);
  RawClient next = client();
  for (std::size_t kilobytes = 256; kilobytes <= 1024; kilobytes += 32) {
    answer_with("SELECT big", kilobytes << 10U);
    ASSERT_TRUE(is_idle());
    slow.send("\x03SELECT big");
    ASSERT_TRUE(eventually([&] { return proxy_->counts().leased == 1 || is_answered(); }));
    next.send("\x03SELECT 1");
    const bool is_busy = next.hears_nothing();  // the rest of the answer is still in the backend
    if (is_busy) {
      EXPECT_TRUE(slow.read_reply().bytes == large_);
    }
    ASSERT_EQ(next.read_reply().rows, Words{"0"}) << kilobytes;
    ASSERT_EQ(next.query("SELECT 2").rows, Words{"0"}) << "and once more, " << kilobytes;
    if (!is_busy) {
      EXPECT_TRUE(slow.read_reply().bytes == large_);
    }
  }
}

TEST_F(FlowTest, TakesCommandsThatComeBackToBackInTheirOrder) {
  start();
  RawClient client = this->client();
  std::string bytes;
  for (int i = 0; i < 50; ++i) {
    const std::string text = "\x03SELECT " + std::to_string(i);
    std::uint8_t sequence = 0;
    protocol::append_packet(bytes, sequence, text);
    sequence = 0;
    protocol::append_packet(bytes, sequence, "\x0e");
  }

  client.send_bytes(bytes);

  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.read_reply().rows, Words{"0"});
    EXPECT_TRUE(client.read_reply().is_ok());
  }
  EXPECT_EQ(tidb_.commands().size(), 50U);
  EXPECT_EQ(tidb_.commands()[49], "SELECT 49");
}

TEST_F(FlowTest, TakesCommandsByteByByte) {
  start();
  RawClient client = this->client();
  std::string bytes;
  std::uint8_t sequence = 0;
  protocol::append_packet(bytes, sequence, "\x03SELECT 1");
  sequence = 0;
  protocol::append_packet(bytes, sequence, "\x03SELECT 2");

  for (const char byte : bytes)
    client.send_bytes({&byte, 1});

  EXPECT_EQ(client.read_reply().rows, Words{"0"});
  EXPECT_EQ(client.read_reply().rows, Words{"0"});
  EXPECT_THAT(tidb_.commands(), ElementsAre("SELECT 1", "SELECT 2"));
}

TEST_F(FlowTest, DoesNotReadAheadWithoutEnd) {
  start();
  RawClient client = this->client();
  tidb_.hold("SELECT 'held'");
  client.send("\x03SELECT 'held'");
  ASSERT_TRUE(holds(1));
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    std::uint8_t sequence = 0;
    protocol::append_packet(bytes, sequence, "\x03SELECT '" + std::string(32U << 10U, 'x') + "'");
  }

  std::size_t taken = 0;
  const auto send_more = [&] {
    while (const std::size_t sent = client.send_some(std::string_view(bytes).substr(taken)))
      taken += sent;
    return taken;
  };
  settled(send_more);
  EXPECT_LT(taken, 16 * kMega) << "the rest waits in the client";
  tidb_.let_go();
  EXPECT_EQ(client.read_reply().kind, Reply::Kind::kRows);
}

TEST_F(FlowTest, TakesACommandOfMoreThanSixteenMegabytes) {
  start();
  RawClient client = this->client();
  const std::string text = "SELECT '" + std::string(17 * kMega, 'x') + "'";

  EXPECT_EQ(client.query(text).rows, Words{"0"});

  EXPECT_TRUE(tidb_.server().commands().back() == '\x03' + text);
  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
}

TEST_F(FlowTest, RelaysARowOfMoreThanSixteenMegabytes) {
  start();
  RawClient client = this->client();
  std::string answer = text_result({"c"}, {});
  const std::string last = answer.substr(answer.size() - 9);
  answer.resize(answer.size() - 9);
  std::uint8_t sequence = 4;
  std::string row("\xFD");
  const std::size_t size = 16 * kMega - 5 + 1000;
  for (int i = 0; i < 3; ++i)
    row += static_cast<char>((std::min(size, kMega * 16 - 1) >> (8 * i)) & 0xFF);
  row.append(size, 'x');
  protocol::append_packet(answer, sequence, row);
  answer += eof_packet(sequence);
  tidb_.answer("SELECT big", answer);

  const Reply reply = client.query("SELECT big");

  EXPECT_EQ(reply.kind, Reply::Kind::kRows);
  EXPECT_TRUE(reply.bytes == answer);
  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
}

TEST_F(FlowTest, RelaysSeveralResultsAsOneAnswer) {
  start();
  RawClient client = this->client();
  const std::string answer = text_result({"a"}, {{"1"}}, 2 | 8) + ok_packet(1, 2);
  std::string renumbered = answer;
  renumbered[renumbered.size() - 8] = '\x06';
  tidb_.answer("CALL p()", renumbered);

  EXPECT_EQ(client.query("CALL p()").rows, Words{"1"});
  EXPECT_TRUE(client.read_reply().is_ok());
  EXPECT_EQ(client.query("SELECT 1").rows, Words{"0"});
}

}  // namespace
}  // namespace tidepool::testing
