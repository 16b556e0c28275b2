// The keys that say how a client proves who it is, and what follows from one for another.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_support.h"

namespace tidepool::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kPools = "pools: [{host: h, user: u, password: p}]\n";

std::string with_user(const std::string& keys) {
  return kPools + "users: [{name: app, " + keys + "}]\n";
}
std::string with_listener(const std::string& keys) {
  return kPools + "listeners: [{" + keys + "}]\n";
}
std::string warnings_of(const LoadResult& result) {
  return result ? lines(result->warnings) : problems_of(result);
}

TEST(LoginKeys, AUserMayHaveTwoPasswords) {
  const TemporaryFile file("old\n");
  const Config text = config_of(load(with_user("password: new, secondary_password: old")));
  const Config read =
      config_of(load(with_user("password: new, secondary_password_file: " + file.path())));
  const Config hash = config_of(load(with_user(
      "password: new, secondary_password_hash: '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'")));

  EXPECT_TRUE(text.users[0].has_secondary_password);
  EXPECT_EQ(text.users[0].secondary_password, "old");
  EXPECT_EQ(read.users[0].secondary_password, "old");
  EXPECT_EQ(hash.users[0].secondary_password_hash, "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19");
  EXPECT_FALSE(config_of(load(with_user("password: new"))).users[0].has_secondary_password);
}

TEST(LoginKeys, WhatIsWrongWithASecondPasswordIsSaid) {
  EXPECT_THAT(problems_of(load(with_user("secondary_password: old"))),
              HasSubstr("users[0].password: found nothing"));
  EXPECT_THAT(problems_of(load(with_user("certificate_names: [a], secondary_password: old"))),
              HasSubstr("users[0].secondary_password: found a second password without a first"));
  EXPECT_THAT(problems_of(load(with_user("password: x, secondary_password_hash: hush"))),
              HasSubstr("users[0].secondary_password_hash: found something else, allowed: *"));
  EXPECT_THAT(problems_of(load(with_user(
                  "password: x, secondary_password: y, secondary_password_file: /nowhere"))),
              HasSubstr("users[0].secondary_password_file: found beside"));
}

TEST(LoginKeys, AnEmptySecondPasswordIsAMistake) {
  const TemporaryFile file("\n");
  EXPECT_THAT(problems_of(load(with_user("password: x, secondary_password: ''"))),
              HasSubstr("users[0].secondary_password: found an empty one"));
  EXPECT_THAT(problems_of(load(with_user("password: x, secondary_password_file: " + file.path()))),
              HasSubstr("users[0].secondary_password_file: found an empty one"));
}

// SHOW CREATE USER with print_identified_with_as_hex.
TEST(LoginKeys, AHashMayBeInHexAsMysqlPrintsIt) {
  std::string hex = "0x24412430303524";  // $A$005$
  for (int i = 0; i < 20; ++i)
    hex += "0b";  // no byte of a salt need be printable
  for (int i = 0; i < 43; ++i)
    hex += i % 2 == 0 ? "2E" : "7a";
  EXPECT_EQ(config_of(load(with_user("password_hash: " + hex))).users[0].password_hash, hex);
  EXPECT_EQ(config_of(load(with_user("password: x, secondary_password_hash: '" + hex + "'")))
                .users[0]
                .secondary_password_hash,
            hex);
  for (const std::string& bad :
       {hex.substr(0, hex.size() - 2), hex.substr(0, hex.size() - 1), hex + "2E", "0x" + hex,
        "0x25" + hex.substr(4), "0xg4" + hex.substr(4), std::string("0x"),
        hex.substr(0, hex.size() - 2) + "21", "0X" + hex.substr(2)}) {
    const std::string problems = problems_of(load(with_user("password_hash: '" + bad + "'")));
    EXPECT_THAT(problems, HasSubstr("users[0].password_hash: found ")) << bad;
    EXPECT_THAT(problems, HasSubstr("140 hex digits after 0x")) << bad;
    EXPECT_THAT(problems, testing::Not(HasSubstr(bad.substr(2, 20) + "0b")))
        << "it may be a secret";
  }
}

TEST(LoginKeys, UnixUsersMustBeKnownUnlessTheyAreNumbers) {
  const std::string listener = "listeners: [{socket: /tmp/s}]\n";
  for (const char* good : {"root", "'0'", "'4000000000'"})
    EXPECT_TRUE(load(listener + with_user(std::string("unix_users: [") + good + "]"))) << good;
  for (const char* bad : {"no-such-user", "'4294967295'", "'99999999999'", "'-1'", "' 0'", "''"}) {
    EXPECT_THAT(problems_of(load(listener + with_user(std::string("unix_users: [") + bad + "]"))),
                HasSubstr("users[0].unix_users"))
        << bad;
  }
  EXPECT_THAT(problems_of(load(listener + with_user("unix_users: [no-such-user]"))),
              HasSubstr("found no-such-user, whom this machine does not know"));
}

TEST(LoginKeys, WhoeverProvesItselfOtherwiseNeedsNoPassword) {
  const User by_both =
      config_of(load(with_user("certificate_names: [a, b], unix_users: ['1000']"))).users[0];

  EXPECT_FALSE(by_both.has_password);
  EXPECT_THAT(by_both.certificate_names, ElementsAre("a", "b"));
  EXPECT_THAT(by_both.unix_users, ElementsAre("1000"));
  EXPECT_TRUE(config_of(load(with_user("password: x, unix_users: [root]"))).users[0].has_password);
  EXPECT_THAT(problems_of(load(with_user("certificate_names: []"))),
              HasSubstr("certificate_names: found a list, allowed: a list of names"));
  EXPECT_THAT(problems_of(load(with_user("certificate_names: ['']"))),
              HasSubstr("certificate_names: found \"\", allowed: a list of names"));
}

