#include "tidepool/net/peer_user.h"

#include <fstream>
#include <sys/socket.h>

namespace tidepool::net {
namespace {

uid_t read_overflow_user() {
  constexpr uid_t kUsual = 65534;
  std::ifstream file("/proc/sys/kernel/overflowuid");
  uid_t number = kUsual;
  return file >> number ? number : kUsual;
}

}  // namespace

uid_t overflow_user() {
  static const uid_t number = read_overflow_user();
  return number;
}

std::optional<uid_t> peer_user_of(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return std::nullopt;
  // Of TCP the kernel answers with no user. That the process itself has no number here (pid 0)
  // means only that it is in another container.
  constexpr auto kNone = static_cast<uid_t>(-1);
  if (peer.uid == kNone || peer.uid == overflow_user()) return std::nullopt;
  return peer.uid;
}

}  // namespace tidepool::net
