// What a peer of the HTTP port may try, and that its clients are served meanwhile.
#include <atomic>
#include <fcntl.h>
#include <latch>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http_peer.h"
#include "tidepool/admin/http_server.h"
#include "tidepool/admin/status_routes.h"

namespace tidepool::admin {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kOk = "HTTP/1.1 200 ";

// Sends a byte every few milliseconds for as long as somebody takes it.
class Dripping {
 public:
  Dripping(std::uint16_t port, std::string begin, std::string again)
      : thread_([this, port, begin = std::move(begin), again = std::move(again)] {
          const HttpPeer peer(port);
          bool is_taken = peer.say(begin);
          begun_.count_down();
          while (is_taken && !ended_) {
            is_taken = peer.say(again) && !peer.sees_end(milliseconds(20));
          }
          is_closed_ = !is_taken;
        }) {
    begun_.wait();
  }
  ~Dripping() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
  }
  Dripping(const Dripping&) = delete;
  Dripping& operator=(const Dripping&) = delete;

  // Until the other end has closed.
  void wait() { thread_.join(); }
  bool is_closed() const { return is_closed_; }

 private:
  std::latch begun_{1};
  std::atomic<bool> ended_ = false;
  std::atomic<bool> is_closed_ = false;
  std::thread thread_;
};

class HttpAttack : public testing::Test {
 protected:
  std::string page = "# TYPE tidepool_ready gauge\ntidepool_ready 1\n";
  std::function<void()> in_metrics = [] {};
  std::latch going_on{1};
  std::unique_ptr<HttpServer> server;

  void SetUp() override {
    HttpSources sources{
        .metrics =
            [this] {
              in_metrics();
              return page;
            },
        .readiness =
            [] {
              return Readiness{true, "ready"};
            },
        .status = [] { return Status{.version = "1.2.3"}; },
    };
    server = HttpServer::listen({"127.0.0.1", 0}, status_routes(sources)).value();
    server->serve();
  }

