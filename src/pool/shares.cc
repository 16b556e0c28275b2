#include "tidepool/pool/shares.h"

namespace tidepool::pool {

bool Shares::allows(const Want& want, unsigned max_leases_per_database) const {
  if (want.max_leases > 0 && find(want.user).leases >= want.max_leases) return false;
  if (max_leases_per_database == 0 || want.database == 0) return true;
  const auto found = databases_.find(want.database);
  return found == databases_.end() || found->second < max_leases_per_database;
}

void Shares::take(std::uint64_t user, std::uint64_t database) {
  User& one = users_[user];
  ++one.leases;
  one.served = ++turns_;
  if (database != 0) ++databases_[database];
}

void Shares::give_back(std::uint64_t user, std::uint64_t database) {
  const auto one = users_.find(user);
  if (one != users_.end() && one->second.leases > 0) --one->second.leases;
  const auto found = databases_.find(database);
  if (found != databases_.end() && --found->second == 0) databases_.erase(found);
}

bool Shares::precedes(std::uint64_t user, std::uint64_t other) const {
  const User one = find(user);
  const User two = find(other);
  return one.leases != two.leases ? one.leases < two.leases : one.served < two.served;
}

void Shares::end_wait(std::uint64_t user) {
  const auto found = waiting_.find(user);
  if (found != waiting_.end() && --found->second == 0) waiting_.erase(found);
}

Shares::User Shares::find(std::uint64_t user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? User{} : found->second;
}

}  // namespace tidepool::pool
