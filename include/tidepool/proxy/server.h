// The whole proxy: builds everything from a configuration, runs it until a signal, and takes it
// down again.
#pragma once

#include "tidepool/config/config.h"

namespace tidepool::proxy {

// Serves until SIGTERM or SIGINT, then finishes what runs (at most drain_timeout; a second signal:
// at once). Answers the process's exit code: 0 after a drain, 1 if it could not start, which it has
// then logged. Call once, on the main thread, before any other thread exists.
int run(const config::Config& config);

}  // namespace tidepool::proxy
