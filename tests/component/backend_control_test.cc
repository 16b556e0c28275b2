#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "dial_helper.h"
#include "fake_mysql.h"
#include "stream_pair.h"
#include "tidepool/backend/connection.h"

namespace tidepool::backend {
namespace {

using std::chrono::seconds;
using testing::dial_to;
using testing::err_packet;
using testing::FakeMysql;
using testing::ok_packet;
using testing::RecordingSink;
using testing::run_until;

constexpr std::string_view kSelect = "\x03select 1";

// With TLS and without: the same technique over two kinds of stream.
class ControlTest : public ::testing::TestWithParam<bool> {
 protected:
  void connect(FakeMysql::Handler handler) {
    FakeMysql::Options script;
    script.handler = std::move(handler);
    if (GetParam()) script.tls = authority_.issue({"localhost"});
    server_ = std::make_unique<FakeMysql>(std::move(script));
    DialOptions options;
    options.endpoints = {{"localhost", server_->port()}};
    options.user = "app";
    options.password = "secret";
    options.tls = GetParam() ? TlsMode::kVerifyIdentity : TlsMode::kDisabled;
    options.ca_file = authority_.file();
    auto connection = dial_to(loop_, options);
    ASSERT_TRUE(connection) << connection.error().message;
    connection_ = std::move(*connection);
    sink_.stream = &connection_->attach(loop_, &sink_);
  }
  Result<QueryResult> query(const std::string& sql, Duration timeout = seconds(60)) {
    std::optional<Result<QueryResult>> outcome;
    const ControlCall call = connection_->query(
        sql, timeout, [&](Result<QueryResult> got) { outcome = std::move(got); });
    EXPECT_TRUE(run_until(loop_, [&] { return outcome.has_value(); }));
    return std::move(*outcome);
  }
  using Call = ControlCall (Connection::*)(Duration, Connection::OnDone);
  Result<void> ask(Call what) {
    std::optional<Result<void>> outcome;
    const ControlCall call = (connection_.get()->*what)(
        seconds(60), [&](Result<void> got) { outcome = std::move(got); });
    EXPECT_FALSE(outcome.has_value());  // never inline
    EXPECT_TRUE(run_until(loop_, [&] { return outcome.has_value(); }));
    return std::move(*outcome);
  }
  Result<void> ping() { return ask(&Connection::ping); }
  void exchange_raw() {
    sink_.received.clear();
    ASSERT_TRUE(connection_->stream().write(testing::packet(0, kSelect)));
    EXPECT_TRUE(run_until(loop_, [&] { return sink_.received.size() >= 7; }));
  }

