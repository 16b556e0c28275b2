#include "tidepool/net/descriptor_reserve.h"

#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace tidepool::net {

DescriptorReserve::DescriptorReserve(std::size_t count)
    : count_(count), model_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  kept_.reserve(count);
  while (kept_.size() < count_) {
    UniqueFd fd(::fcntl(model_.get(), F_DUPFD_CLOEXEC, 0));
    if (!fd.is_open()) return;
    kept_.push_back(std::move(fd));
  }
}

UniqueFd DescriptorReserve::take() {
  if (kept_.empty()) return {};
  UniqueFd fd = std::move(kept_.back());
  kept_.pop_back();
  return fd;
}

void DescriptorReserve::give_back(UniqueFd fd) {
  if (kept_.size() == count_) return;
  if (::dup3(model_.get(), fd.get(), O_CLOEXEC) >= 0) kept_.push_back(std::move(fd));
}

}  // namespace tidepool::net
