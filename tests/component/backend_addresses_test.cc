// A name with several addresses: they are tried in turn, all within connect_timeout, and the
// certificate must be for the name.
#include <arpa/inet.h>
#include <array>
#include <filesystem>
#include <iterator>
#include <netinet/in.h>
#include <sys/socket.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dial_helper.h"
#include "fake_mysql.h"
#include "fake_names.h"

namespace tidepool::backend {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeMysql;
using testing::FakeName;
using ::testing::HasSubstr;

constexpr const char* kName = "gateway.tidepool.test";
constexpr const char* kServer = "127.0.0.1";      // where the fake listens
constexpr const char* kElsewhere = "127.0.0.77";  // nobody listens, unless a Blackhole does
constexpr const char* kNowhere = "127.0.0.78";

sockaddr_in address_of(const char* host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

std::size_t count_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// Swallows what wants to connect: a listener whose queue is full and never taken from.
class Blackhole {
 public:
  Blackhole(const char* host, std::uint16_t port) : listener_(make_socket(0)) {
    const sockaddr_in address = address_of(host, port);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), generic, sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), 0), 0);
    for (net::UniqueFd& one : queued_) {
      one = make_socket(SOCK_NONBLOCK);
      ::connect(one.get(), generic, sizeof address);
    }
  }

 private:
  static net::UniqueFd make_socket(int flags) {
    return net::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  }
  net::UniqueFd listener_;
  std::array<net::UniqueFd, 4> queued_;
};

class AddressesTest : public ::testing::Test {
 protected:
  FakeMysql::Options script_for(const std::string& certificate_name) {
    FakeMysql::Options script;
    script.tls = authority_.issue({certificate_name});
    return script;
  }
  DialOptions options_for(const FakeMysql& server) const {
    DialOptions options;
    options.endpoints = {{kName, server.port()}};
    options.user = "app";
    options.password = "secret";
    options.ca_file = authority_.file();
    return options;
  }

  testing::CertificateAuthority authority_;
  net::Loop loop_;
};

TEST_F(AddressesTest, TheSecondIsTakenWhenTheFirstRefuses) {
  const FakeName name(kName, {kElsewhere, kServer});
  const FakeMysql server(script_for(kName));

  const auto connection = testing::dial_to(loop_, options_for(server));

  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ((*connection)->info().peer, "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ((*connection)->info().endpoint.host, kName);
  EXPECT_EQ(server.logins().at(0).server_name, kName) << "the name is asked for, not the address";
}

TEST_F(AddressesTest, AnotherFamilyIsTakenWhenTheFirstRefuses) {
  const FakeName name(kName, {"::1", kServer});
  const FakeMysql server(script_for(kName));

  const auto connection = testing::dial_to(loop_, options_for(server));

  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ((*connection)->info().peer, "127.0.0.1:" + std::to_string(server.port()));
}

TEST_F(AddressesTest, TheSecondHasItsShareOfTheTimeWhenTheFirstIsABlackHole) {
  const FakeName name(kName, {kElsewhere, kServer});
  const FakeMysql server(script_for(kName));
  const Blackhole hole(kElsewhere, server.port());
  DialOptions options = options_for(server);
  options.connect_timeout = seconds(4);

  const auto connection = testing::dial_to(loop_, options);

  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ((*connection)->info().peer, "127.0.0.1:" + std::to_string(server.port()));
}

TEST_F(AddressesTest, TheLastOfManyIsReached) {
  const FakeName name(kName, {kElsewhere, kNowhere, "::1", kElsewhere, kServer});
  const FakeMysql server(script_for(kName));

  const auto connection = testing::dial_to(loop_, options_for(server));

  ASSERT_TRUE(connection) << connection.error().message;
}

TEST_F(AddressesTest, NoSocketIsLeftOfThoseThatRefused) {
  const FakeName name(kName, {kElsewhere, kNowhere, kServer});
  const FakeMysql server(script_for(kName));
  const auto first = testing::dial_to(loop_, options_for(server));  // with all that stays open
  ASSERT_TRUE(first) << first.error().message;
  const std::size_t before = count_descriptors();

  const auto second = testing::dial_to(loop_, options_for(server));

  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(count_descriptors(), before + 2) << "the connection, and its other end in the fake";
}

TEST_F(AddressesTest, BlackHolesOnlyEndAtConnectTimeout) {
  const FakeName name(kName, {kElsewhere, kNowhere});
  const FakeMysql server(script_for(kName));  // for a port of its own
  const Blackhole first(kElsewhere, server.port());
  const Blackhole second(kNowhere, server.port());
  DialOptions options = options_for(server);
  options.connect_timeout = milliseconds(600);
  const TimePoint begun = Clock::now();

  const auto connection = testing::dial_to(loop_, options);

  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code, Code::kTimeout) << connection.error().message;
  EXPECT_THAT(connection.error().message,
              HasSubstr("no connection within 600 ms: stuck connecting"));
  EXPECT_GE(Clock::now() - begun, milliseconds(600)) << "both had their share";
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(AddressesTest, ACertificateForAnotherNameIsRefusedAtWhateverAddress) {
  const FakeName name(kName, {kElsewhere, kServer});
  for (const char* other : {"other.tidepool.test", kServer, kElsewhere}) {
    const FakeMysql server(script_for(other));

    const auto connection = testing::dial_to(loop_, options_for(server));

    ASSERT_FALSE(connection);
    EXPECT_EQ(connection.error().code, Code::kTls);
    EXPECT_THAT(connection.error().message,
                HasSubstr("the server's certificate is for '" + std::string(other) +
                          "', not for '" + kName + "'"));
    EXPECT_TRUE(server.logins().empty()) << "nothing secret was sent";
  }
}

TEST_F(AddressesTest, TheNextEndpointHasItsTimeWhenAllAddressesOfTheFirstAreBlackHoles) {
  const FakeName name(kName, {kElsewhere, kNowhere});
  const FakeMysql server(script_for("localhost"));
  const Blackhole first(kElsewhere, server.port());
  const Blackhole second(kNowhere, server.port());
  DialOptions options = options_for(server);
  options.endpoints.push_back({"localhost", server.port()});
  options.connect_timeout = seconds(4);

  const auto connection = testing::dial_to(loop_, options);

  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ((*connection)->info().endpoint.host, "localhost");
}

TEST_F(AddressesTest, ADialIsInterruptedAtABlackHole) {
  const FakeName name(kName, {kElsewhere, kServer});
  const FakeMysql server(script_for(kName));
  const Blackhole hole(kElsewhere, server.port());
  DialOptions options = options_for(server);
  options.connect_timeout = std::chrono::hours(1);
  {
    const DialHandle handle = dial(loop_, options, [](const auto&) { FAIL(); });
    EXPECT_TRUE(handle.is_pending());
  }
  // The loop's end waits for the thread that dials, but not for an hour.
}

}  // namespace
}  // namespace tidepool::backend
