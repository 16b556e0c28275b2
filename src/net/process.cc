#include "tidepool/net/process.h"

#include <csignal>
#include <cstdlib>
#include <string>

namespace tidepool::net {

void prepare_process(unsigned blocking_threads) {
  std::signal(SIGPIPE, SIG_IGN);
  ::setenv("UV_THREADPOOL_SIZE", std::to_string(blocking_threads).c_str(), 0);
}

}  // namespace tidepool::net