  testing::CertificateAuthority authority_;
  net::Loop loop_;
  RecordingSink sink_;
  std::unique_ptr<FakeMysql> server_;
  std::unique_ptr<Connection> connection_;
};

INSTANTIATE_TEST_SUITE_P(Streams, ControlTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Tls" : "Plain"; });

// The end of one connection leaves its errors in the thread's queue, where SSL_get_error() looks.
TEST_P(ControlTest, IsNotEndedByTheErrorThatAnotherConnectionLeftBehind) {
  connect([](std::string_view) { return FakeMysql::Answer{.bytes = ok_packet()}; });
  ERR_put_error(ERR_LIB_SSL, 0, 1, "another connection", 1);

  EXPECT_TRUE(ping());
}

TEST_P(ControlTest, InterleavesRawPacketsAndControlCalls) {
  connect(nullptr);
  for (int i = 0; i < 3; ++i) {
    exchange_raw();
    EXPECT_EQ(sink_.received, ok_packet());
    EXPECT_TRUE(ping());
    EXPECT_FALSE(connection_->is_controlled());
  }
  EXPECT_EQ(server_->commands().size(), 6U);
  EXPECT_EQ(server_->commands()[0], kSelect);
  EXPECT_EQ(server_->commands()[1], "\x0e");
  EXPECT_FALSE(connection_->is_broken());
}

TEST_P(ControlTest, ReadsSmallResults) {
  connect([](std::string_view) {
    return FakeMysql::Answer{
        testing::text_result({"name", "value"}, {{"a", std::nullopt}, {"", "2"}})};
  });
  const Result<QueryResult> result = query("select name, value");
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->columns.size(), 2U);
  EXPECT_EQ(result->columns[1].name, "value");
  EXPECT_EQ(result->columns[1].type, 253);
  ASSERT_EQ(result->rows.size(), 2U);
  EXPECT_EQ(result->rows[0][0], "a");
  EXPECT_EQ(result->rows[0][1], std::nullopt);
  EXPECT_EQ(result->rows[1][0], "");
}

TEST_P(ControlTest, ReadsResultsOfManyRecords) {
  std::vector<std::vector<std::optional<std::string>>> rows(200, {std::string(1000, 'x')});
  connect([&](std::string_view) { return FakeMysql::Answer{testing::text_result({"c"}, rows)}; });
  const Result<QueryResult> result = query("select");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->rows, rows);
}

TEST_P(ControlTest, ResetsTheConnection) {
  connect(nullptr);
  std::optional<Result<void>> outcome;
  const ControlCall call =
      connection_->reset(seconds(60), [&](Result<void> got) { outcome = std::move(got); });
  EXPECT_TRUE(call.is_pending());
  EXPECT_TRUE(run_until(loop_, [&] { return outcome.has_value(); }));
  EXPECT_TRUE(*outcome);
  EXPECT_FALSE(call.is_pending());
  EXPECT_EQ(server_->commands(), std::vector<std::string>{"\x1f"});
}

TEST_P(ControlTest, StaysUsableAfterAnErrorOfTheServer) {
  connect([](std::string_view command) {
    return FakeMysql::Answer{command[0] == 3 ? err_packet(1064, "42000", "no such thing")
                                             : ok_packet()};
  });
  const Result<QueryResult> result = query("selekt");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kBackend);
  EXPECT_EQ(result.error().mysql_errno, 1064);
  EXPECT_EQ(result.error().sqlstate, "42000");
  EXPECT_EQ(result.error().message, "no such thing");
  EXPECT_FALSE(connection_->is_broken());
  EXPECT_TRUE(ping());
}

TEST_P(ControlTest, IsBrokenWhenTheServerHangsUp) {
  connect([](std::string_view) { return FakeMysql::Answer{"", true}; });
  const Result<void> result = ping();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kClosed) << result.error().message;
  EXPECT_TRUE(connection_->is_broken());
}

TEST_P(ControlTest, IsBrokenAfterATimeout) {
  connect([](std::string_view) { return FakeMysql::Answer{}; });
  const Result<QueryResult> result = query("select 1", std::chrono::milliseconds(50));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kTimeout);
  EXPECT_TRUE(connection_->is_broken());
}

TEST_P(ControlTest, IsBrokenWhenTheAnswerIsNoPacketOfTheProtocol) {
  connect([](std::string_view) { return FakeMysql::Answer{std::string(64, '\x55'), true}; });
  EXPECT_FALSE(query("select 1"));
  EXPECT_TRUE(connection_->is_broken());
}

TEST_P(ControlTest, RefusesSeveralResults) {
  connect([](std::string_view) { return FakeMysql::Answer{ok_packet(1, 2 | 8) + ok_packet(2)}; });
  const Result<QueryResult> result = query("set @a = 1; set @b = 2");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kProtocol);
  EXPECT_TRUE(connection_->is_broken());
}

TEST_P(ControlTest, NeverReadsAFileForTheServer) {
  connect([](std::string_view command) {
    if (command[0] == 3) return FakeMysql::Answer{testing::packet(1, "\xfb/etc/passwd")};
    return FakeMysql::Answer{ok_packet(3)};
  });
  EXPECT_FALSE(query("select 1", std::chrono::milliseconds(200)));
  for (const std::string& command : server_->commands())
    EXPECT_EQ(command.find("root"), std::string::npos);
}

