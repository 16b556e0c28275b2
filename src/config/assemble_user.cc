#include <algorithm>
#include <cctype>

#include "assemble.h"
#include "tidepool/config/unix_user.h"
#include "values.h"

namespace tidepool::config {
namespace {

bool all_of(std::string_view text, bool (*is)(char)) {
  return std::all_of(text.begin(), text.end(), is);
}

bool is_alphanumeric(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool is_hex(std::string_view text) {
  return all_of(text, [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; });
}

// As MySQL prints a hash with print_identified_with_as_hex; empty if it is none.
std::string from_hex(std::string_view digits) {
  std::string text;
  if (!is_hex(digits) || digits.size() % 2 != 0) return text;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    text += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return text;
}

bool is_password_hash(std::string_view text) {
  constexpr std::size_t kSaltSize = 20;
  constexpr std::size_t kDigestSize = 43;
  constexpr std::string_view kSha2 = "$A$005$";
  if (text.size() == 41 && text.front() == '*') return is_hex(text.substr(1));
  if (text.starts_with("0x")) {
    const std::string raw = from_hex(text.substr(2));
    return raw.starts_with(kSha2) && is_password_hash(raw);
  }
  return text.size() == kSha2.size() + kSaltSize + kDigestSize &&
         text.substr(0, kSha2.size()) == kSha2 &&
         all_of(text.substr(kSha2.size() + kSaltSize),
                [](char c) { return is_alphanumeric(c) || c == '.' || c == '/'; });
}

std::string pool_names(const Config& config) {
  std::string names;
  for (const Pool& pool : config.pools)
    names += (names.empty() ? "" : ", ") + pool.name;
  return names;
}

class UserAssembly {
 public:
  UserAssembly(UserDraft draft, const Config& config, Findings& findings)
      : draft_(std::move(draft)),
        section_(draft_.section),
        user_(draft_.user),
        config_(config),
        findings_(findings) {}

  User finish() {
    if (user_.name.empty()) findings_.problem(section_.at("name"), "found nothing, allowed: text");
    take_password();
    take_secondary_password();
    check_other_proofs();
    user_.timeouts = {
        .query = draft_.query_timeout.value_or(config_.timeouts.query),
        .idle_transaction =
            draft_.idle_transaction_timeout.value_or(config_.timeouts.idle_transaction),
        .client_idle = draft_.client_idle_timeout.value_or(config_.timeouts.client_idle)};
    take_pool();
    return std::move(draft_.user);
  }

 private:
  [[nodiscard]] bool has_any(const std::vector<std::string>& keys) const {
    return std::any_of(keys.begin(), keys.end(),
                       [this](const std::string& key) { return section_.has(key); });
  }

  // A user with another proof needs none.
  void take_password() {
    const std::vector<std::string> keys = {"password", "password_file", "password_hash"};
    user_.has_password = has_any(keys) || !has_any({"certificate_names", "unix_users"});
    if (!user_.has_password) return;
    user_.password =
        assemble_password(section_, user_.password, draft_.password_file, keys, findings_);
    check_hash("password_hash", user_.password_hash);
  }

  void take_secondary_password() {
    const std::vector<std::string> keys = {"secondary_password", "secondary_password_file",
                                           "secondary_password_hash"};
    user_.has_secondary_password = has_any(keys);
    if (!user_.has_secondary_password) return;
    if (!user_.has_password) {
      findings_.problem(section_.at("secondary_password"),
                        "found a second password without a first, allowed: both");
    }
    user_.secondary_password = assemble_password(section_, user_.secondary_password,
                                                 draft_.secondary_password_file, keys, findings_);
    check_hash("secondary_password_hash", user_.secondary_password_hash);
    const bool is_empty = user_.secondary_password.empty() && user_.secondary_password_hash.empty();
    if (is_empty && !findings_.failed()) {
      findings_.problem(section_.at(section_.has(keys[0]) ? keys[0] : keys[1]),
                        "found an empty one, which would let anybody in, allowed: a password");
    }
  }

  void check_hash(const std::string& key, const std::string& hash) {
    if (!section_.has(key) || is_password_hash(hash)) return;
    const bool is_hex_form = hash.starts_with("0x");
    findings_.problem(
        section_.at(key),
        std::string("found ") +
            (is_hex_form ? "no caching_sha2_password hash in hex after 0x" : "something else") +
            ", allowed: * and 40 hex digits, $A$005$ and 63 characters, or those 70 bytes as 140 "
            "hex digits after 0x, as SHOW CREATE USER prints them");
  }

  // What no listener can show is a mistake.
  void check_other_proofs() {
    const auto has_listener = [this](auto is) {
      return std::any_of(config_.listeners.begin(), config_.listeners.end(), is);
    };
    if (section_.has("certificate_names") && !has_listener([](const Listener& listener) {
          return listener.tls.verify_client != VerifyClient::kOff;
        })) {
      findings_.warning(section_.at("certificate_names"),
                        "no listener takes certificates of clients: none has tls.client_ca");
    }
    if (section_.has("unix_users") &&
        !has_listener([](const Listener& listener) { return listener.is_socket(); })) {
      findings_.warning(section_.at("unix_users"), "no listener is a Unix socket");
    }
    for (const std::string& name : user_.unix_users)
      check_unix_user(name);
  }

  void check_unix_user(const std::string& name) {
    if (unix_user_number(name)) return;
    findings_.problem(section_.at("unix_users"),
                      "found " + name +
                          ", whom this machine does not know, allowed: the names of " +
                          "its users, or numbers, such as those of users of another container");
  }

  void take_pool() {
    const Place place = section_.at("pool");
    if (!section_.has("pool") && config_.pools.size() == 1) {
      user_.pool = config_.pools.front().name;
    } else if (!section_.has("pool") && config_.pools.size() > 1) {
      return findings_.problem(place, "found nothing, allowed: one of " + pool_names(config_));
    }
    const Pool* pool = config_.find_pool(user_.pool);
    if (config_.pools.empty()) return;
    if (pool == nullptr) {
      findings_.problem(
          place, found_text(user_.pool, place.origin) + ", allowed: one of " + pool_names(config_));
    } else if (pool->user.empty() && pool->passthrough) {
      findings_.problem(place, found_text(user_.pool, place.origin) +
                                   ", which has no user of TiDB, allowed: a pool with user");
    }
  }

  UserDraft draft_;
  const Section& section_;
  User& user_;
  const Config& config_;
  Findings& findings_;
};

}  // namespace

User assemble_user(UserDraft draft, const Config& config, Findings& findings) {
  return UserAssembly(std::move(draft), config, findings).finish();
}

std::vector<User> users_of(const Pool& pool) {
  if (pool.user.empty()) return {};
  User user;
  user.name = pool.user;
  user.password = pool.password;
  user.pool = pool.name;
  std::vector<User> users = {user};
  const std::size_t dot = pool.user.find('.');
  const bool prefixed = dot != std::string::npos && dot > 0 && dot + 1 < pool.user.size() &&
                        all_of(std::string_view(pool.user).substr(0, dot), is_alphanumeric);
  if (!prefixed) return users;
  user.name = pool.user.substr(dot + 1);
  users.push_back(std::move(user));
  return users;
}

}  // namespace tidepool::config
