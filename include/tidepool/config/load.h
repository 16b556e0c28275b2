// From a file, a text or the environment to a checked Config; or to all that is wrong with it at
// once.
//
// A problem reads `file:line:column: key: what was found, what is allowed`, one of the environment
// `NAME: …`. A warning has the same form and does not hinder the start. Neither ever holds a
// secret.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/base/error.h"
#include "tidepool/config/config.h"

namespace tidepool::config {

// Looks a variable up; nothing if it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// That of this process. Not while another thread calls setenv.
Environment process_environment();

struct Loaded {
  Config config;
  std::vector<std::string> warnings;
};
using Problems = std::vector<std::string>;  // never empty as an error
using LoadResult = tl::expected<Loaded, Problems>;

// Reads YAML. `${NAME}` and `${NAME:-default}` in values are taken from the environment; `$${` is a
// literal `${`. Files of secrets that the text names (password_file) are read too; relative paths
// are relative to the working directory.
LoadResult load_file(const std::string& path, const Environment& environment);
LoadResult load_text(const std::string& name, const std::string& text,
                     const Environment& environment);

// One pool `default` from TIDB_URL, or from TIDB_HOST and its companions, whose account is also the
// user that clients log in as, with or without its cluster prefix.
LoadResult from_environment(const Environment& environment);

// Where the configuration came from, to read it again.
struct Source {
  std::string file;  // empty: the environment, which cannot change
  std::function<LoadResult()> load;
};

// Returns `next` with the keys that only a new process can change as they are in `current`. Adds to
// `kept` those that differ.
Config reloadable(const Config& current, Config next, std::vector<std::string>& kept);

// Names and meanings of the variables that from_environment reads; for --help.
std::string environment_help();

}  // namespace tidepool::config
