// Who holds how much of a pool, so that users who compete get equal shares, and nobody more than
// allowed. Pure; part of the broker, under its mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "tidepool/pool/broker_types.h"

namespace tidepool::pool {

class Shares {
 public:
  // Whether one more lease is within the limits of the user and of the database.
  bool allows(const Want& want, unsigned max_leases_per_database) const;
  static bool is_limited(const Want& want, unsigned max_leases_per_database) {
    return want.max_leases > 0 || (max_leases_per_database > 0 && want.database != 0);
  }

  void take(std::uint64_t user, std::uint64_t database);
  void give_back(std::uint64_t user, std::uint64_t database);

  // Whose turn comes first among those who wait: the user with fewer leases, then the one who was
  // served longer ago.
  bool precedes(std::uint64_t user, std::uint64_t other) const;

  void begin_wait(std::uint64_t user) { ++waiting_[user]; }
  void end_wait(std::uint64_t user);
  std::size_t users_waiting() const { return waiting_.size(); }

 private:
  struct User {
    unsigned leases = 0;
    std::uint64_t served = 0;  // when last, in leases of the pool; 0: never
  };

  User find(std::uint64_t user) const;

  std::unordered_map<std::uint64_t, User> users_;          // as many as the configuration has
  std::unordered_map<std::uint64_t, unsigned> databases_;  // with leases
  std::unordered_map<std::uint64_t, unsigned> waiting_;    // users with waiters
  std::uint64_t turns_ = 0;
};

}  // namespace tidepool::pool
