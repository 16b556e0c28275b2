#include "tidepool/net/listener.h"

#include <arpa/inet.h>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <optional>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <gtest/gtest.h>

#include "certificates.h"
#include "loop_run.h"
#include "tidepool/net/descriptor_reserve.h"
#include "tidepool/net/socket.h"

namespace tidepool::net {
namespace {

using testing::run_until;
using testing::TemporaryDirectory;

void connect_to(std::uint16_t port, const UniqueFd& fd) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
}

UniqueFd connect_tcp(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
  connect_to(port, fd);
  return fd;
}

bool connect_unix(const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(static_cast<void*>(address.sun_path), path.data(), path.size());
  return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

TEST(Listener, AcceptsOnAPortOfTheSystemsChoice) {
  Loop loop;
  std::vector<Accepted> accepted;
  const auto listener = Listener::tcp(loop, "127.0.0.1", 0, 16,
                                      [&](Accepted one) { accepted.push_back(std::move(one)); });
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_NE((*listener)->port(), 0);
  EXPECT_EQ((*listener)->address(), "127.0.0.1:" + std::to_string((*listener)->port()));
  const UniqueFd one = connect_tcp((*listener)->port());
  const UniqueFd two = connect_tcp((*listener)->port());
  EXPECT_TRUE(run_until(loop, [&] { return accepted.size() == 2; }));
  EXPECT_EQ(accepted[0].peer.substr(0, 10), "127.0.0.1:");
  EXPECT_FALSE(accepted[0].is_unix);
}

TEST(Listener, ListensOnEveryAddress) {
  Loop loop;
  int accepted = 0;
  const auto listener = Listener::tcp(loop, "*", 0, 16, [&](const Accepted&) { ++accepted; });
  ASSERT_TRUE(listener) << listener.error().message;
  const UniqueFd one = connect_tcp((*listener)->port());
  EXPECT_TRUE(run_until(loop, [&] { return accepted == 1; }));
}

TEST(Listener, SharesAPortAmongLoops) {
  Loop loop;
  Loop other;
  const auto first = Listener::tcp(loop, "127.0.0.1", 0, 16, [](const Accepted&) {});
  ASSERT_TRUE(first);
  int accepted = 0;
  const auto second = (*first)->share(other, 16, [&](const Accepted&) { ++accepted; });
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ((*second)->address(), (*first)->address());

  std::vector<UniqueFd> clients;
  while (accepted == 0 && clients.size() < 1000) {  // each goes to one of two queues
    clients.push_back(connect_tcp((*first)->port()));
    bool looked = false;
    EXPECT_TRUE(run_until(other, [&] { return std::exchange(looked, true); }));
  }
  EXPECT_GT(accepted, 0);
}

TEST(Listener, LetsNobodyElseListenOnItsPort) {
  for (const std::string first : {"127.0.0.1", "0.0.0.0", "::", "*"}) {
    Loop loop;
    const auto owner = Listener::tcp(loop, first, 0, 16, [](const Accepted&) {});
    ASSERT_TRUE(owner) << owner.error().message;
    const auto shared = (*owner)->share(loop, 16, [](const Accepted&) {});
    ASSERT_TRUE(shared) << shared.error().message;
    const std::string port = std::to_string((*owner)->port());
    for (const std::string second : {"127.0.0.1", "0.0.0.0", "*", "localhost"}) {
      const auto other = Listener::tcp(loop, second, (*owner)->port(), 16, [](const Accepted&) {});
      ASSERT_FALSE(other) << first << " and " << second;
      EXPECT_EQ(other.error().message,
                "cannot listen on '" + second + "' port " + port + ": Address already in use");
      EXPECT_EQ(other.error().code, Code::kConfig);
    }
  }
}

// In a takeover "*" may take the place of one address.
TEST(Listener, LetsAnotherAddressOfItsPortBesideItIfToldSo) {
  Loop loop;
  const auto before = Listener::tcp(loop, "127.0.0.1", 0, 16, [](const Accepted&) {});
  ASSERT_TRUE(before);
  const auto after = Listener::tcp(
      loop, "0.0.0.0", (*before)->port(), 16, [](const Accepted&) {}, Port::kShared);
  EXPECT_TRUE(after) << after.error().message;
}

TEST(Listener, LeavesAFileAloneThatIsAnotherOnesNow) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("sock");
  Loop loop;
  auto first = Listener::unix_socket(loop, path, 0600, 16, [](const Accepted&) {}).value();
  std::filesystem::rename(path, path + ".old");
  const auto second = Listener::unix_socket(loop, path, 0600, 16, [](const Accepted&) {});
  ASSERT_TRUE(second) << second.error().message;

  first.reset();

  EXPECT_TRUE(connect_unix(path));
}

TEST(Listener, OpensAUnixSocketWhereSomebodyElseHoldsTheFolder) {
  const TemporaryDirectory directory;
  const UniqueFd held(::open(directory.file("").c_str(), O_RDONLY | O_DIRECTORY));
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  Loop loop;
  const auto listener =
      Listener::unix_socket(loop, directory.file("sock"), 0600, 16, [](const Accepted&) {});
  EXPECT_TRUE(listener) << listener.error().message;
}

TEST(Listener, SaysWhatIsWrongWithTheAddress) {
  Loop loop;
  const auto listener = Listener::tcp(loop, "192.0.2.1", 0, 16, [](const Accepted&) {});
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().message,
            "cannot listen on '192.0.2.1' port 0: Cannot assign requested address");
}

