// What routes may say: larger and slower requests, answers that come later or piece by piece.
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventually.h"
#include "http_peer.h"
#include "tidepool/admin/http_server.h"

namespace tidepool::admin {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using tidepool::testing::eventually;

constexpr std::size_t kMiB = 1'048'576;

std::string post(std::string_view path, std::size_t length, std::string_view headers = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(length) + "\r\n\r\n";
}

class HttpRouteTest : public ::testing::Test {
 protected:
  void TearDown() override { server.reset(); }

  void serve(HttpRoute route) {
    std::vector<HttpRoute> routes;
    routes.push_back({.path = "/healthz",
                      .handler = [](const HttpRequest&) { return HttpAnswer{.body = "ok\n"}; },
                      .rank = HttpRank::kLoop});
    routes.push_back(std::move(route));
    server = HttpServer::listen({"127.0.0.1", 0}, std::move(routes)).value();
    server->serve();
  }
  // A route that says how long the body was.
  void serve_length(HttpLimits limits) {
    serve({.path = "/agent",
           .handler =
               [](const HttpRequest& request) {
                 return HttpAnswer{.body = std::to_string(request.body.size())};
               },
           .methods = {"POST"},
           .limits = limits});
  }
  // A route whose replies the test keeps.
  void serve_replies(HttpLimits limits = {}) {
    serve({.path = "/events",
           .handler =
               [this](const HttpRequest&, HttpReply reply) {
                 const std::lock_guard lock(mutex);
                 kept.emplace(std::move(reply));
               },
           .limits = limits});
  }
  HttpReply take_reply() {
    EXPECT_TRUE(eventually([this] {
      const std::lock_guard lock(mutex);
      return kept.has_value();
    }));
    const std::lock_guard lock(mutex);
    HttpReply reply = *kept;
    kept.reset();
    return reply;
  }
  HttpPeer peer() const { return HttpPeer(server->port()); }

