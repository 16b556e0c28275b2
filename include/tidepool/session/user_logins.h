// Who has logged in by what: it tells when the last client of an old password is gone.
//
// Part of LoginStats. Locks itself; what of() answers is counted in without a lock.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tidepool/base/counter.h"
#include "tidepool/base/enum_array.h"
#include "tidepool/protocol/proof.h"

namespace tidepool::session {

// Logins of one user that were let in, COM_CHANGE_USERs too.
using UserLogins = EnumArray<protocol::Proof, Counter, protocol::kProofs>;

class LoginsByUser {
 public:
  // A user of the configuration, and what may let it in.
  struct User {
    std::string name;
    std::vector<protocol::Proof> proofs;
  };

  // Only these are shown from now on, from 0 or from where they were.
  void show(const std::vector<User>& users) {
    const std::lock_guard lock(mutex_);
    for (auto& [name, entry] : users_)
      entry.shown.clear();
    for (const User& user : users)
      users_[user.name].shown = user.proofs;
  }

  // Lives as long as this object.
  UserLogins& of(const std::string& user) {
    const std::lock_guard lock(mutex_);
    return users_[user].logins;
  }

  using Visit = std::function<void(const std::string& user, protocol::Proof, const Counter&)>;
  void for_each(const Visit& visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, entry] : users_) {
      for (const protocol::Proof proof : entry.shown)
        visit(name, proof, entry.logins[proof]);
    }
  }

 private:
  struct Entry {
    UserLogins logins;
    std::vector<protocol::Proof> shown;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Entry> users_;  // under the mutex; never fewer
};

}  // namespace tidepool::session