TEST(Listener, OwnsItsUnixSocket) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("sock");
  Loop loop;
  int accepted = 0;
  {
    const auto listener = Listener::unix_socket(
        loop, path, 0600, 16, [&](const Accepted& one) { accepted += one.is_unix; });
    ASSERT_TRUE(listener) << listener.error().message;
    struct stat status {};
    ::stat(path.c_str(), &status);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    EXPECT_TRUE(connect_unix(path));
    EXPECT_TRUE(run_until(loop, [&] { return accepted == 1; }));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Listener, SharesAUnixSocketWithAnotherLoop) {
  const TemporaryDirectory directory;
  Loop loop;
  Loop other;
  int accepted = 0;
  const auto listener =
      Listener::unix_socket(loop, directory.file("sock"), 0600, 16, [](const Accepted&) {});
  ASSERT_TRUE(listener);
  const auto shared = (*listener)->share(other, 16, [&](const Accepted&) { ++accepted; });
  ASSERT_TRUE(shared);
  EXPECT_TRUE(connect_unix(directory.file("sock")));
  EXPECT_TRUE(run_until(other, [&] { return accepted == 1; }));
}

TEST(Listener, HandsAUnixSocketOverWithItsFile) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("sock");
  Loop loop;
  int accepted = 0;
  auto first = Listener::unix_socket(loop, path, 0600, 16, [](const Accepted&) {}).value();
  auto second = Listener::from_fd(loop, UniqueFd(::dup(first->fd())), [&](const Accepted&) {
                  ++accepted;
                }).value();
  first->disown_file();
  first.reset();
  EXPECT_TRUE(connect_unix(path));
  EXPECT_TRUE(run_until(loop, [&] { return accepted == 1; }));

  second->own_file(0640);

  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
  second.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Listener, ReplacesAUnixSocketThatNobodyListensOn) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("sock");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(static_cast<void*>(address.sun_path), path.data(), path.size());
  UniqueFd(::socket(AF_UNIX, SOCK_STREAM, 0)).reset();
  {
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  Loop loop;
  const auto listener = Listener::unix_socket(loop, path, 0600, 16, [](const Accepted&) {});
  ASSERT_TRUE(listener) << listener.error().message;
  const auto second = Listener::unix_socket(loop, path, 0600, 16, [](const Accepted&) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "cannot listen on '" + path + "': another process listens on it");
  EXPECT_TRUE(connect_unix(path));
}

TEST(Listener, LeavesAFileAloneThatIsNoSocket) {
  const TemporaryDirectory directory;
  std::ofstream(directory.file("data")) << "precious";
  Loop loop;
  EXPECT_FALSE(
      Listener::unix_socket(loop, directory.file("data"), 0600, 16, [](const Accepted&) {}));
  EXPECT_TRUE(std::filesystem::exists(directory.file("data")));
}

TEST(Listener, LetsWhoComesWaitWhileItIsPaused) {
  Loop loop;
  int accepted = 0;
  int other_accepted = 0;
  const auto listener =
      Listener::tcp(loop, "127.0.0.1", 0, 16, [&](const Accepted&) { ++accepted; });
  const auto other =
      Listener::tcp(loop, "127.0.0.1", 0, 16, [&](const Accepted&) { ++other_accepted; });
  ASSERT_TRUE(listener && other);
  (*listener)->pause();
  const UniqueFd waits = connect_tcp((*listener)->port());
  const UniqueFd later = connect_tcp((*other)->port());
  ASSERT_TRUE(run_until(loop, [&] { return other_accepted == 1; }));
  EXPECT_EQ(accepted, 0);

  (*listener)->resume();

  EXPECT_TRUE(run_until(loop, [&] { return accepted == 1; }));
}

