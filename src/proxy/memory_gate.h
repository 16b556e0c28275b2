// Whether new clients are let in, by the memory that the process has. Pure; on the main thread.
//
// Closed beyond the limit, open again a tenth below it: what is under way ends and gives back what
// it has. Without clients it is always open, for then waiting would change nothing.
#pragma once

#include <cstdint>

namespace tidepool::proxy {

class MemoryGate {
 public:
  // `limit` and `resident` in bytes; limit 0: always open.
  bool is_open(std::uint64_t limit, std::uint64_t resident, std::int64_t clients) {
    const std::uint64_t bound = closed_ ? limit - limit / 10 : limit;
    closed_ = limit > 0 && clients > 0 && resident > bound;
    return !closed_;
  }

 private:
  bool closed_ = false;
};

}  // namespace tidepool::proxy