// A file request, the end of rows, the count of columns, and what is nothing.
TEST_P(ControlTest, IsBrokenWhenAPingOrResetHasAnotherAnswerThanOk) {
  for (const std::string_view answer : {"\xfb/etc/passwd", "\xfe", "\x01", "\x55"}) {
    for (const Call call : {Call{&Connection::ping}, Call{&Connection::reset}}) {
      connect([answer](std::string_view) { return FakeMysql::Answer{testing::packet(1, answer)}; });
      const Result<void> result = ask(call);
      ASSERT_FALSE(result) << answer;
      EXPECT_EQ(result.error().code, Code::kProtocol) << result.error().message;
      EXPECT_TRUE(connection_->is_broken());
    }
  }
}

TEST_P(ControlTest, ForgetsTheCallerWhoseHandleGoesButEndsTheCall) {
  std::promise<void> may_answer;
  std::shared_future<void> answer = may_answer.get_future().share();
  connect([answer](std::string_view) {
    answer.wait();
    return FakeMysql::Answer{ok_packet()};
  });
  {
    const ControlCall call = connection_->ping(seconds(60), [](const auto&) { FAIL(); });
    EXPECT_TRUE(run_until(loop_, [&] { return server_->commands().size() == 1; }));
  }
  EXPECT_TRUE(connection_->is_controlled());
  may_answer.set_value();
  EXPECT_TRUE(run_until(loop_, [&] { return !connection_->is_controlled(); }));
  exchange_raw();
  EXPECT_EQ(sink_.received, ok_packet());
}

TEST_P(ControlTest, MayBeDestroyedInItsOwnCallbackOrBeforeTheAnswer) {
  connect(nullptr);
  ControlCall call = connection_->ping(seconds(60), [&](const auto&) { connection_.reset(); });
  EXPECT_TRUE(run_until(loop_, [&] { return connection_ == nullptr; }));
  EXPECT_TRUE(run_until(loop_, [&] { return server_->open_connections() == 0; }));

  connect([](std::string_view) { return FakeMysql::Answer{}; });
  call = connection_->query("select 1", seconds(60), [](const auto&) { FAIL(); });
  connection_.reset();
  EXPECT_FALSE(call.is_pending());
}

TEST_P(ControlTest, SaysGoodbyeWhenItIsIdleAndSound) {
  connect(nullptr);
  connection_.reset();
  EXPECT_TRUE(run_until(loop_, [&] { return server_->open_connections() == 0; }));
  EXPECT_EQ(server_->commands(), std::vector<std::string>{"\x01"});
}

TEST_P(ControlTest, SaysNothingWhenItIsBroken) {
  connect(nullptr);
  connection_->set_broken();
  connection_.reset();
  EXPECT_TRUE(run_until(loop_, [&] { return server_->open_connections() == 0; }));
  EXPECT_TRUE(server_->commands().empty());
}

TEST_P(ControlTest, TellsTheSinkWhenAnIdleConnectionIsClosed) {
  connect(nullptr);
  server_->hang_up();
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.ended || sink_.error; }));
}

TEST_P(ControlTest, MovesToTheLoopOfAnotherThread) {
  connect(nullptr);
  exchange_raw();
  connection_->detach();
  std::thread other([&] {
    net::Loop loop;
    RecordingSink sink;
    sink.stream = &connection_->attach(loop, &sink);
    ASSERT_TRUE(connection_->stream().write(testing::packet(0, kSelect)));
    EXPECT_TRUE(run_until(loop, [&] { return sink.received == ok_packet(); }));
    bool pinged = false;
    const ControlCall call =
        connection_->ping(seconds(60), [&](const Result<void>& got) { pinged = got.has_value(); });
    EXPECT_TRUE(run_until(loop, [&] { return pinged; }));
    connection_->detach();
  });
  other.join();
  sink_.stream = &connection_->attach(loop_, &sink_);
  exchange_raw();
  EXPECT_EQ(sink_.received, ok_packet());
}

}  // namespace
}  // namespace tidepool::backend
