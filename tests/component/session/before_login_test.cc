// Clients that have not logged in, and perhaps never will: they keep nobody out, and little memory.
#include <vector>

#include "session_fixture.h"
#include "tidepool/base/process_memory.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/session/login_places.h"

namespace tidepool::testing {
namespace {

using session::LoginFailure;

// A sanitizer keeps what was freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryTells = false;
#else
constexpr bool kMemoryTells = true;
#endif

class BeforeLoginTest : public SessionTest {
 protected:
  // That has been greeted.
  RawClient silent_peer() {
    RawClient peer(options());
    EXPECT_TRUE(peer.read_packet());
    return peer;
  }
  static void expect_growth_below(std::uint64_t megabytes, std::uint64_t before) {
    EXPECT_TRUE(!kMemoryTells || resident_memory() < before + (megabytes << 20U))
        << resident_memory() - before;
  }
  std::vector<RawClient> silent_peers(std::size_t count) {
    std::vector<RawClient> peers;
    peers.reserve(count);
    while (peers.size() < count)
      peers.push_back(silent_peer());
    return peers;
  }
  bool counts(LoginFailure failure, std::uint64_t times) const {
    return eventually([&] { return proxy_->logins().failures[failure].value() == times; });
  }
  // The header of a login of that size, and all of it but for the last byte.
  static std::string half_sent(std::size_t size) {
    std::string bytes;
    std::uint8_t sequence = 1;
    protocol::append_packet(bytes, sequence, std::string(size, 'x'));
    bytes.pop_back();
    return bytes;
  }
};

TEST_F(BeforeLoginTest, SilentPeersTakeNoPlaceOfClients) {
  config_.max_clients = 2;
  start();
  const std::vector<RawClient> silent = silent_peers(20);

  RawClient one = client();
  RawClient two = client();

  EXPECT_EQ(one.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_EQ(two.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_TRUE(RawClient(options()).log_in().is_error(1040));
  EXPECT_TRUE(counts(LoginFailure::kTooMany, 1));
  EXPECT_EQ(proxy_->logins().pending.value(), 20);
}

TEST_F(BeforeLoginTest, WhoHasComeInTimeAndLogsInTooLateIsToldSo) {
  config_.max_clients = 1;
  start();
  RawClient right = silent_peer();
  RawClient wrong = silent_peer();
  RawClient first = client();
  const auto log_in = [](RawClient& peer, const std::string& response) {
    protocol::LoginRequest request;
    request.capabilities = RawClient::kUsual;
    request.collation = 45;
    request.user = "app";
    request.auth_plugin = protocol::kNativePassword;
    request.auth_response = response;
    peer.send(protocol::encode_login_request(request), 1);
    return peer.read_reply();
  };
  EXPECT_TRUE(log_in(wrong, std::string(20, 'x')).is_error(1045)) << "and learns nothing else";

  config_.users[0].password.clear();
  ASSERT_TRUE(proxy_->apply(config_));
  const Reply reply = log_in(right, "");

  EXPECT_TRUE(reply.is_error(1040)) << describe(reply);
  EXPECT_EQ(reply.text, "Too many connections");
  EXPECT_TRUE(counts(LoginFailure::kTooMany, 1));
  EXPECT_TRUE(has_sessions(1));
}

TEST_F(BeforeLoginTest, TheOldestSilentOneMakesRoomForTheNext) {
  config_.max_pending_logins = 3;
  start();
  std::vector<RawClient> silent = silent_peers(3);

  RawClient in = client();

  EXPECT_TRUE(silent[0].is_closed());
  EXPECT_TRUE(silent[1].hears_nothing());
  EXPECT_TRUE(counts(LoginFailure::kPendingLogins, 1));
  EXPECT_EQ(in.query("SELECT 1").kind, Reply::Kind::kRows);
  EXPECT_EQ(proxy_->logins().pending.value(), 2);
}

TEST_F(BeforeLoginTest, SilentOnesHaveLessTimeWhenHalfOfThePlacesAreTaken) {
  config_.max_pending_logins = 4;
  config_.login_timeout = std::chrono::hours(1);
  start();
  RawClient one = silent_peer();
  RawClient two = silent_peer();

  EXPECT_TRUE(one.is_closed());

  EXPECT_GE(proxy_->logins().failures[LoginFailure::kTimeout].value(), 1U);
  expect_service();
}

TEST_F(BeforeLoginTest, ALoginIsNoLargerThan80KiB) {
  start();
  RawClient peer = silent_peer();
  peer.send_bytes(half_sent(protocol::kMaxLoginPacketBytes + 1).substr(0, 4));

  EXPECT_TRUE(peer.read_reply().is_error(1153));

  EXPECT_TRUE(peer.is_closed());
  EXPECT_TRUE(counts(LoginFailure::kProtocol, 1));
}

TEST_F(BeforeLoginTest, HalfSentLoginsKeepABoundedSumOfMemory) {
  config_.max_pending_logins = 1000;
  start();
  const std::uint64_t before = resident_memory();
  std::vector<RawClient> peers;
  for (int i = 0; i < 300; ++i) {
    peers.push_back(silent_peer());
    peers.back().send_bytes(half_sent(protocol::kMaxLoginPacketBytes));
  }
  constexpr std::size_t kFit =
      session::LoginPlaces::kMaxBytes / session::LoginPlaces::kMaxBytesOfOne;

  EXPECT_TRUE(eventually(
      [&] { return proxy_->logins().failures[LoginFailure::kMemory].value() >= 300 - kFit - 1; }));
  EXPECT_TRUE(eventually([&] { return proxy_->sessions() <= kFit + 1; }));

  expect_growth_below(20, before);
  expect_service();
}

// Of one byte each, and so many times as long in memory as on the wire.
TEST_F(BeforeLoginTest, ALoginsAttributesAreNotKept) {
  config_.users[0].password_hash = protocol::make_native_hash("pw");
  start();
  const std::uint64_t before = resident_memory();
  std::vector<RawClient> peers;
  for (int i = 0; i < 50; ++i) {
    peers.push_back(silent_peer());
    protocol::LoginRequest request;
    request.capabilities = RawClient::kUsual | protocol::capability::kConnectAttrs;
    request.collation = 45;
    request.user = "app";
    request.auth_plugin = "another";
    request.attributes.assign(16'000, {"a", "b"});
    peers.back().send(protocol::encode_login_request(request), 1);
    EXPECT_EQ(peers.back().read_packet().value_or("").substr(0, 1), "\xFE");  // and now it waits
  }
  expect_growth_below(10, before);
}

// What comes before its turn is not kept by the megabyte.
TEST_F(BeforeLoginTest, WhatAPeerSendsAheadIsBounded) {
  config_.failed_login_delay = std::chrono::hours(1);
  config_.login_timeout = std::chrono::hours(3);
  start();
  const std::uint64_t before = resident_memory();
  std::vector<RawClient> peers;
  for (int i = 0; i < 20; ++i) {
    RawClient::Options wrong = options();
    wrong.password = "wrong";
    peers.emplace_back(wrong);
    ASSERT_FALSE(peers.back().begin_login());
    for (int part = 0; part < 64; ++part)
      peers.back().send_some(std::string(64 << 10U, 'x'));
  }
  expect_service();
  expect_growth_below(6, before);
}

}  // namespace
}  // namespace tidepool::testing
