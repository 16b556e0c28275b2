#include "tidepool/config/config.h"
#include "values.h"

namespace tidepool::config {
namespace {

std::string word(std::span<const std::string_view> words, std::size_t index) {
  return std::string(words[index]);
}

std::string listener_line(const Listener& listener) {
  if (listener.is_socket()) {
    return "listening on " + listener.socket_path + ", mode " + show({}, listener.socket_mode);
  }
  std::string line = "listening on " + address_text(listener.host, listener.port) + ", TLS " +
                     word(kClientTlsWords, static_cast<std::size_t>(listener.tls.mode));
  if (listener.tls.verify_client != VerifyClient::kOff)
    line += ", certificates of clients " +
            word(kVerifyClientWords, static_cast<std::size_t>(listener.tls.verify_client)) +
            ", verified by " + listener.tls.client_ca;
  return line;
}

std::string tls_text(const Tls& tls) {
  if (tls.mode == TlsMode::kDisabled) return "plaintext";
  std::string text =
      "TLS " + word(kTlsVersionWords, static_cast<std::size_t>(tls.min_version)) + " or newer, ";
  const std::string authority = tls.ca.empty() ? "the system's CAs" : tls.ca;
  switch (tls.mode) {
    case TlsMode::kVerifyIdentity:
      return text + "certificate and host name verified by " + authority;
    case TlsMode::kVerifyCa:
      return text + "certificate verified by " + authority + ", host name not";
    case TlsMode::kRequired:
    case TlsMode::kDisabled: break;
  }
  return text + "nothing verified";
}

std::string pool_line(const Pool& pool) {
  std::string text = "pool " + pool.name + ": TiDB at ";
  for (const Endpoint& endpoint : pool.endpoints) {
    if (&endpoint != &pool.endpoints.front()) text += ", then ";
    text += address_text(endpoint.host, endpoint.port);
  }
  text += (pool.user.empty() ? "" : " as " + pool.user) + ", " + tls_text(pool.tls) + "; at most " +
          std::to_string(pool.size + pool.max_overflow) + " backends (size " +
          std::to_string(pool.size) + ", max_overflow " + std::to_string(pool.max_overflow);
  if (pool.min_idle > 0) text += ", min_idle " + std::to_string(pool.min_idle);
  text += "), waiting " + duration_text(pool.timeout);
  text += pool.recycle.count() > 0 ? ", recycled after " + duration_text(pool.recycle)
                                   : ", never recycled";
  return text;
}

std::string user_line(const User& user, const Config& config) {
  std::string database = user.database;
  const Pool* pool = config.find_pool(user.pool);
  if (database.empty() && pool != nullptr) database = pool->database;
  return "user " + user.name + ": pool " + user.pool +
         (database.empty() ? ", no default database" : ", database " + database);
}

std::string passthrough_line(const Pool& pool) {
  return "other users: with accounts of TiDB, by pools like " + pool.name + ", at most " +
         std::to_string(pool.max_passthrough_users);
}

}  // namespace

const Pool* Config::find_pool(const std::string& name) const {
  for (const Pool& pool : pools) {
    if (pool.name == name) return &pool;
  }
  return nullptr;
}

std::string passthrough_pool_name(const std::string& name, std::size_t number) {
  return name + "/" + std::to_string(number);
}

std::vector<std::string> summary(const Config& config) {
  std::vector<std::string> lines;
  for (const Listener& listener : config.listeners)
    lines.push_back(listener_line(listener));
  lines.push_back(config.http.enabled ? "metrics and health on http://" +
                                            address_text(config.http.host, config.http.port)
                                      : "metrics and health off");
  lines.push_back("workers " + std::to_string(config.workers) + ", at most " +
                  std::to_string(config.max_clients) + " clients");
  for (const Pool& pool : config.pools)
    lines.push_back(pool_line(pool));
  for (const User& user : config.users)
    lines.push_back(user_line(user, config));
  for (const Pool& pool : config.pools)
    if (pool.passthrough) lines.push_back(passthrough_line(pool));
  return lines;
}

}  // namespace tidepool::config
