#include "listen_socket.h"

#include <cerrno>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>
#include <utility>

namespace tidepool::admin {
namespace {

constexpr int kBacklog = 1024;  // connections that the kernel holds meanwhile
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

// Not open: errno says why.
net::UniqueFd bind_to(const addrinfo& address) {
  net::UniqueFd fd(::socket(address.ai_family, SOCK_STREAM | kSocketFlags, 0));
  if (!fd.is_open()) return fd;
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd.get(), address.ai_addr, address.ai_addrlen) == 0 &&
      ::listen(fd.get(), kBacklog) == 0) {
    return fd;
  }
  const int error = errno;
  fd.reset();
  errno = error;
  return fd;
}

}  // namespace

Result<net::UniqueFd> open_socket(const ListenAddress& address) {
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
    net::UniqueFd fd = bind_to(*one);
    if (fd.is_open()) return fd;
    error = errno;
    // The other addresses of that name are no place for a second process either.
    if (error == EADDRINUSE) break;
  }
  return cannot_listen(address, error);
}

}  // namespace tidepool::admin
