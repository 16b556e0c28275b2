#include "tidepool/net/stream.h"

#include <unistd.h>

#include <gtest/gtest.h>

#include "loop_run.h"
#include "stream_pair.h"

namespace tidepool::net {
namespace {

using testing::RecordingSink;
using testing::run_until;
using testing::SocketPair;

class StreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    stream_ = Stream::own(loop_, std::move(pair_.near), &sink_);
    sink_.stream = stream_.get();
  }
  void send(std::string_view text) {
    EXPECT_EQ(::write(pair_.far.get(), text.data(), text.size()), ssize_t(text.size()));
  }
  std::string receive_some() {
    std::string buffer(1 << 20, '\0');
    const ssize_t got = ::recv(pair_.far.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return buffer.substr(0, got < 0 ? 0 : static_cast<std::size_t>(got));
  }
  bool turn_over() {  // one turn of the loop, so that what could happen has happened
    bool over = false;
    loop_.post([&] { loop_.post([&] { loop_.post([&] { over = true; }); }); });
    return run_until(loop_, [&] { return over; });
  }

  Loop loop_;
  SocketPair pair_;
  RecordingSink sink_;
  std::unique_ptr<Stream> stream_;
};

TEST_F(StreamTest, ReadsAndSeesTheEnd) {
  send("hello");
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.received == "hello"; }));
  pair_.far.reset();
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.ended; }));
  const int calls = sink_.readable;
  EXPECT_TRUE(turn_over());
  EXPECT_EQ(sink_.readable, calls);  // the end is told once, and does not spin
}

TEST_F(StreamTest, CallsAgainWhileBytesAreLeft) {
  sink_.instead_of_reading = [&] { sink_.read_once(2); };
  send("abcdef");
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.received == "abcdef"; }));
}

TEST_F(StreamTest, IsPausedWhileThereIsAnyReason) {
  stream_->pause(PauseReason::kBusy);
  stream_->pause(PauseReason::kPeerFull);
  send("x");
  EXPECT_TRUE(turn_over());
  stream_->resume(PauseReason::kBusy);
  EXPECT_TRUE(turn_over());
  EXPECT_EQ(sink_.readable, 0);
  stream_->resume(PauseReason::kPeerFull);
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.received == "x"; }));
}

TEST_F(StreamTest, WaitsUntilSomebodyListens) {
  stream_->set_sink(nullptr);
  send("x");
  EXPECT_TRUE(turn_over());
  stream_->set_sink(&sink_);
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.received == "x"; }));
}

TEST_F(StreamTest, WritesAtOnceWhatTheSocketTakes) {
  EXPECT_TRUE(stream_->write("hello"));
  EXPECT_EQ(stream_->queued_bytes(), 0U);
  EXPECT_EQ(receive_some(), "hello");
}