// Takes every descriptor that is left.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 200;
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0))
      taken_.emplace_back(fd);
  }
  void give_back(std::size_t count) { taken_.resize(taken_.size() - count); }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
  std::vector<UniqueFd> taken_;
};

TEST(Listener, AcceptsWithADescriptorOfTheReserve) {
  Loop loop;
  std::vector<Accepted> accepted;
  const auto listener = Listener::tcp(loop, "127.0.0.1", 0, 16,
                                      [&](Accepted one) { accepted.push_back(std::move(one)); });
  ASSERT_TRUE(listener);
  DescriptorReserve reserve(2);
  (*listener)->set_spare([&] { return reserve.take(); });
  const std::vector<UniqueFd> clients = [] {
    std::vector<UniqueFd> some;
    for (int i = 0; i < 3; ++i)
      some.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
    return some;
  }();
  const NoDescriptors full;

  connect_to((*listener)->port(), clients[0]);
  EXPECT_TRUE(run_until(loop, [&] { return accepted.size() == 1; }));
  EXPECT_EQ(reserve.size(), 1U) << "none was given up for nobody";
  connect_to((*listener)->port(), clients[1]);
  EXPECT_TRUE(run_until(loop, [&] { return accepted.size() == 2; }));
  connect_to((*listener)->port(), clients[2]);
  EXPECT_TRUE(run_until(loop, [&] { return (*listener)->refused() == 1; }));

  reserve.give_back(std::move(accepted[0].fd));
  EXPECT_EQ(reserve.size(), 1U);
  char byte = 0;
  EXPECT_EQ(::recv(clients[0].get(), &byte, 1, 0), 0) << "its connection has ended";
}

TEST(DescriptorReserve, KeepsNoMoreThanItsNumber) {
  DescriptorReserve reserve(2);
  EXPECT_EQ(reserve.size(), 2U);

  UniqueFd extra(::dup(0));
  const int number = extra.get();
  reserve.give_back(std::move(extra));

  EXPECT_EQ(reserve.size(), 2U);
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
  EXPECT_TRUE(reserve.take().is_open());
  EXPECT_TRUE(reserve.take().is_open());
  EXPECT_FALSE(reserve.take().is_open());
}

TEST(Listener, RefusesWhenOutOfDescriptorsAndRecovers) {
  Loop loop;
  std::vector<Accepted> accepted;
  const auto listener = Listener::tcp(loop, "127.0.0.1", 0, 16,
                                      [&](Accepted one) { accepted.push_back(std::move(one)); });
  ASSERT_TRUE(listener);
  int told = 0;
  (*listener)->set_refusal("full", [&told] { ++told; });
  std::optional<NoDescriptors> full;
  UniqueFd client(::socket(AF_INET, SOCK_STREAM, 0));
  full.emplace();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons((*listener)->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(run_until(loop, [&] { return (*listener)->refused() == 1; }));
  EXPECT_EQ(told, 1);
  std::string heard(8, ' ');
  heard.resize(static_cast<std::size_t>(::recv(client.get(), heard.data(), heard.size(), 0)));
  EXPECT_EQ(heard, "full");
  EXPECT_EQ(::recv(client.get(), heard.data(), heard.size(), 0), 0);  // told at once
  full.reset();
  const UniqueFd later = connect_tcp((*listener)->port());
  EXPECT_TRUE(run_until(loop, [&] { return accepted.size() == 1; }));
}

TEST(Network, IsTheAddressOrWhatOneCustomerHas) {
  EXPECT_EQ(net::network_of("192.0.2.1:5123"), "192.0.2.1");
  EXPECT_EQ(net::network_of("[::ffff:192.0.2.1]:5123"), "192.0.2.1");
  EXPECT_EQ(net::network_of("[2001:db8:1:2:3:4:5:6]:5123"), "2001:db8:1:2::/64");
  EXPECT_EQ(net::network_of("[2001:db8:1:2::9]:1"), "2001:db8:1:2::/64");
  EXPECT_EQ(net::network_of("[::ffff:0:1]:1"), "::/64") << "no IPv4 address";
  for (const char* here :
       {"127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "unix", ""})
    EXPECT_EQ(net::network_of(here), "") << here;
}

}  // namespace
}  // namespace tidepool::net
