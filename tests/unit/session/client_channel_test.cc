#include "tidepool/session/client_channel.h"

#include <sys/socket.h>

#include <gtest/gtest.h>

namespace tidepool::session {
namespace {

using protocol::CompressionAlgorithm;

std::string framed(std::string_view payload) {
  std::string bytes;
  std::uint8_t sequence = 0;
  protocol::append_packet(bytes, sequence, payload);
  return bytes;
}

class NoSink : public net::StreamSink {
 public:
  void on_readable() override {}
  void on_error(Error) override {}
};

class ClientChannelTest : public ::testing::Test {
 protected:
  ClientChannelTest() {
    std::array<int, 2> fds{};
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data());
    far_.reset(fds[1]);
    channel_ = std::make_unique<ClientChannel>(loop_, net::UniqueFd(fds[0]), &sink_);
  }

  // All packets that are whole, as text.
  std::vector<std::string> take() {
    std::vector<std::string> payloads;
    for (;;) {
      const auto packet = channel_->next();
      EXPECT_TRUE(packet.has_value());
      if (!packet || !packet->has_value()) return payloads;
      payloads.emplace_back((*packet)->payload);
    }
  }
  // As from a socket: the buffer is gone after the call.
  std::vector<std::string> feed(std::string bytes) {
    channel_->offer(bytes);
    std::vector<std::string> payloads = take();
    channel_->keep();
    std::fill(bytes.begin(), bytes.end(), '!');
    return payloads;
  }
  // Of a client that compresses: one compressed packet, numbered from 0.
  static std::string packed(std::string_view plain, CompressionAlgorithm algorithm) {
    protocol::Compressor compressor(algorithm);
    std::string out;
    std::uint8_t sequence = 0;
    EXPECT_TRUE(compressor.append(out, sequence, plain));
    return out;
  }
  std::string far_bytes() {
    std::string bytes(1 << 16, '\0');
    const ssize_t got = ::recv(far_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }

  net::Loop loop_;
  NoSink sink_;
  net::UniqueFd far_;
  std::unique_ptr<ClientChannel> channel_;
};

using Texts = std::vector<std::string>;

TEST_F(ClientChannelTest, AsksBeforeItUnpacksMuch) {
  channel_->start_compression(CompressionAlgorithm::kZlib, 3);
  std::vector<std::size_t> asked;
  bool may = false;
  channel_->set_gate([&](std::size_t bytes) {
    asked.push_back(bytes);
    return may;
  });
  const std::string command(1'000'000, 'x');
  EXPECT_EQ(feed(packed(framed(command), CompressionAlgorithm::kZlib)), Texts{});
  EXPECT_TRUE(channel_->is_held_up());
  EXPECT_FALSE(channel_->is_empty());
  EXPECT_LT(channel_->held_bytes(), 20'000U);
  ASSERT_FALSE(asked.empty());
  EXPECT_GE(asked.front(), 2 * command.size());

  may = true;
  EXPECT_EQ(take(), Texts{command});
  channel_->keep();
  EXPECT_FALSE(channel_->is_held_up());
  EXPECT_EQ(channel_->held_bytes(), 0U);
}

TEST_F(ClientChannelTest, GivesALargePayloadAwayWithoutACopy) {
  const std::string command(1'000'000, 'x');
  const std::string bytes = framed(command);
  channel_->offer(std::string_view(bytes).substr(0, 500'000));
  ASSERT_FALSE(channel_->next()->has_value());
  EXPECT_EQ(channel_->receiving_bytes(), 1'000'000U);
  channel_->keep();
  channel_->offer(std::string_view(bytes).substr(500'000));
  const auto packet = channel_->next();
  ASSERT_TRUE(packet && packet->has_value());

  const std::string taken = channel_->take_payload(**packet);

  EXPECT_TRUE(taken == command);
  EXPECT_EQ(channel_->held_bytes(), 0U);
  EXPECT_EQ(channel_->receiving_bytes(), 0U);
}

TEST_F(ClientChannelTest, CutsPacketsOutOfOneRead) {
  EXPECT_EQ(feed(framed("one") + framed("two")), (Texts{"one", "two"}));
}

TEST_F(ClientChannelTest, JoinsAPacketThatComesByteByByte) {
  const std::string bytes = framed("one") + framed("two");
  Texts all;
  for (const char byte : bytes) {
    for (std::string& text : feed(std::string(1, byte)))
      all.push_back(std::move(text));
  }
  EXPECT_EQ(all, (Texts{"one", "two"}));
}

TEST_F(ClientChannelTest, KeepsWhatIsNotYetTaken) {
  std::string bytes = framed("one") + framed("two") + framed("three");
  channel_->offer(bytes);
  const auto first = channel_->next();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->payload, "one");
  channel_->keep();
  bytes.assign(bytes.size(), '!');

  EXPECT_EQ(feed(framed("four")), (Texts{"two", "three", "four"}));
}

TEST_F(ClientChannelTest, PausesWhenMuchIsKeptAndResumesWhenItIsTaken) {
  const std::string bytes = framed(std::string(ClientChannel::kMaxPendingBytes + 1, 'x'));
  channel_->offer(bytes);
  channel_->keep();
  EXPECT_TRUE(channel_->stream().is_paused());

  EXPECT_EQ(take().size(), 1U);
  channel_->keep();
  EXPECT_FALSE(channel_->stream().is_paused());
}

TEST_F(ClientChannelTest, HandsOverTheRestForTls) {
  const std::string bytes = framed("login") + "client hello";
  channel_->offer(bytes);
  ASSERT_TRUE(channel_->next());

  EXPECT_EQ(channel_->take_rest(), "client hello");
  EXPECT_EQ(take(), Texts{});
}

TEST_F(ClientChannelTest, FailsOutOfSequence) {
  std::string bytes = framed("one");
  bytes[3] = 5;
  channel_->offer(bytes);
  EXPECT_FALSE(channel_->next());
}

TEST_F(ClientChannelTest, RefusesAPacketAboveTheMaximum) {
  channel_->set_max_packet_bytes(10);
  const std::string bytes = framed("eleven bytes");
  channel_->offer(bytes);
  const auto packet = channel_->next();
  ASSERT_FALSE(packet);
  EXPECT_EQ(packet.error().mysql_errno, 1153);
}

class CompressedChannelTest : public ClientChannelTest,
                              public ::testing::WithParamInterface<CompressionAlgorithm> {
 protected:
  void SetUp() override { channel_->start_compression(GetParam(), 3); }
};

INSTANTIATE_TEST_SUITE_P(Algorithms, CompressedChannelTest,
                         ::testing::Values(CompressionAlgorithm::kZlib,
                                           CompressionAlgorithm::kZstd));

TEST_P(CompressedChannelTest, UnpacksSmallAndLargeCommands) {
  const std::string large(100'000, 'x');
  EXPECT_EQ(feed(packed(framed("one"), GetParam())), Texts{"one"});
  EXPECT_EQ(feed(packed(framed(large), GetParam())), Texts{large});
}

TEST_P(CompressedChannelTest, UnpacksByteByByte) {
  const std::string bytes = packed(framed(std::string(1000, 'x')), GetParam());
  Texts all;
  for (const char byte : bytes) {
    for (std::string& text : feed(std::string(1, byte)))
      all.push_back(std::move(text));
  }
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0], std::string(1000, 'x'));
}

TEST_P(CompressedChannelTest, KeepsUnpackedPacketsThatAreNotYetTaken) {
  std::string bytes = packed(framed("one") + framed("two"), GetParam());
  channel_->offer(bytes);
  const auto first = channel_->next();
  ASSERT_TRUE(first && *first);
  channel_->keep();
  bytes.assign(bytes.size(), '!');

  EXPECT_EQ(feed(packed(framed("three"), GetParam())), (Texts{"two", "three"}));
}

TEST_P(CompressedChannelTest, WritesWhatAClientCanUnpack) {
  ASSERT_EQ(feed(packed(framed("question"), GetParam())), Texts{"question"});
  const std::string answer = framed(std::string(10'000, 'y'));

  ASSERT_TRUE(channel_->write(answer));

  const std::string bytes = far_bytes();
  EXPECT_LT(bytes.size(), 1000U);
  protocol::Decompressor decompressor(GetParam());
  decompressor.expect_sequence(1);
  std::string_view chunk = bytes;
  const auto plain = decompressor.next(chunk);
  ASSERT_TRUE(plain && *plain);
  EXPECT_EQ(**plain, answer);
}

TEST_P(CompressedChannelTest, FailsOnGarbage) {
  const std::string bytes = "GET / HTTP/1.1\r\n\r\n";
  channel_->offer(bytes);
  EXPECT_FALSE(channel_->next());
}

}  // namespace
}  // namespace tidepool::session
