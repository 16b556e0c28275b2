#include "command_line.h"

#include <ostream>
#include <string>

#include <CLI/CLI.hpp>

#include "tidepool/base/log.h"

namespace tidepool {
namespace {

struct Options {
  std::string config;  // empty: the environment
  bool check_config = false;
};

std::string footer() {
  return "Without --config, the environment is the configuration:\n" + config::environment_help() +
         "\nclients then log in with the user and password of TiDB; the cluster prefix of the user "
         "may "
         "be left out.\n\n"
         "Exit codes: 0 all is well, 1 the proxy could not run or --check-config found problems,\n"
         "2 the command line or the configuration is wrong. SIGTERM drains and ends the proxy,\n"
         "SIGHUP makes it read its configuration again, SIGUSR2 hands its clients over to a new\n"
         "process of the program that is there now.\n";
}

void define(CLI::App& app, Options& options) {
  app.description("A connection-pooling proxy for TiDB Serverless");
  app.add_option("-c,--config", options.config, "Read the configuration from this YAML file")
      ->type_name("FILE");
  app.add_flag("--check-config", options.check_config,
               "Say whether the configuration is right, and end");
  app.set_version_flag("--version", "tidepool " TIDEPOOL_VERSION);
  app.footer(footer());
}

config::LoadResult load(const Options& options, const config::Environment& environment) {
  return options.config.empty() ? config::from_environment(environment)
                                : config::load_file(options.config, environment);
}

void print(std::ostream& to, const char* label, const std::vector<std::string>& lines) {
  for (const std::string& line : lines)
    to << label << line << '\n';
}

int check(const config::LoadResult& loaded, const World& world) {
  if (!loaded) {
    print(world.err, "", loaded.error());
    return kFailed;
  }
  print(world.err, "warning: ", loaded->warnings);
  world.out << "ok\n";
  return kOk;
}

int start(config::LoadResult loaded, const config::Source& source, const World& world) {
  if (!loaded) {
    print(world.err, "", loaded.error());
    return kUsage;
  }
  config::Config& config = loaded->config;
  log::configure(config.log.level, config.log.format);
  for (const std::string& line : loaded->warnings)
    log::warn(line);
  for (const std::string& line : config::summary(config))
    log::info(line);
  return world.run(std::move(config), source);  // here no password of it stays
}

}  // namespace

int command_line(int argc, const char* const* argv, const World& world) {
  CLI::App app;
  Options options;
  define(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, world.out, world.err) == 0 ? kOk : kUsage;
  }
  if (app.count("--config") > 0 && options.config.empty()) {
    world.err << "--config: found nothing, allowed: the path of a file\n";
    return kUsage;
  }
  if (options.check_config) world.release_signals();
  config::LoadResult loaded = load(options, world.environment);
  if (options.check_config) return check(loaded, world);
  const config::Source source{options.config,
                              [&options, &world] { return load(options, world.environment); }};
  return start(std::move(loaded), source, world);
}

}  // namespace tidepool