TEST(LoginKeys, AProofThatNoListenerTakesIsDoubtful) {
  EXPECT_THAT(warnings_of(load(with_user("certificate_names: [a]"))),
              HasSubstr("no listener takes certificates of clients"));
  EXPECT_THAT(warnings_of(load(with_user("unix_users: [root]"))),
              HasSubstr("no listener is a Unix socket"));
  EXPECT_EQ(warnings_of(load("listeners: [{socket: /s}]\n" + with_user("unix_users: [root]"))), "");
}

TEST(LoginKeys, NetworksAreListsOfRanges) {
  const User user =
      config_of(load(with_user("password: x, networks: [10.0.0.0/8, '::1']"))).users[0];

  ASSERT_EQ(user.networks.size(), 2U);
  EXPECT_TRUE(user.networks[0].contains("10.1.2.3"));
  EXPECT_TRUE(user.networks[1].contains("::1"));
  EXPECT_THAT(problems_of(load(with_user("password: x, networks: [10.0.0.1/8]"))),
              HasSubstr("networks: found \"10.0.0.1/8\", allowed: a list of networks such as"));
}

TEST(LoginKeys, AClientCaMeansThatACertificateIsNeeded) {
  const TemporaryFile pem("-----");
  const std::string tls =
      "mode: required, certificate: " + pem.path() + ", key: " + pem.path() + ", ";
  const auto verify = [](const std::string& text) {
    return config_of(load(text)).listeners[0].tls.verify_client;
  };
  const std::string with_ca = tls + "client_ca: " + pem.path();

  EXPECT_EQ(verify(with_listener("tls: {" + with_ca + "}")), VerifyClient::kRequired);
  EXPECT_EQ(verify(with_listener("tls: {" + with_ca + ", verify_client: optional}")),
            VerifyClient::kOptional);
  EXPECT_EQ(verify(with_listener("tls: {" + with_ca + ", verify_client: 'off'}")),
            VerifyClient::kOff);
  EXPECT_THAT(problems_of(load(with_listener("tls: {" + tls + "verify_client: optional}"))),
              HasSubstr("verify_client: found without tls.client_ca"));
  EXPECT_THAT(problems_of(load(with_listener("tls: {client_ca: " + pem.path() + "}"))),
              HasSubstr("client_ca: found while tls.mode is off"));
  EXPECT_THAT(problems_of(load(with_listener("tls: {" + tls + "client_ca: /nowhere/ca}"))),
              HasSubstr("client_ca: found /nowhere/ca, which cannot be read"));
}

TEST(LoginKeys, APasswordItselfIsAskedForOnlyWhereNobodyReadsAlong) {
  EXPECT_TRUE(config_of(load(with_listener("socket: /s, clear_password: true")))
                  .listeners[0]
                  .clear_password);
  EXPECT_THAT(problems_of(load(with_listener("clear_password: true"))),
              HasSubstr("clear_password: found true where nothing encrypts it"));
}

TEST(LoginKeys, ProxyHeadersComeFromNetworks) {
  const Config config = config_of(load(with_listener("proxy_protocol_networks: 10.0.0.0/8")));

  ASSERT_EQ(config.listeners[0].proxy_protocol_networks.size(), 1U);
  EXPECT_EQ(config.listeners[0].proxy_protocol_networks[0].text(), "10.0.0.0/8");
  EXPECT_THAT(problems_of(load(with_listener("socket: /s, proxy_protocol_networks: [10.0.0.0/8]"))),
              HasSubstr("proxy_protocol_networks: found on a Unix socket"));
}

TEST(LoginKeys, APinnedKeyMakesRequiredUndoubtful) {
  const TemporaryFile pem("-----");
  const std::string pool = "pools: [{host: h, user: u, password: p, tls: {mode: ";
  const std::string key = "server_public_key: " + pem.path() + "}}]";

  EXPECT_EQ(warnings_of(load(pool + "required, " + key)), "");
  EXPECT_THAT(problems_of(load(pool + "disabled, allow_plaintext: true, " + key)),
              HasSubstr("server_public_key: found a key although TLS is disabled"));
  EXPECT_THAT(problems_of(load(pool + "required, server_public_key: /nowhere}}]")),
              HasSubstr("server_public_key: found /nowhere, which cannot be read"));
}

TEST(LoginKeys, APoolForPassthroughNeedsNoAccount) {
  const Config config = config_of(load("pools: [{host: h, passthrough: true}]"));

  EXPECT_TRUE(config.pools[0].passthrough);
  EXPECT_TRUE(config.users.empty());
  EXPECT_THAT(problems_of(load("pools: [{host: h}]")), HasSubstr("user: found nothing"));
  EXPECT_THAT(problems_of(load("pools: [{host: h, passthrough: true}]\n"
                               "users: [{name: a, password: b}]")),
              HasSubstr("users[0].pool: found \"default\", which has no user of TiDB"));
  EXPECT_THAT(problems_of(load("pools: [{name: a, host: h, passthrough: true}, "
                               "{name: b, host: h, passthrough: true}]")),
              HasSubstr("pools[1].passthrough: found true a second time"));
  EXPECT_THAT(problems_of(load("pools: [{name: a, host: h, passthrough: true}, "
                               "{name: a/1, host: h, user: u, password: p}]")),
              HasSubstr("found a pool named a/1"));
}

}  // namespace
}  // namespace tidepool::config
