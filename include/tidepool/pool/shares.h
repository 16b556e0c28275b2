// How many leases each user and database has, so that users who compete get equal shares, and none
// gets more than its limit. Pure; part of the broker, under its mutex.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tidepool/pool/broker_types.h"

namespace tidepool::pool {

class Shares {
 public:
  // What decides a user's turn.
  struct Standing {
    unsigned leases = 0;
    std::uint64_t served = 0;  // when last, in leases of the pool; 0: never
  };

  // Whether one more lease is within the limits of the user and of the database.
  bool allows(const LeaseRequest& request, unsigned max_leases_per_database) const;

  void take(std::uint64_t user, std::uint64_t database);
  void give_back(std::uint64_t user, std::uint64_t database);

  Standing standing(std::uint64_t user) const;
  unsigned leases_in(std::uint64_t database) const;
  std::uint64_t turns() const { return turns_; }  // leases so far

  // Whose turn comes first among those who wait: the user with fewer leases, then the one who was
  // served longer ago.
  static bool precedes(const Standing& one, const Standing& two) {
    return one.leases != two.leases ? one.leases < two.leases : one.served < two.served;
  }

 private:
  std::unordered_map<std::uint64_t, Standing> users_;      // as many as the configuration has
  std::unordered_map<std::uint64_t, unsigned> databases_;  // with leases
  std::uint64_t turns_ = 0;
};

// Shares as they would be after some more leases. The real ones must outlive it and not change.
class PlannedShares {
 public:
  explicit PlannedShares(const Shares& real) : real_(real) {}

  bool allows(const LeaseRequest& request, unsigned max_leases_per_database) const;
  void take(std::uint64_t user, std::uint64_t database);
  Shares::Standing standing(std::uint64_t user) const;

 private:
  unsigned leases_in(std::uint64_t database) const;

  const Shares& real_;
  std::vector<std::pair<std::uint64_t, Shares::Standing>> users_;  // those that differ
  std::vector<std::pair<std::uint64_t, unsigned>> databases_;
  std::uint64_t turns_ = 0;  // beyond the real ones
};

}  // namespace tidepool::pool
