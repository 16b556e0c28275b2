#include "assemble.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "values.h"

namespace tidepool::config {
namespace {

bool all_of(std::string_view text, bool (*is)(char)) {
  return std::all_of(text.begin(), text.end(), is);
}

bool is_alphanumeric(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool is_password_hash(std::string_view text) {
  constexpr std::size_t kSaltSize = 20;
  constexpr std::size_t kDigestSize = 43;
  constexpr std::string_view kSha2 = "$A$005$";
  if (text.size() == 41 && text.front() == '*') {
    return all_of(text.substr(1),
                  [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; });
  }
  return text.size() == kSha2.size() + kSaltSize + kDigestSize &&
         text.substr(0, kSha2.size()) == kSha2 &&
         all_of(text.substr(kSha2.size() + kSaltSize),
                [](char c) { return is_alphanumeric(c) || c == '.' || c == '/'; });
}

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

void take_pools(Draft& draft, Config& config, Findings& findings) {
  if (!draft.pools || draft.pools->empty()) {
    if (findings.failed() && draft.pools) return;  // an element that is no map is already reported
    return findings.problem(draft.section.at("pools"), "found none, allowed: one or more");
  }
  for (PoolDraft& pool : *draft.pools) {
    const Place name = pool.section.at("name");
    Pool taken = assemble_pool(std::move(pool), findings);
    if (config.find_pool(taken.name) != nullptr) {
      findings.problem(name, "found " + taken.name + " a second time, allowed: unique names");
    }
    config.pools.push_back(std::move(taken));
  }
}

std::string pool_names(const Config& config) {
  std::string names;
  for (const Pool& pool : config.pools)
    names += (names.empty() ? "" : ", ") + pool.name;
  return names;
}

User take_user(UserDraft draft, const Config& config, Findings& findings) {
  const Section& section = draft.section;
  User user = std::move(draft.user);
  if (user.name.empty()) findings.problem(section.at("name"), "found nothing, allowed: text");
  user.password = assemble_password(section, user.password, draft.password_file,
                                    {"password", "password_file", "password_hash"}, findings);
  if (section.has("password_hash") && !is_password_hash(user.password_hash)) {
    findings.problem(
        section.at("password_hash"),
        "found something else, allowed: * and 40 hex digits, or $A$005$ and 63 characters");
  }
  user.timeouts = {
      .query = draft.query_timeout.value_or(config.timeouts.query),
      .idle_transaction = draft.idle_transaction_timeout.value_or(config.timeouts.idle_transaction),
      .client_idle = draft.client_idle_timeout.value_or(config.timeouts.client_idle)};
  if (!section.has("pool") && config.pools.size() == 1) user.pool = config.pools.front().name;
  if (!section.has("pool") && config.pools.size() > 1) {
    findings.problem(section.at("pool"), "found nothing, allowed: one of " + pool_names(config));
  } else if (config.find_pool(user.pool) == nullptr && !config.pools.empty()) {
    const Place place = section.at("pool");
    findings.problem(
        place, found_text(user.pool, place.origin) + ", allowed: one of " + pool_names(config));
  }
  return user;
}

void take_users(Draft& draft, Config& config, Findings& findings) {
  if (!draft.users) {
    if (config.pools.size() == 1) config.users = users_of(config.pools.front());
    for (User& user : config.users)
      user.timeouts = config.timeouts;
    if (config.pools.size() > 1) {
      findings.problem(draft.section.at("users"),
                       "found none, allowed: one or more, if there are several pools");
    }
    return;
  }
  if (draft.users->empty() && !findings.failed()) {
    findings.problem(draft.section.at("users"),
                     "found an empty list, allowed: one or more, or no such key");
  }
  for (UserDraft& user : *draft.users) {
    const Place name = user.section.at("name");
    User taken = take_user(std::move(user), config, findings);
    const bool known = std::any_of(config.users.begin(), config.users.end(),
                                   [&](const User& other) { return other.name == taken.name; });
    if (known && !taken.name.empty()) {
      findings.problem(name, "found " + taken.name + " a second time, allowed: unique names");
    }
    config.users.push_back(std::move(taken));
  }
}

}  // namespace

std::vector<User> users_of(const Pool& pool) {
  std::vector<User> users = {{pool.user, pool.password, "", pool.name, ""}};
  const std::size_t dot = pool.user.find('.');
  const bool prefixed = dot != std::string::npos && dot > 0 && dot + 1 < pool.user.size() &&
                        all_of(std::string_view(pool.user).substr(0, dot), is_alphanumeric);
  if (prefixed) users.push_back({pool.user.substr(dot + 1), pool.password, "", pool.name, ""});
  return users;
}

Config assemble(Draft draft, Findings& findings) {
  Config config = std::move(draft.config);
  take_listeners(draft, config, findings);
  take_pools(draft, config, findings);
  take_users(draft, config, findings);
  if (config.http.enabled && !is_loopback(config.http.host)) {
    findings.warning(draft.section.at("http.address"),
                     "metrics are readable by whoever reaches " +
                         address_text(config.http.host, config.http.port));
  }
  return config;
}

}  // namespace tidepool::config
