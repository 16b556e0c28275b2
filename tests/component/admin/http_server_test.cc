#include "tidepool/admin/http_server.h"

#include <array>
#include <atomic>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "http_peer.h"
#include "tidepool/admin/status_routes.h"

namespace tidepool::admin {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string unpacked(std::string packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string text(1'000'000, 0);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

class HttpServerTest : public testing::Test {
 protected:
  std::atomic<bool> ready = true;
  std::string metrics = "# TYPE tidepool_ready gauge\ntidepool_ready 1\n";
  std::unique_ptr<HttpServer> server = start({"127.0.0.1", 0}).value();

  Result<std::unique_ptr<HttpServer>> start(const ListenAddress& address) {
    auto started = listen(address);
    if (started) (*started)->serve();
    return started;
  }

  Result<std::unique_ptr<HttpServer>> listen(const ListenAddress& address, int inherited = -1) {
    return HttpServer::listen(address,
                              status_routes({
                                  .metrics = [this] { return metrics; },
                                  .readiness =
                                      [this] {
                                        return Readiness{ready, "no backend has been dialled yet"};
                                      },
                                  .status = [] { return Status{.version = "1.2.3"}; },
                              }),
                              inherited);
  }

  Heard ask(std::string_view request) const { return heard(HttpPeer(server->port()).ask(request)); }
  Heard ask_for(std::string_view path, std::string_view headers = "") const {
    return ask(get(path, headers));
  }
  static std::string without_body(std::string_view method, std::string_view path) {
    return std::string(method) + " " + std::string(path) +
           " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n";
  }
};

TEST_F(HttpServerTest, ServesMetricsInPrometheusFormat) {
  const Heard answer = ask_for("/metrics");

  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.header("Content-Type"), StartsWith("text/plain; version=0.0.4"));
  EXPECT_THAT(answer.body, HasSubstr("\ntidepool_ready 1\n"));
}

TEST_F(HttpServerTest, SaysWhetherItIsReadyAndWhyNot) {
  EXPECT_EQ(ask_for("/readyz").status, 200);

  ready = false;

  const Heard answer = ask_for("/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "no backend has been dialled yet\n");
  EXPECT_EQ(ask_for("/healthz").status, 200);
  EXPECT_EQ(ask_for("/healthz").body, "ok\n");
}

TEST_F(HttpServerTest, ShowsItsStatusAsPageAndAsJson) {
  const Heard page = ask_for("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.header("Content-Type"), StartsWith("text/html"));
  EXPECT_THAT(page.body, HasSubstr("1.2.3"));
  EXPECT_EQ(ask_for("/?refresh=1").status, 200);

  const Heard json = ask_for("/status.json");
  EXPECT_EQ(json.status, 200);
  EXPECT_EQ(json.header("Content-Type"), "application/json");
  EXPECT_THAT(json.body, HasSubstr("\"version\": \"1.2.3\""));
}

TEST_F(HttpServerTest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(ask_for("/no/such/path").status, 404);
  EXPECT_THAT(ask_for("/no/such/path").body, HasSubstr("/status.json"));
  EXPECT_EQ(ask(without_body("POST", "/metrics")).status, 405);
  EXPECT_EQ(ask(without_body("POST", "/metrics")).header("Allow"), "GET, HEAD");
  EXPECT_EQ(ask(without_body("DELETE", "/healthz")).status, 405);
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
  const Heard answer = ask(without_body("HEAD", "/healthz"));

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Length"), "3");
  EXPECT_EQ(answer.body, "");
}

TEST_F(HttpServerTest, PacksWhatIsLongForWhoTakesIt) {
  for (int i = 0; i < 1000; ++i)
    metrics += "tidepool_thing{number=\"" + std::to_string(i) + "\"} 17\n";

  const Heard plain = ask_for("/metrics");
  EXPECT_EQ(plain.header("Content-Encoding"), "");
  EXPECT_EQ(plain.header("Vary"), "Accept-Encoding");
  EXPECT_EQ(plain.body, metrics);
  EXPECT_EQ(ask_for("/metrics", "Accept-Encoding: br, gzip;q=0\r\n").body, metrics);
  EXPECT_EQ(ask_for("/healthz", "Accept-Encoding: gzip\r\n").body, "ok\n");

  const Heard packed = ask_for("/metrics", "Accept-Encoding: deflate, GZIP;q=0.9\r\n");
  EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
  EXPECT_EQ(packed.header("Content-Length"), std::to_string(packed.body.size()));
  EXPECT_EQ(unpacked(packed.body), metrics);
}

TEST_F(HttpServerTest, EndsTheConnectionAfterEachAnswer) {
  EXPECT_EQ(ask_for("/healthz", "Connection: keep-alive\r\n").header("Connection"), "close");
}

TEST_F(HttpServerTest, AnswersWhoHasSaidAllOfIt) {
  const HttpPeer peer(server->port());
  ASSERT_TRUE(peer.say(get("/metrics")));
  peer.say_end();

  EXPECT_EQ(heard(peer.hear_all()).status, 200);
}

TEST_F(HttpServerTest, AnswersARequestThatComesInPieces) {
  const HttpPeer peer(server->port());
  for (const char byte : get("/healthz"))
    ASSERT_TRUE(peer.say({&byte, 1}));

  EXPECT_EQ(heard(peer.hear_all()).status, 200);
}

TEST_F(HttpServerTest, AnswersOldClientsWithoutAHost) {
  EXPECT_EQ(ask("GET /healthz HTTP/1.0\r\n\r\n").status, 200);
}

TEST_F(HttpServerTest, IsCalledByTheNamesThatItWasGiven) {
  server->set_hosts({"Pool.Example", "metrics"});

  for (const char* name : {"pool.example", "POOL.example:6034", "pool.example.", "metrics:80"})
    EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: " + std::string(name) + "\r\n\r\n").status, 200);
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: other.example\r\n\r\n").status, 421);
}

TEST_F(HttpServerTest, ReportsATakenPort) {
  const auto second = start({"127.0.0.1", server->port()});

  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::kConfig);
  EXPECT_EQ(second.error().message, "cannot listen for HTTP on 127.0.0.1:" +
                                        std::to_string(server->port()) + ": the port is taken");
}

TEST_F(HttpServerTest, ReportsAnAddressOfAnotherMachine) {
  const auto elsewhere = start({"192.0.2.1", 0});
  ASSERT_FALSE(elsewhere.has_value());
  EXPECT_THAT(elsewhere.error().message, HasSubstr("192.0.2.1:0: not an address of this machine"));

  EXPECT_FALSE(start({"no-such-name.invalid", 0}).has_value());
}

TEST_F(HttpServerTest, FreesItsPortWhenStopped) {
  const std::uint16_t port = server->port();
  EXPECT_EQ(ask_for("/healthz").status, 200);

  server->stop();
  server->stop();

  EXPECT_FALSE(HttpPeer().connect(port));
  EXPECT_TRUE(start({"127.0.0.1", port}).has_value());
}

TEST_F(HttpServerTest, GoesOnOnTheSocketOfAnotherOneThatEnds) {
  const auto next = listen({"127.0.0.1", 0}, dup(server->fd())).value();
  EXPECT_EQ(next->port(), server->port());
  const HttpPeer waiting;
  const std::uint16_t port = server->port();
  server->stop();

  // Nobody answers, nobody is refused.
  ASSERT_TRUE(waiting.connect(port) && waiting.say(get("/healthz")));
  next->serve();

  EXPECT_EQ(heard(waiting.hear_all()).status, 200);
  EXPECT_EQ(heard(HttpPeer(port).ask(get("/healthz"))).status, 200);
}

TEST_F(HttpServerTest, LetsWhoeverComesWaitWhilePaused) {
  server->pause();
  const HttpPeer waiting(server->port());
  ASSERT_TRUE(waiting.say(get("/healthz")));
  EXPECT_EQ(waiting.hear_all(std::chrono::milliseconds(50)), "");

  server->serve();

  EXPECT_EQ(heard(waiting.hear_all()).status, 200);
}

TEST_F(HttpServerTest, AnswersManyClientsAtOnce) {
  std::vector<std::future<int>> answers;
  for (int i = 0; i < 32; ++i)
    answers.push_back(
        std::async(std::launch::async, [this] { return ask_for("/metrics").status; }));
  for (auto& answer : answers)
    EXPECT_EQ(answer.get(), 200);
}

}  // namespace
}  // namespace tidepool::admin
