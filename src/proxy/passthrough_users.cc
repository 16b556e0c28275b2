#include "passthrough_users.h"

#include <algorithm>
#include <utility>

#include "tidepool/base/check.h"

namespace tidepool::proxy {

config::Config without_models(config::Config config) {
  std::erase_if(config.pools, [](const config::Pool& pool) { return pool.user.empty(); });
  return config;
}

PassthroughUsers::Model PassthroughUsers::set_base(config::Config base) {
  const config::Pool* before = model();
  const config::Pool was = before != nullptr ? *before : config::Pool{};
  base_ = std::move(base);
  const config::Pool* is = model();
  // Keys that are fixed when a pool is built are its model's.
  const bool is_other = is == nullptr || is->name != was.name || is->endpoints != was.endpoints ||
                        is->prepare_cache_ttl != was.prepare_cache_ttl;
  std::erase_if(users_, [&](const Member& member) { return is_other || is_listed(member.user); });
  return is_other ? Model::kAnother : Model::kAsBefore;
}

bool PassthroughUsers::is_listed(const std::string& user) const {
  return std::any_of(base_.users.begin(), base_.users.end(),
                     [&](const config::User& listed) { return listed.name == user; });
}

const config::Pool* PassthroughUsers::model() const {
  const auto found = std::find_if(base_.pools.begin(), base_.pools.end(),
                                  [](const config::Pool& pool) { return pool.passthrough; });
  return found == base_.pools.end() ? nullptr : &*found;
}

PassthroughUsers::Admission PassthroughUsers::admit(const std::string& user,
                                                    std::string_view password,
                                                    const IsFree& is_free, TimePoint now) {
  const config::Pool* like = model();
  if (like == nullptr) return Admission::kFull;
  if (is_listed(user)) return Admission::kListed;
  const auto found = std::find_if(users_.begin(), users_.end(),
                                  [&](const Member& member) { return member.user == user; });
  if (found != users_.end()) {
    found->last_used = now;
    if (found->password == password) return Admission::kKnown;
    found->password = password;
    return Admission::kChanged;
  }
  if (users_.size() >= static_cast<std::size_t>(like->max_passthrough_users))
    return Admission::kFull;
  users_.push_back({user, password, free_name(is_free), now});
  return Admission::kChanged;
}

bool PassthroughUsers::remove(const std::string& user) {
  return std::erase_if(users_, [&](const Member& member) { return member.user == user; }) > 0;
}

bool PassthroughUsers::expire(const HasSessions& has_sessions, TimePoint now) {
  const config::Pool* like = model();
  if (like == nullptr) return false;
  for (Member& member : users_)
    if (has_sessions(member.pool)) member.last_used = now;
  return std::erase_if(users_, [&](const Member& member) {
           return now - member.last_used >= like->passthrough_lifetime;
         }) > 0;
}

config::Config PassthroughUsers::applied() const {
  config::Config config = without_models(base_);
  for (const Member& member : users_) {
    config.pools.push_back(pool_of(member));
    config::User user;
    user.name = member.user;
    user.pool = member.pool;
    user.has_password = false;
    user.is_passed_through = true;
    user.timeouts = base_.timeouts;
    config.users.push_back(std::move(user));
  }
  return config;
}

// The configuration keeps such names free.
std::string PassthroughUsers::free_name(const IsFree& is_free) const {
  const config::Pool* like = model();
  TIDEPOOL_CHECK(like != nullptr);
  for (std::size_t number = 1;; ++number) {
    std::string name = config::passthrough_pool_name(like->name, number);
    const bool is_taken = std::any_of(users_.begin(), users_.end(),
                                      [&](const Member& member) { return member.pool == name; });
    if (!is_taken && is_free(name, *like)) return name;
  }
}

config::Pool PassthroughUsers::pool_of(const Member& member) const {
  config::Pool pool = *model();
  pool.name = member.pool;
  pool.user = member.user;
  pool.password = member.password;
  pool.database.clear();  // that is of the model's own account
  pool.passthrough = false;
  pool.min_idle = 0;  // its user may be gone for long
  return pool;
}

}  // namespace tidepool::proxy
