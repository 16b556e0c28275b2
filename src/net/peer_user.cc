#include "tidepool/net/peer_user.h"

#include <fstream>
#include <sys/socket.h>
#include <sys/un.h>

namespace tidepool::net {
namespace {

uid_t read_overflow_user() {
  constexpr uid_t kUsual = 65534;
  std::ifstream file("/proc/sys/kernel/overflowuid");
  uid_t number = kUsual;
  return file >> number ? number : kUsual;
}

bool is_unix(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0 &&
         address.ss_family == AF_UNIX;
}

}  // namespace

uid_t overflow_user() {
  static const uid_t number = read_overflow_user();
  return number;
}

std::optional<uid_t> peer_user_of(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (!is_unix(fd) || ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
    return std::nullopt;
  if (peer.pid == 0 || peer.uid == overflow_user()) return std::nullopt;
  return peer.uid;
}

}  // namespace tidepool::net
