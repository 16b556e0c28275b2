#include "assemble.h"

#include <algorithm>
#include <set>

#include "values.h"

namespace tidepool::config {
namespace {

void take_listeners(Draft& draft, Config& config, Findings& findings) {
  if (!draft.listeners) return;
  config.listeners.clear();
  std::set<std::string> seen;
  for (ListenerDraft& listener : *draft.listeners) {
    const Section section = listener.section;
    Listener taken = assemble_listener(std::move(listener), findings);
    const std::string key = taken.is_socket() ? "socket" : "address";
    const std::string where =
        taken.is_socket() ? taken.socket_path : address_text(taken.host, taken.port);
    if (!seen.insert(where).second && (taken.is_socket() || taken.port != 0)) {
      findings.problem(section.at(key), "found " + where + " a second time, allowed: once");
    }
    config.listeners.push_back(std::move(taken));
  }
  if (config.listeners.empty() && !findings.failed()) {
    findings.problem(draft.section.at("listeners"), "found an empty list, allowed: one or more");
  }
}

bool has_passthrough(const Config& config) {
  return std::any_of(config.pools.begin(), config.pools.end(),
                     [](const Pool& pool) { return pool.passthrough; });
}

void take_pools(Draft& draft, Config& config, Findings& findings) {
  if (!draft.pools || draft.pools->empty()) {
    if (findings.failed() && draft.pools) return;  // an element that is no map is already reported
    return findings.problem(draft.section.at("pools"), "found none, allowed: one or more");
  }
  for (PoolDraft& pool : *draft.pools) {
    const Place name = pool.section.at("name");
    const Place passthrough = pool.section.at("passthrough");
    Pool taken = assemble_pool(std::move(pool), findings);
    if (config.find_pool(taken.name) != nullptr) {
      findings.problem(name, "found " + taken.name + " a second time, allowed: unique names");
    }
    if (taken.passthrough && has_passthrough(config))
      findings.problem(passthrough, "found true a second time, allowed: once");
    config.pools.push_back(std::move(taken));
  }
}

void take_users(Draft& draft, Config& config, Findings& findings) {
  if (!draft.users) {
    if (config.pools.size() == 1) config.users = users_of(config.pools.front());
    for (User& user : config.users)
      user.timeouts = config.timeouts;
    if (config.pools.size() > 1 && !has_passthrough(config)) {
      findings.problem(draft.section.at("users"),
                       "found none, allowed: one or more, if there are several pools");
    }
    return;
  }
  if (draft.users->empty() && !has_passthrough(config) && !findings.failed()) {
    findings.problem(draft.section.at("users"),
                     "found an empty list, allowed: one or more, or no such key");
  }
  for (UserDraft& user : *draft.users) {
    const Place name = user.section.at("name");
    User taken = assemble_user(std::move(user), config, findings);
    const bool known = std::any_of(config.users.begin(), config.users.end(),
                                   [&](const User& other) { return other.name == taken.name; });
    if (known && !taken.name.empty()) {
      findings.problem(name, "found " + taken.name + " a second time, allowed: unique names");
    }
    config.users.push_back(std::move(taken));
  }
}

// The pools of users who pass through are named after the pool.
void check_passthrough(const Draft& draft, Config& config, Findings& findings) {
  config.passes_through = has_passthrough(config);
  for (const Pool& pool : config.pools) {
    if (!pool.passthrough) continue;
    for (const Pool& other : config.pools) {
      if (!other.name.starts_with(pool.name + "/")) continue;
      findings.problem(draft.section.at("pools"),
                       "found a pool named " + other.name +
                           ", allowed: no name that begins with that of the pool with passthrough "
                           "and a slash");
    }
  }
}

}  // namespace

Config assemble(Draft draft, Findings& findings) {
  Config config = std::move(draft.config);
  take_listeners(draft, config, findings);
  take_pools(draft, config, findings);
  take_users(draft, config, findings);
  check_passthrough(draft, config, findings);
  if (config.http.enabled && !is_loopback(config.http.host)) {
    findings.warning(draft.section.at("http.address"),
                     "metrics are readable by whoever reaches " +
                         address_text(config.http.host, config.http.port));
  }
  return config;
}

}  // namespace tidepool::config
