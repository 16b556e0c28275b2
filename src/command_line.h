// What the program does with its arguments: help, version, a check of the configuration, or the
// proxy itself.
#pragma once

#include <functional>
#include <iosfwd>

#include "tidepool/config/config.h"
#include "tidepool/config/load.h"

namespace tidepool {

// What a shell sees. --check-config answers with kOk or kFailed, since its question is whether
// there is a problem.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,  // the proxy could not run, or --check-config found problems
  kUsage = 2,   // the command line or the configuration does not allow a start
};

// What the program is given, so that tests can give it something else.
struct World {
  config::Environment environment;
  // The proxy; its result is the exit code.
  std::function<int(config::Config, const config::Source&)> run;
  // Before work that serves no clients: a check of the configuration may be interrupted as any
  // program.
  std::function<void()> release_signals;
  std::ostream& out;
  std::ostream& err;
};

// Returns the exit code. Before the proxy runs, logging is configured, and warnings and the summary
// are logged.
int command_line(int argc, const char* const* argv, const World& world);

}  // namespace tidepool
