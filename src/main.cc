// The program: hands the outside world to command_line(), and answers for what no one else caught.
#include <exception>
#include <iostream>
#include <utility>

#include "command_line.h"
#include "tidepool/config/load.h"
#include "tidepool/net/process.h"
#include "tidepool/net/signal.h"
#include "tidepool/proxy/server.h"

int main(int argc, char** argv) {
  tidepool::net::hold_signals();  // before anything that takes time
  tidepool::net::ignore_broken_pipes();
  tidepool::net::let_memory_be_dumped(false);  // before it holds a password
  try {
    const auto program = tidepool::proxy::Program::of(argc, argv);
    const auto run = [&program](tidepool::config::Config config,
                                const tidepool::config::Source& source) {
      return tidepool::proxy::run(std::move(config), source, program);
    };
    const tidepool::World world{tidepool::config::process_environment(), run,
                                tidepool::net::release_signals, std::cout, std::cerr};
    return tidepool::command_line(argc, argv, world);
  } catch (const std::exception& error) {
    std::cerr << "tidepool: " << error.what() << '\n';
    return tidepool::kFailed;
  }
}
