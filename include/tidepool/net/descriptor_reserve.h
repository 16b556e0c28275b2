// File descriptors that are kept for the time when the process has none left: each makes room for
// one connection that must be served all the same. On one thread.
#pragma once

#include <cstddef>
#include <vector>

#include "tidepool/net/fd.h"

namespace tidepool::net {

class DescriptorReserve {
 public:
  // Has fewer where the process has no more even now.
  explicit DescriptorReserve(std::size_t count);

  // For the caller to close, and to be quick with what it needs it for: other threads look for
  // descriptors too. None is left: not open.
  UniqueFd take();
  // What it was needed for is over: `fd` itself becomes a reserved one, without ever being free for
  // another thread, or is closed if none is missing.
  void give_back(UniqueFd fd);

  std::size_t size() const { return kept_.size(); }

 private:
  std::size_t count_;
  UniqueFd model_;  // what a reserved one is a copy of
  std::vector<UniqueFd> kept_;
};

}  // namespace tidepool::net
