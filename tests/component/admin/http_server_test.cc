#include "tidepool/admin/http_server.h"

#include <arpa/inet.h>
#include <atomic>
#include <future>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

namespace tidepool::admin {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class HttpServerTest : public testing::Test {
 protected:
  std::atomic<bool> ready = true;
  std::unique_ptr<HttpServer> server = start({"127.0.0.1", 0}).value();
  httplib::Client client{"127.0.0.1", server->port()};

  Result<std::unique_ptr<HttpServer>> start(const ListenAddress& address) {
    auto started = listen(address);
    if (started) (*started)->serve();
    return started;
  }

  Result<std::unique_ptr<HttpServer>> listen(const ListenAddress& address, int inherited = -1) {
    return HttpServer::listen(
        address,
        {
            .metrics =
                [] { return std::string("# TYPE tidepool_ready gauge\ntidepool_ready 1\n"); },
            .readiness =
                [this] {
                  return Readiness{ready, "no backend has been dialled yet"};
                },
            .status = [] { return Status{.version = "1.2.3"}; },
        },
        inherited);
  }

  // A client that connects and says only this, without waiting for an answer.
  int connect_and_say(std::string_view words) const {
    return connect_and_say_to(server->port(), words);
  }

  static int connect_and_say_to(std::uint16_t port, std::string_view words) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(write(fd, words.data(), words.size()), static_cast<ssize_t>(words.size()));
    return fd;
  }
};

TEST_F(HttpServerTest, ServesMetricsInPrometheusFormat) {
  const auto answer = client.Get("/metrics");

  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->get_header_value("Content-Type"), StartsWith("text/plain; version=0.0.4"));
  EXPECT_THAT(answer->body, HasSubstr("\ntidepool_ready 1\n"));
}

TEST_F(HttpServerTest, SaysWhetherItIsReadyAndWhyNot) {
  EXPECT_EQ(client.Get("/readyz")->status, 200);

  ready = false;

  const auto answer = client.Get("/readyz");
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->body, "no backend has been dialled yet\n");
  EXPECT_EQ(client.Get("/healthz")->status, 200);
  EXPECT_EQ(client.Get("/healthz")->body, "ok\n");
}

TEST_F(HttpServerTest, ShowsItsStatusAsPageAndAsJson) {
  const auto page = client.Get("/");
  EXPECT_EQ(page->status, 200);
  EXPECT_THAT(page->get_header_value("Content-Type"), StartsWith("text/html"));
  EXPECT_THAT(page->body, HasSubstr("1.2.3"));

  const auto json = client.Get("/status.json");
  EXPECT_EQ(json->status, 200);
  EXPECT_EQ(json->get_header_value("Content-Type"), "application/json");
  EXPECT_THAT(json->body, HasSubstr("\"version\": \"1.2.3\""));
}

TEST_F(HttpServerTest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(client.Get("/no/such/path")->status, 404);
  EXPECT_THAT(client.Get("/no/such/path")->body, HasSubstr("/status.json"));
  EXPECT_EQ(client.Post("/metrics", "x", "text/plain")->status, 405);
  EXPECT_EQ(client.Post("/metrics", "x", "text/plain")->get_header_value("Allow"), "GET, HEAD");
  EXPECT_EQ(client.Delete("/healthz")->status, 405);
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
  const auto answer = client.Head("/healthz");

  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "");
}

TEST_F(HttpServerTest, EndsTheConnectionAfterEachAnswer) {
  client.set_keep_alive(true);

  EXPECT_EQ(client.Get("/healthz")->get_header_value("Connection"), "close");
  EXPECT_EQ(client.Get("/healthz")->status, 200);
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
  EXPECT_EQ(client.Get("/healthz")->status, 200);

  server->stop();
  server->stop();

  EXPECT_FALSE(client.Get("/healthz"));
  EXPECT_TRUE(start({"127.0.0.1", port}).has_value());
}

TEST_F(HttpServerTest, GoesOnOnTheSocketOfAnotherOneThatEnds) {
  const auto next = listen({"127.0.0.1", 0}, dup(server->fd())).value();
  const std::uint16_t port = server->port();
  EXPECT_EQ(next->port(), port);
  server->stop();

  // Nobody answers, nobody is refused.
  const int waiting = connect_and_say_to(port, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  next->serve();

  std::string answer(12, 0);
  EXPECT_EQ(recv(waiting, answer.data(), answer.size(), MSG_WAITALL), 12);
  EXPECT_EQ(answer, "HTTP/1.1 200");
  close(waiting);
  EXPECT_EQ(httplib::Client("127.0.0.1", port).Get("/healthz")->status, 200);
}

TEST_F(HttpServerTest, OutlastsClientsThatSayNothing) {
  std::vector<int> silent;
  for (int i = 0; i < 3; ++i)
    silent.push_back(connect_and_say(i % 2 == 0 ? "" : "GET /he"));

  client.set_read_timeout(std::chrono::seconds(30));
  EXPECT_EQ(client.Get("/healthz")->status, 200);

  for (const int fd : silent)
    close(fd);
}

TEST_F(HttpServerTest, AnswersManyClientsAtOnce) {
  std::vector<std::future<int>> answers;
  for (int i = 0; i < 32; ++i) {
    answers.push_back(std::async(std::launch::async, [this] {
      httplib::Client other("127.0.0.1", server->port());
      other.set_read_timeout(std::chrono::seconds(30));
      const auto answer = other.Get("/metrics");
      return answer ? answer->status : -1;
    }));
  }
  for (auto& answer : answers)
    EXPECT_EQ(answer.get(), 200);
}

}  // namespace
}  // namespace tidepool::admin
