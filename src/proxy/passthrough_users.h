// PassthroughUsers: who has got in with an account of TiDB's own, and the pool that each has. Pools
// are numbered and used again, since a pool's statistics outlive it. Pure; on the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/config/config.h"

namespace tidepool::proxy {

// Without the pools that have no account: they are models for the pools of these users.
config::Config without_models(config::Config config);

class PassthroughUsers {
 public:
  // Whether nothing of another user is in the pool of that name, and it was built as `like`.
  using IsFree = std::function<bool(const std::string& name, const config::Pool& like)>;
  using HasSessions = std::function<bool(const std::string& name)>;

  enum class Model : std::uint8_t { kAsBefore, kAnother };
  enum class Admission : std::uint8_t {
    kKnown,    // as it was
    kChanged,  // new, or with another password: applied() is to be put in force
    kFull,
    kListed,  // no longer one of these: the configuration has it
  };

  // What the configuration says, without these users. If its model is another TiDB's, nothing
  // counts that was said there, and nobody is left.
  [[nodiscard]] Model set_base(config::Config base);
  [[nodiscard]] const config::Config& base() const { return base_; }
  // The pool that says passthrough; null: none.
  [[nodiscard]] const config::Pool* model() const;
  [[nodiscard]] bool is_listed(const std::string& user) const;

  Admission admit(const std::string& user, std::string_view password, const IsFree& is_free,
                  TimePoint now);
  // Returns whether it was there.
  [[nodiscard]] bool remove(const std::string& user);
  // Removes those without a session for passthrough_lifetime. Returns whether there were any.
  [[nodiscard]] bool expire(const HasSessions& has_sessions, TimePoint now);

  // The configuration with these users and their pools, and without pools that have no account.
  [[nodiscard]] config::Config applied() const;
  [[nodiscard]] std::size_t size() const { return users_.size(); }

 private:
  struct Member {
    std::string user;
    Secret password;
    std::string pool;
    TimePoint last_used;
  };

  [[nodiscard]] std::string free_name(const IsFree& is_free) const;
  [[nodiscard]] config::Pool pool_of(const Member& member) const;

  config::Config base_;
  std::vector<Member> users_;
};

}  // namespace tidepool::proxy
