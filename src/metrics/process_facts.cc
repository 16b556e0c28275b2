#include "process_facts.h"

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

void ask_kernel(ProcessFacts& facts) {
  facts.cpu_seconds = cpu_seconds();
  facts.resident_bytes = static_cast<double>(resident_memory());
  facts.open_fds = open_fds();
  facts.max_fds = max_fds();
}

}  // namespace tidepool::metrics
