#include "http_socket.h"

#include <array>
#include <cerrno>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace tidepool::admin {
namespace {

constexpr int kBacklog = 64;  // connections that the kernel holds meanwhile
constexpr int kRest = 100;    // milliseconds, when none can be accepted
constexpr int kSocketFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;

struct AddressFree {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

std::string text_of(const ListenAddress& address) {
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

tl::unexpected<Error> cannot_listen(const ListenAddress& address, int error) {
  std::string why = "not an address of this machine";
  if (error == EADDRINUSE) why = "the port is taken";
  if (error == EACCES) why = "not permitted";
  return fail(Code::kConfig, "cannot listen for HTTP on " + text_of(address) + ": " + why);
}

// Without SO_REUSEPORT, with which two processes would share a port unnoticed. -1: errno says why.
int bind_to(const addrinfo& address) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | kSocketFlags, 0);
  if (fd < 0) return -1;
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd, address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0)
    return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

}  // namespace

Result<HttpSocket> HttpSocket::open(const ListenAddress& address, int inherited) {
  if (inherited >= 0) return HttpSocket(inherited);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found) != 0) {
    return cannot_listen(address, 0);
  }
  const std::unique_ptr<addrinfo, AddressFree> addresses(found);
  int error = 0;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (const int fd = bind_to(*one); fd >= 0) return HttpSocket(fd);
    error = errno;
    // The other addresses of that name are no place for a second process either.
    if (error == EADDRINUSE) break;
  }
  return cannot_listen(address, error);
}

HttpSocket::HttpSocket(HttpSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

HttpSocket::~HttpSocket() {
  if (fd_ >= 0) ::close(fd_);
}

std::uint16_t HttpSocket::port() const {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  return ntohs(address.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(address).sin_port
                                            : reinterpret_cast<sockaddr_in6&>(address).sin6_port);
}

int HttpSocket::accept(int wake) const {
  std::array<pollfd, 2> waiting = {
      {{.fd = fd_, .events = POLLIN, .revents = 0}, {.fd = wake, .events = POLLIN, .revents = 0}}};
  if (::poll(waiting.data(), waiting.size(), -1) <= 0 || waiting[1].revents != 0) return -1;
  const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
    (void)::poll(&waiting[1], 1, kRest);  // out of descriptors: it would be told again at once
  }
  const int yes = 1;
  if (fd >= 0) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

}  // namespace tidepool::admin
