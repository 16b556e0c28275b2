#include "host_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidepool::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

// 0: it may be answered.
int status_of(std::vector<std::string> hosts, int minor_version = 1) {
  HttpRequest request{.minor_version = minor_version};
  for (std::string& host : hosts)
    request.headers.emplace_back("host", std::move(host));
  const auto refusal = check_host(request, {"tidepool", "pool.example"});
  return refusal ? refusal->status : 0;
}

TEST(HostCheck, LetsAddressesLocalhostAndKnownNamesPass) {
  for (const char* host :
       {"127.0.0.1", "192.0.2.7:6034", "[::1]", "[2001:db8::1]:6034", "::1", "localhost",
        "localhost:6034", "LOCALHOST.", "tidepool:6034", "Pool.Example", "pool.example.:80"}) {
    EXPECT_EQ(status_of({host}), 0) << host;
  }
}

TEST(HostCheck, RefusesAnyOtherName) {
  for (const char* host :
       {"", ":80", "rebound.example", "localhost.rebound.example", "127.0.0.1.rebound.example",
        "127.1", "0x7f000001", "2130706433", "[::1", "[::1]x", "[rebound.example]", "localhost:80x",
        "localhost:80:80", "localhost/", "user@localhost", "a.pool.example",
        "pool.example, localhost", "."}) {
    EXPECT_EQ(status_of({host}), 421) << host;
  }
}

TEST(HostCheck, WantsOneHost) {
  EXPECT_EQ(status_of({}), 400);
  EXPECT_EQ(status_of({}, 0), 0) << "clients of HTTP/1.0 need none";
  EXPECT_EQ(status_of({"localhost", "localhost"}), 400);
  EXPECT_EQ(status_of({"localhost", "localhost"}, 0), 400);
  EXPECT_EQ(status_of({"rebound.example"}, 0), 421);
}

TEST(HostCheck, ShowsLittleOfAWrongName) {
  HttpRequest request;
  request.headers.emplace_back("host", "\x01" + std::string(10'000, 'x'));

  const auto refusal = check_host(request, {});

  EXPECT_LT(refusal->text.size(), 300U);
  EXPECT_THAT(refusal->text, HasSubstr("'?xxx"));
  EXPECT_THAT(refusal->text, HasSubstr("http.hosts"));
}

}  // namespace
}  // namespace tidepool::admin