  std::mutex mutex;
  std::optional<HttpReply> kept;  // under mutex
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpRouteTest, AnswersForAHandlerThatThrowsBeforeItKeepsItsReply) {
  serve({.path = "/throws",
         .handler = [](const HttpRequest&, const HttpReply&) { throw std::bad_alloc(); }});
  const HttpPeer one = peer();
  ASSERT_TRUE(one.say("GET /throws HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  EXPECT_THAT(one.hear_all(), StartsWith("HTTP/1.1 500 "));
}

TEST_F(HttpRouteTest, AnswersForAHandlerThatThrows) {
  for (const HttpRank rank : {HttpRank::kWork, HttpRank::kProbe, HttpRank::kLoop}) {
    serve({.path = "/throws",
           .handler = [](const HttpRequest&) -> HttpAnswer { throw std::bad_alloc(); },
           .rank = rank});
    const HttpPeer one = peer();
    ASSERT_TRUE(one.say("GET /throws HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    EXPECT_THAT(one.hear_all(), StartsWith("HTTP/1.1 500 "));
    const HttpPeer next = peer();
    ASSERT_TRUE(next.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    EXPECT_THAT(next.hear_all(), EndsWith("ok\n"));
  }
}

TEST_F(HttpRouteTest, TakesABodyOf4MibWhereTheRouteSaysSo) {
  serve_length({.bytes = 4 * kMiB + 16'384});
  const std::string body(4 * kMiB, 'x');

  EXPECT_THAT(peer().ask(post("/agent", body.size()) + body), EndsWith("\r\n\r\n4194304"));
  EXPECT_THAT(peer().ask(post("/agent", body.size() + 16'384)), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpRouteTest, TakesABodyInChunks) {
  serve_length({.bytes = kMiB});
  std::string request = "POST /agent HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::size_t head = request.size();
  for (int i = 0; i < 20'000; ++i)
    request += "1;x=y\r\nz\r\n";
  EXPECT_THAT(peer().ask(request + "0\r\nTrailer: t\r\n\r\n"), EndsWith("\r\n\r\n20000"));

  request.resize(head);
  for (int i = 0; i < 40; ++i)
    request += "8000\r\n" + std::string(0x8000, 'x') + "\r\n";
  EXPECT_THAT(peer().ask(request), StartsWith("HTTP/1.1 413 "));
  request.resize(head);
  EXPECT_THAT(peer().ask(request + "1;" + std::string(100'000, 'x')), StartsWith("HTTP/1.1 4"));
}

TEST_F(HttpRouteTest, BegsForABodyThatIsHeldBack) {
  serve_length({});
  const HttpPeer one = peer();
  ASSERT_TRUE(one.say(post("/agent", 3, "Expect: 100-continue\r\n")));
  EXPECT_EQ(one.hear_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");

  EXPECT_THAT(one.ask("abc"), EndsWith("\r\n\r\n3"));
}

TEST_F(HttpRouteTest, EndsARequestAtTheDeadlineOfItsRoute) {
  serve_length({.whole = milliseconds(50)});
  const std::string answer = peer().ask(post("/agent", 3) + "ab");

  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(answer, HasSubstr("did not come in time"));
}

TEST_F(HttpRouteTest, HoldsNoMoreThanItsBudgetOfBodies) {
  serve_length({.bytes = 8 * kMiB, .whole = seconds(30)});
  const std::string most(4 * kMiB, 'x');
  std::vector<HttpPeer> peers;
  for (int i = 0; i < 8; ++i) {
    peers.push_back(peer());
    (void)peers.back().say(post("/agent", most.size() + 1) + most);
  }

  // Who goes on sending long after the refusal may not get to read it.
  int taken = 0;
  for (const HttpPeer& one : peers)
    taken += one.ask("x").ends_with("\r\n\r\n4194305") ? 1 : 0;
  EXPECT_GE(taken, 1);
  EXPECT_LE(taken, 4);
  EXPECT_THAT(peer().ask(post("/agent", 1) + "x"), EndsWith("\r\n\r\n1")) << "it is free again";
}

TEST_F(HttpRouteTest, EndsAnAnswerThatTakesTooLong) {
  serve_replies({.answer = milliseconds(50)});
  const HttpPeer one = peer();
  ASSERT_TRUE(one.say(get("/events")));
  const HttpReply reply = take_reply();

  EXPECT_THAT(one.hear_all(), HasSubstr("takes too long"));
  EXPECT_TRUE(reply.is_gone());
  reply.answer({.body = "too late"});
}

TEST_F(HttpRouteTest, AnswersLaterAndFromAnotherThread) {
  serve_replies();
  const HttpPeer one = peer();
  ASSERT_TRUE(one.say(get("/events")));
  std::atomic<bool> is_told = false;
  {
    const HttpReply reply = take_reply();
    reply.on_gone([&] { is_told = true; });
    reply.answer({.status = 202, .body = "later"});
  }

  const Heard answer = heard(one.hear_all());
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, "later");
  EXPECT_FALSE(is_told);
}

TEST_F(HttpRouteTest, SendsAnAnswerPieceByPiece) {
  serve_replies();
  const HttpPeer one = peer();
  ASSERT_TRUE(one.say(get("/events")));
  const HttpReply reply = take_reply();
  reply.begin({.type = "text/event-stream", .body = "data: 1\n\n"});
  EXPECT_THAT(one.hear_until("data: 1\n\n\r\n"), HasSubstr("Transfer-Encoding: chunked\r\n"));

  EXPECT_TRUE(reply.send("data: 2\n\n"));
  EXPECT_EQ(one.hear_until("data: 2\n\n\r\n"), "9\r\ndata: 2\n\n\r\n");
  reply.end();

  EXPECT_EQ(one.hear_all(), "0\r\n\r\n");
}

TEST_F(HttpRouteTest, TellsWhenThePeerOfAStreamGoes) {
  serve_replies();
  std::atomic<bool> is_told = false;
  std::optional<HttpPeer> one(peer());
  ASSERT_TRUE(one->say(get("/events")));
  const HttpReply reply = take_reply();
  reply.on_gone([&] { is_told = true; });
  reply.begin({.type = "text/event-stream"});
  EXPECT_FALSE(is_told);

  one.reset();

  EXPECT_TRUE(eventually([&] { return is_told.load(); }));
  EXPECT_FALSE(reply.send("data: 1\n\n"));
  is_told = false;
  reply.on_gone([&] { is_told = true; });
  EXPECT_TRUE(is_told);
}

TEST_F(HttpRouteTest, EndsAStreamThatIsNotTaken) {
  serve_replies();
  const HttpPeer one;
  one.take_little();
  ASSERT_TRUE(one.connect(server->port()) && one.say(get("/events")));
  const HttpReply reply = take_reply();
  reply.begin({.type = "text/event-stream"});

  const std::string piece(10'000, 'x');
  int sent = 0;
  EXPECT_TRUE(eventually([&] {
    ++sent;
    return !reply.send(piece);
  }));
  EXPECT_LT(sent, 100);
  EXPECT_TRUE(eventually([&] { return reply.is_gone(); }));
}

TEST_F(HttpRouteTest, SaysSoWhenNobodyAnswers) {
  serve({.path = "/events", .handler = [](const HttpRequest&, const HttpReply&) {}});

  EXPECT_THAT(peer().ask(get("/events")), StartsWith("HTTP/1.1 500 "));
}

TEST_F(HttpRouteTest, StreamsLeaveRoomForOthers) {
  std::vector<HttpReply> replies;
  serve({.path = "/events", .handler = [&](const HttpRequest&, HttpReply reply) {
           reply.begin({.type = "text/event-stream"});
           replies.push_back(std::move(reply));
         }});
  std::vector<HttpPeer> peers;
  for (int i = 0; i < 200; ++i) {
    peers.push_back(peer());
    ASSERT_TRUE(peers.back().say(get("/events")));
  }

  EXPECT_THAT(peer().ask(get("/healthz")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(peer().ask(get("/events")), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(peers.front().hear_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  server.reset();
  EXPECT_EQ(replies.size(), 64U);
}

TEST_F(HttpRouteTest, EndsStreamsAtItsStop) {
  serve_replies({.answer = Duration::zero()});
  const HttpPeer one = peer();
  ASSERT_TRUE(one.say(get("/events")));
  const HttpReply reply = take_reply();
  reply.begin({.type = "text/event-stream"});
  ASSERT_THAT(one.hear_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));

  server->stop();

  EXPECT_TRUE(reply.is_gone());
  EXPECT_TRUE(one.sees_end());
  reply.end();
}

}  // namespace
}  // namespace tidepool::admin
