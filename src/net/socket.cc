#include "tidepool/net/socket.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string_view>
#include <system_error>

namespace tidepool::net {
namespace {

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

int whole_seconds(Duration duration) {
  return std::max(1, static_cast<int>(std::chrono::ceil<std::chrono::seconds>(duration).count()));
}

Code code_of_errno(int number) {
  switch (number) {
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case ENOTCONN: return Code::kClosed;
    case ETIMEDOUT: return Code::kTimeout;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH: return Code::kRefused;
    default: return Code::kInternal;
  }
}

}  // namespace

void set_no_delay(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void set_keep_alive(int fd, const KeepAlive& settings) {
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, whole_seconds(settings.idle));
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, whole_seconds(settings.interval));
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, settings.probes);
  const auto user_timeout = std::chrono::ceil<std::chrono::milliseconds>(settings.user_timeout);
  if (user_timeout.count() > 0) {
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(user_timeout.count()));
  }
}

std::string to_text(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  return address.ss_family == AF_UNIX ? "unix" : "";
}

std::string_view address_of(std::string_view peer) {
  const std::size_t colon = peer.rfind(':');
  if (colon == std::string_view::npos) return {};
  const bool is_v6 = peer.front() == '[' && colon >= 2;
  return is_v6 ? peer.substr(1, colon - 2) : peer.substr(0, colon);
}

std::string network_of(const std::string& peer) {
  std::string host(address_of(peer));
  if (host.empty()) return {};
  const bool is_v6 = peer.front() == '[';
  std::array<unsigned char, sizeof(in6_addr)> v6{};
  if (is_v6 && ::inet_pton(AF_INET6, host.c_str(), v6.data()) == 1) {
    constexpr std::string_view kMapped = "::ffff:";  // an IPv4 peer of a socket for both
    if (!host.starts_with(kMapped) || host.find('.') == std::string::npos) {
      if (host == "::1") return {};
      std::fill(v6.begin() + v6.size() / 2, v6.end(), 0);
      std::array<char, INET6_ADDRSTRLEN> text{};
      ::inet_ntop(AF_INET6, v6.data(), text.data(), text.size());
      return std::string(text.data()) + "/64";
    }
    host.erase(0, kMapped.size());
  }
  return host.starts_with("127.") ? std::string() : host;
}

std::string peer_of(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return to_text(address);
}

Error error_of_errno(const char* what, int number) {
  return Error{code_of_errno(number),
               std::string(what) + ": " + std::generic_category().message(number)};
}

}  // namespace tidepool::net
