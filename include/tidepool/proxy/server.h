// The whole proxy: builds everything from a configuration, runs it until a signal, and takes it
// down again.
#pragma once

#include "tidepool/config/config.h"
#include "tidepool/config/load.h"
#include "tidepool/proxy/successor.h"

namespace tidepool::proxy {

// Serves until SIGTERM or SIGINT, then finishes what runs (at most drain_timeout; a second signal:
// at once). SIGHUP, and a change of the file unless that is turned off, make it read `source`
// again; SIGUSR2 makes it start `program`, which takes its listeners over. Returns the process's
// exit code: 0 after a drain, 1 if it could not start, which it has then logged; if it had to wait
// for the process that took over, that process's. Call once, on the main thread, before any other
// thread exists.
int run(config::Config config, const config::Source& source, const Program& program);

}  // namespace tidepool::proxy
