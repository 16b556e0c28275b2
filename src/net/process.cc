#include "tidepool/net/process.h"

#include <csignal>
#include <cstdlib>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "tidepool/base/process_memory.h"

namespace tidepool::net {

namespace {

// As many descriptors as the system allows: each client and each backend needs one.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

void ignore_broken_pipes() {
  std::signal(SIGPIPE, SIG_IGN);
}

void let_memory_be_dumped(bool may) {
  ::prctl(PR_SET_DUMPABLE, may ? 1 : 0);
}

void prepare_process(unsigned blocking_threads) {
  limit_heap();
  ignore_broken_pipes();
  raise_descriptor_limit();
  ::setenv("UV_THREADPOOL_SIZE", std::to_string(blocking_threads).c_str(), 0);
}

}  // namespace tidepool::net
