// What is known of this process without counting: its version, since when it runs, and what the
// kernel says about it.
#pragma once

#include <string>

namespace tidepool::metrics {

struct ProcessInfo {
  std::string version;
  double start_time_seconds = 0;  // Unix time
  double uptime_seconds = 0;
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double open_fds = 0;
  double max_fds = 0;
};

// The figures of the kernel; one that it does not tell stays 0.
void ask_kernel(ProcessInfo& info);

}  // namespace tidepool::metrics
