#include "tidepool/net/fd.h"

#include <unistd.h>

namespace tidepool::net {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

}  // namespace tidepool::net
