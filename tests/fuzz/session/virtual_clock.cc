#include "virtual_clock.h"

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <sys/syscall.h>
#include <unistd.h>

namespace tidepool::fuzz {
namespace {

constexpr std::int64_t kNanos = 1'000'000'000;
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
std::int64_t the_time = 1000 * kNanos;

}  // namespace

void advance_clock(Duration by) {
  the_time += std::chrono::nanoseconds(by).count();
}

}  // namespace tidepool::fuzz

// In the place of libc's, for libuv and std::chrono too: the program's own symbols come first.
extern "C" int clock_gettime(clockid_t clock, timespec* time) {
  if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE) {
    return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  }
  time->tv_sec = tidepool::fuzz::the_time / tidepool::fuzz::kNanos;
  time->tv_nsec = tidepool::fuzz::the_time % tidepool::fuzz::kNanos;
  return 0;
}
