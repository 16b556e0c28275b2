// What the tests of sessions share: a fake TiDB, the proxy before it with a pool of one backend
// unless a test says otherwise, and clients.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventually.h"
#include "fake_tidb.h"
#include "proxy_under_test.h"
#include "raw_client.h"
#include "tidepool/protocol/auth.h"

namespace tidepool::testing {

// A password as a configuration may give it for caching_sha2_password.
inline std::string sha2_hash_in_hex(std::string_view password) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string text = "0x";
  for (const char c : protocol::make_sha2_hash(password, protocol::random_salt())) {
    text += kHex[static_cast<unsigned char>(c) >> 4U];
    text += kHex[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

// A statement that TiDB answers by a request for the client's file.
inline constexpr const char* kLoadFile = "LOAD DATA LOCAL INFILE 'f' INTO TABLE t";
inline FakeMysql::Answer file_request() {
  using std::string_literals::operator""s;
  return {.bytes = packet(1, "\xfb"s + "f"), .takes_file = true};
}

class SessionTest : public ::testing::Test {
 protected:
  using Words = std::vector<std::string>;

  SessionTest() {
    config_.listeners[0].port = 0;
    config_.http.enabled = false;
    config::Pool pool;
    pool.endpoints = {{"127.0.0.1", tidb_.port()}};
    pool.user = "app";
    pool.password = "secret";
    pool.tls.mode = config::TlsMode::kDisabled;
    pool.size = 1;
    pool.max_overflow = 0;
    pool.timeout = std::chrono::seconds(60);
    pool.backoff.initial = std::chrono::milliseconds(5);
    pool.backoff.max = std::chrono::milliseconds(20);
    config_.pools = {pool};
    config::User user;
    user.name = "app";
    user.password = "pw";
    user.pool = pool.name;
    config_.users = {user};
  }

  config::Pool& pool() { return config_.pools[0]; }

  // Starts the proxy and waits until it knows TiDB; then the pool has one idle backend, number 0.
  void start() {
    proxy_ = std::make_unique<ProxyUnderTest>(config_);
    ASSERT_TRUE(eventually([&] { return proxy_->counts().idle == 1; }));
    tidb_.forget();
  }

  RawClient::Options options() const { return {.port = proxy_->port()}; }
  // A client that has logged in.
  RawClient client() { return client(options()); }
  static RawClient client(const RawClient::Options& options) {
    RawClient client(options);
    const Reply reply = client.log_in();
    EXPECT_TRUE(reply.is_ok()) << describe(reply);
    return client;
  }

  bool is_idle() const {
    return eventually([&] { return proxy_->counts().leased == 0; });
  }
  bool has_sessions(std::size_t count) const {
    return eventually([&] { return proxy_->sessions() == count; });
  }
  bool holds(int count) const {
    return eventually([&] { return tidb_.held() == count; });
  }
  // The backend hangs up at the command that comes as the `step`-th from now on.
  void lose_at(int step) { tidb_.break_at(step, Fault::kClose); }
  // The client is told that its backend is lost, and of its statement that, such as "not executed".
  static void expect_lost(const Reply& reply, const char* outcome) {
    EXPECT_TRUE(reply.is_error(2013)) << describe(reply);
    EXPECT_THAT(reply.text, ::testing::HasSubstr(outcome));
  }
  // The pool serves a new client, so nothing of what was before is in the way.
  void expect_service() {
    RawClient next = client();
    const Reply reply = next.query("SELECT 'service'");
    EXPECT_EQ(reply.kind, Reply::Kind::kRows) << describe(reply);
  }

  FakeTidb tidb_;
  config::Config config_;
  std::unique_ptr<ProxyUnderTest> proxy_;  // ends before the fake
};

}  // namespace tidepool::testing