  std::string ask(std::string_view request, milliseconds patience = milliseconds(10'000)) const {
    return HttpPeer(server->port()).ask(request, patience);
  }
  void expect_probes_answered() const {
    EXPECT_THAT(ask(get("/healthz"), milliseconds(2'000)), StartsWith(kOk));
    EXPECT_THAT(ask(get("/readyz"), milliseconds(2'000)), StartsWith(kOk));
  }
};

TEST_F(HttpAttack, RangesAreIgnored) {
  std::string ranges = "Range: bytes=0-";
  for (int i = 0; i < 500; ++i)
    ranges += ",0-";

  const std::string answer = ask(get("/metrics", ranges + "\r\n"));

  EXPECT_THAT(answer, StartsWith(kOk));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n" + page));
}

TEST_F(HttpAttack, AnEndlessHeadIsRefused) {
  const HttpPeer peer(server->port());
  bool is_taken = peer.say("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  int headers = 0;
  for (; is_taken && headers < 100'000; ++headers)
    is_taken = peer.say("X-" + std::to_string(headers) + ": " + std::string(64, 'x') + "\r\n");

  EXPECT_LT(headers, 100'000);
  EXPECT_THAT(ask("GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 414 "));
}

TEST_F(HttpAttack, MoreThan64HeadersAreRefused) {
  std::string headers;
  for (int i = 0; i < 63; ++i)
    headers += "X: y\r\n";
  EXPECT_THAT(ask(get("/metrics", headers)), StartsWith(kOk));

  const std::string answer = ask(get("/metrics", headers + "X: y\r\n"));

  EXPECT_THAT(answer, StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(answer, HasSubstr("at most 64 headers"));
}

TEST_F(HttpAttack, ARequestOfMoreThan16KibIsRefused) {
  const std::string body(17'000, 'x');

  const std::string answer =
      ask(get("/metrics", "Content-Length: " + std::to_string(body.size()) + "\r\n") + body);

  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer, HasSubstr("at most 16384 bytes"));
  EXPECT_THAT(ask(get("/metrics", "Transfer-Encoding: chunked\r\n") + "ffffff\r\n" + body),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpAttack, ADrippingRequestEndsInThreeSeconds) {
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::unique_ptr<Dripping>> peers;
  for (int i = 0; i < 4; ++i)
    peers.push_back(
        std::make_unique<Dripping>(server->port(), "GET /healthz HTTP/1.1\r\nX: ", "x"));

  expect_probes_answered();

  for (auto& peer : peers)
    peer->wait();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST_F(HttpAttack, SilentPeersDoNotHoldAllPlaces) {
  std::vector<HttpPeer> silent;
  for (int i = 0; i < 400; ++i) {
    silent.emplace_back(server->port());
    EXPECT_TRUE(silent.back().say(i % 2 == 0 ? "GET /he" : ""));
  }

  expect_probes_answered();
  EXPECT_THAT(ask(get("/metrics"), milliseconds(2'000)), StartsWith(kOk));
}

TEST_F(HttpAttack, WhoDoesNotTakeItsAnswerHoldsNobodyUp) {
  page.assign(8'000'000, 'x');
  std::vector<HttpPeer> lazy(200);
  for (const HttpPeer& peer : lazy) {
    peer.take_little();
    ASSERT_TRUE(peer.connect(server->port()));
    ASSERT_TRUE(peer.say(get("/metrics")));
    ASSERT_THAT(peer.hear_until("\r\n"), StartsWith(kOk)) << "the rest is left";
  }

  expect_probes_answered();
  EXPECT_THAT(ask(get("/status.json"), milliseconds(2'000)), StartsWith(kOk));
}

TEST_F(HttpAttack, AHandlerThatHangsHoldsNoProbeUp) {
  in_metrics = [&] { going_on.wait(); };
  std::vector<HttpPeer> stuck;
  for (int i = 0; i < 64; ++i) {
    stuck.emplace_back(server->port());
    EXPECT_TRUE(stuck.back().say(get("/metrics")));
  }

  expect_probes_answered();

  EXPECT_THAT(stuck.front().hear_all(), HasSubstr(" 503 "));
  going_on.count_down();
}

class AtTheDescriptorLimit {
 public:
  AtTheDescriptorLimit() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 200;
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = 0; fd >= 0;) {
      fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (fd >= 0) taken_.push_back(fd);
    }
  }
  ~AtTheDescriptorLimit() {
    for (const int fd : taken_)
      ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  AtTheDescriptorLimit(const AtTheDescriptorLimit&) = delete;
  AtTheDescriptorLimit& operator=(const AtTheDescriptorLimit&) = delete;

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST_F(HttpAttack, ProbesAreAnsweredWithoutADescriptorToSpare) {
  const HttpPeer scraper;
  const std::vector<HttpPeer> probes(8);
  const std::vector<HttpPeer> silent(30);
  const AtTheDescriptorLimit limit;
  for (const HttpPeer& peer : silent)
    ASSERT_TRUE(peer.connect(server->port()));

  for (const HttpPeer& probe : probes) {
    ASSERT_TRUE(probe.connect(server->port()));
    EXPECT_THAT(probe.ask(get("/healthz"), milliseconds(2'000)), StartsWith(kOk));
  }
  ASSERT_TRUE(scraper.connect(server->port()));
  EXPECT_THAT(scraper.ask(get("/metrics"), milliseconds(2'000)), StartsWith(kOk));
}

TEST_F(HttpAttack, ANameThatIsNotThisPortsIsRefused) {
  const auto status_for = [this](const std::string& host) {
    const std::string answer = ask("GET /status.json HTTP/1.1\r\n" + host + "\r\n");
    return answer.size() > 12 ? answer.substr(9, 3) : answer;
  };
  for (const char* host : {"Host: 127.0.0.1:6034\r\n", "Host: 192.0.2.7\r\n", "host: [::1]:80\r\n",
                           "Host: localhost\r\n", "Host: LocalHost:6034\r\n"}) {
    EXPECT_EQ(status_for(host), "200") << host;
  }
  for (const char* host : {"Host: rebound.example\r\n", "Host: localhost.rebound.example:6034\r\n",
                           "Host: 127.0.0.1.rebound.example\r\n", "Host: 127.0.0.1 x\r\n"}) {
    EXPECT_EQ(status_for(host), "421") << host;
  }
  for (const char* host : {"", "Host: localhost\r\nHost: rebound.example\r\n"}) {
    EXPECT_EQ(status_for(host), "400") << host;
  }
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n"), HasSubstr("http.hosts"));
}

TEST_F(HttpAttack, NonsenseIsRefusedInWords) {
  for (const char* nonsense :
       {"\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n\r\n\r\n",
        "GET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nBad Name: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"
        "\r\n"}) {
    const std::string answer = ask(nonsense);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 ")) << nonsense;
    EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain")) << nonsense;
  }
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip\r\n\r\n"),
              StartsWith("HTTP/1.1 501 "));
}

}  // namespace
}  // namespace tidepool::admin
