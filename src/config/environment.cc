#include "environment.h"

#include <algorithm>
#include <array>

#include "bind.h"
#include "url.h"

namespace tidepool::config {
namespace {

using Of = Variable::Of;

constexpr auto kVariables = std::to_array<Variable>({
    {"TIDB_URL", Of::kPool, "url",
     "mysql://user:password@host:4000/database?ssl_ca=FILE, also with +pymysql and other drivers"},
    {"TIDB_HOST", Of::kPool, "host", "the host of TiDB, instead of TIDB_URL"},
    {"TIDB_PORT", Of::kPool, "port", "its port"},
    {"TIDB_USER", Of::kPool, "user", "the account, with its cluster prefix"},
    {"TIDB_PASSWORD", Of::kPool, "password", "its password, if TIDB_URL holds none"},
    {"TIDB_PASSWORD_FILE", Of::kPool, "password_file", "a file that holds the password"},
    {"TIDB_DATABASE", Of::kPool, "database", "the default database, if TIDB_URL names none"},
    {"TIDB_SSL_CA", Of::kPool, "tls.ca", "the CA certificates to trust, if TIDB_URL names none"},
    {"TIDEPOOL_ALLOW_PLAINTEXT", Of::kPool, "tls.allow_plaintext",
     "true: ssl=false in TIDB_URL is meant even though TiDB is on another machine"},
    {"TIDEPOOL_LISTEN", Of::kListener, "address", "where clients connect"},
    {"TIDEPOOL_HTTP", Of::kGlobal, "http.address", "where metrics and health are served, or off"},
    {"TIDEPOOL_HTTP_HOSTS", Of::kGlobal, "http.hosts",
     "names by which that may be called, between commas"},
    {"TIDEPOOL_POOL_SIZE", Of::kPool, "size", "backends that are kept"},
    {"TIDEPOOL_MAX_OVERFLOW", Of::kPool, "max_overflow", "backends beyond them under load"},
    {"TIDEPOOL_WORKERS", Of::kGlobal, "workers", "event loops, or auto for one for each core"},
    {"TIDEPOOL_LOG_LEVEL", Of::kGlobal, "log.level", "trace, debug, info, warn or error"},
    {"TIDEPOOL_LOG_FORMAT", Of::kGlobal, "log.format", "text or json"},
});

// An empty variable counts as not set, as compose files produce them; but an empty password is one.
std::optional<std::string> value_of(const Variable& variable, const Environment& environment) {
  std::optional<std::string> value = environment(variable.name);
  if (value && value->empty() && variable.key != "password") return std::nullopt;
  return value;
}

// Whether TIDB_URL already says what the key says.
bool is_in_url(std::string_view key, const Url& url) {
  if (key == "password" || key == "password_file") return url.password.has_value();
  if (key == "database") return !url.database.empty();
  if (key == "tls.ca") return !url.ca.empty();
  return key == "host" || key == "port" || key == "user";
}

std::optional<Url> url_of(const Environment& environment) {
  const auto url = parse_url(environment("TIDB_URL").value_or(""));
  return url ? std::optional<Url>(*url) : std::nullopt;
}

class EnvironmentReader {
 public:
  EnvironmentReader(const Environment& environment, Findings& findings)
      : environment_(environment), findings_(findings), url_(url_of(environment)) {}

  void read(Of of, const BoundKeys& keys, Section& section) {
    for (const Variable& variable : kVariables) {
      if (variable.of != of) continue;
      section.variables.emplace(variable.key, variable.name);
      const auto value = value_of(variable, environment_);
      if (!value) continue;
      Place at{0, 0, std::string(variable.name)};
      if (of == Of::kPool && url_ && is_in_url(variable.key, *url_)) {
        findings_.warning(at, "ignored, because TIDB_URL says it");
        continue;
      }
      const auto bound = std::find_if(keys.begin(), keys.end(), [&](const BoundKey& key) {
        return key.text->path == variable.key;
      });
      at.bad = !bound->read(*value);
      if (at.bad) {
        const std::string text = wrong_value(bound->text->form, *value, at.origin);
        findings_.problem({0, 0, at.label}, text);
      }
      section.given.emplace(variable.key, std::move(at));
    }
  }

 private:
  const Environment& environment_;
  Findings& findings_;
  std::optional<Url> url_;
};

}  // namespace

std::span<const Variable> variables() {
  return kVariables;
}

std::optional<Draft> read_environment(const Environment& environment, Findings& findings) {
  const auto is_set = [&](std::string_view name) {
    return !environment(name).value_or("").empty();
  };
  if (!is_set("TIDB_URL") && !is_set("TIDB_HOST")) {
    findings.problem({0, 0, "TIDB_URL"},
                     "found nothing, allowed: mysql://user:password@host:4000/database; or set "
                     "TIDB_HOST, TIDB_USER and TIDB_PASSWORD; or start with --config FILE");
    return std::nullopt;
  }
  Draft draft;
  EnvironmentReader reader(environment, findings);
  reader.read(Of::kGlobal, bind(global_keys(), draft.config), draft.section);
  ListenerDraft& listener = draft.listeners.emplace().emplace_back();
  reader.read(Of::kListener, bind(listener_keys(), listener), listener.section);
  PoolDraft& pool = draft.pools.emplace().emplace_back();
  reader.read(Of::kPool, bind(pool_keys(), pool), pool.section);
  return draft;
}

std::string environment_help() {
  std::string text;
  for (const Variable& variable : kVariables) {
    std::string line = "  " + std::string(variable.name);
    line.resize(std::max<std::size_t>(28, line.size() + 1), ' ');
    text.append(line).append(variable.meaning).append("\n");
  }
  return text;
}

}  // namespace tidepool::config