TEST_F(StreamTest, QueuesTheRestAndTellsWhenItIsDrained) {
  std::string sent;
  for (int i = 0; stream_->queued_bytes() < 3'000'000; ++i) {
    const std::string chunk(100'000, static_cast<char>('a' + i % 26));
    sent += chunk;
    ASSERT_TRUE(stream_->write(chunk));
  }
  std::string received;
  EXPECT_TRUE(run_until(loop_, [&] {
    received += receive_some();
    return received.size() == sent.size() && stream_->queued_bytes() == 0;
  }));
  EXPECT_TRUE(received == sent);
  EXPECT_EQ(sink_.drained, 1);
}

TEST_F(StreamTest, QueuesALargeStringInOrderWithWhatComesBeforeAndAfter) {
  std::string sent(6'000'000, 'a');
  ASSERT_TRUE(stream_->write_large(sent));
  EXPECT_GT(stream_->queued_bytes(), 0U);
  const std::string more(100'000, 'b');
  ASSERT_TRUE(stream_->write_large(more));
  ASSERT_TRUE(stream_->write("c"));
  sent += more + "c";
  std::string received;
  EXPECT_TRUE(run_until(loop_, [&] {
    received += receive_some();
    return received.size() == sent.size() && stream_->queued_bytes() == 0;
  }));
  EXPECT_TRUE(received == sent);
}

TEST_F(StreamTest, FailsToWriteToAPeerThatIsGone) {
  stream_->pause(PauseReason::kBusy);
  pair_.far.reset();
  const Result<void> written = stream_->write("x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::kClosed);
  EXPECT_FALSE(stream_->write("y"));
  EXPECT_EQ(sink_.error, nullptr);  // told once, by write()
}

TEST_F(StreamTest, ReadsWhatThePeerHadSentAfterAWriteHasFailed) {
  stream_->pause(PauseReason::kBusy);
  send("last words");
  pair_.far.reset();
  ASSERT_FALSE(stream_->write("x"));

  stream_->resume(PauseReason::kBusy);

  EXPECT_TRUE(run_until(loop_, [&] { return sink_.ended || sink_.error != nullptr; }));
  EXPECT_EQ(sink_.received, "last words");
}

TEST_F(StreamTest, ForgetsWhatIsQueuedWhenItCannotBeWritten) {
  stream_->pause(PauseReason::kBusy);
  while (stream_->queued_bytes() == 0)
    ASSERT_TRUE(stream_->write(std::string(100'000, 'x')));
  send("last words");
  pair_.far.reset();
  ASSERT_TRUE(run_until(loop_, [&] { return sink_.error != nullptr; }));
  EXPECT_EQ(stream_->queued_bytes(), 0U);
  EXPECT_EQ(sink_.received, "");

  stream_->resume(PauseReason::kBusy);

  EXPECT_TRUE(run_until(loop_, [&] { return sink_.received == "last words"; }));
}

TEST_F(StreamTest, TellsHowMuchThePeerHasNotTaken) {
  while (stream_->queued_bytes() == 0)
    ASSERT_TRUE(stream_->write(std::string(100'000, 'x')));
  const std::size_t before = stream_->untaken_bytes();
  EXPECT_GT(before, stream_->queued_bytes());

  EXPECT_NE(receive_some(), "");

  EXPECT_LT(stream_->untaken_bytes(), before);
}

TEST_F(StreamTest, TellsWhenWhatIsQueuedCannotBeWritten) {
  while (stream_->queued_bytes() == 0)
    ASSERT_TRUE(stream_->write(std::string(100'000, 'x')));
  pair_.far.reset();
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.error != nullptr; }));
  EXPECT_EQ(sink_.error->code, Code::kClosed);
}

TEST_F(StreamTest, MayBeDestroyedByItsSink) {
  sink_.instead_of_reading = [&] { stream_.reset(); };
  send("x");
  EXPECT_TRUE(run_until(loop_, [&] { return stream_ == nullptr; }));
}

TEST_F(StreamTest, LendsItsPollToAWatcher) {
  std::string seen;
  stream_->start_watching([&](Readiness ready) {
    seen += ready == Readiness::kReadable ? 'r' : 'w';
    if (seen == "w") {
      stream_->watch_for(Readiness::kReadable);
    } else {
      stream_->stop_watching();
    }
  });
  send("x");
  EXPECT_TRUE(turn_over());
  EXPECT_EQ(seen, "");
  stream_->watch_for(Readiness::kWritable);
  EXPECT_TRUE(run_until(loop_, [&] { return seen == "wr"; }));
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.received == "x"; }));
}

TEST_F(StreamTest, MovesToAnotherLoopOfAnotherThread) {
  const SocketPair pair;
  RecordingSink first;
  auto here = Stream::borrow(loop_, pair.near.get(), nullptr, &first);
  here.reset();
  std::thread other([&] {
    Loop loop;
    RecordingSink second;
    const auto there = Stream::borrow(loop, pair.near.get(), nullptr, &second);
    second.stream = there.get();
    EXPECT_EQ(::write(pair.far.get(), "x", 1), 1);
    EXPECT_TRUE(run_until(loop, [&] { return second.received == "x"; }));
  });
  EXPECT_TRUE(turn_over());
  other.join();
  EXPECT_EQ(first.readable, 0);
}

}  // namespace
}  // namespace tidepool::net
