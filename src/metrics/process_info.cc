#include "process_info.h"

#include <ctime>
#include <filesystem>
#include <iterator>
#include <sys/resource.h>

#include "tidepool/base/process_memory.h"

namespace tidepool::metrics {
namespace {

double open_fds() {
  std::error_code failed;
  const std::filesystem::directory_iterator entries("/proc/self/fd", failed);
  if (failed) return 0;
  // One of them is the directory itself, open for this loop.
  return static_cast<double>(std::distance(begin(entries), end(entries))) - 1;
}

double max_fds() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return static_cast<double>(limit.rlim_cur);
}

double cpu_seconds() {
  timespec used{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

void ask_kernel(ProcessInfo& info) {
  info.cpu_seconds = cpu_seconds();
  info.resident_bytes = static_cast<double>(resident_memory());
  info.open_fds = open_fds();
  info.max_fds = max_fds();
}

}  // namespace tidepool::metrics
