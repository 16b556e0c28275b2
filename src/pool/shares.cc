#include "tidepool/pool/shares.h"

#include <algorithm>

namespace tidepool::pool {
namespace {

template <class Values>
auto find_key(Values& values, std::uint64_t key) {
  return std::find_if(values.begin(), values.end(),
                      [key](const auto& one) { return one.first == key; });
}

template <class AnyShares>
bool is_within_limits(const AnyShares& shares, const LeaseRequest& request,
                      unsigned max_leases_per_database, unsigned leases_in_database) {
  if (request.max_leases > 0 && shares.standing(request.user).leases >= request.max_leases)
    return false;
  if (max_leases_per_database == 0 || request.database == 0) return true;
  return leases_in_database < max_leases_per_database;
}

}  // namespace

bool Shares::allows(const LeaseRequest& request, unsigned max_leases_per_database) const {
  const unsigned in_database = max_leases_per_database == 0 ? 0 : leases_in(request.database);
  return is_within_limits(*this, request, max_leases_per_database, in_database);
}

void Shares::take(std::uint64_t user, std::uint64_t database) {
  Standing& one = users_[user];
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

Shares::Standing Shares::standing(std::uint64_t user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? Standing{} : found->second;
}

unsigned Shares::leases_in(std::uint64_t database) const {
  const auto found = databases_.find(database);
  return found == databases_.end() ? 0 : found->second;
}

bool PlannedShares::allows(const LeaseRequest& request, unsigned max_leases_per_database) const {
  const unsigned in_database = max_leases_per_database == 0 ? 0 : leases_in(request.database);
  return is_within_limits(*this, request, max_leases_per_database, in_database);
}

void PlannedShares::take(std::uint64_t user, std::uint64_t database) {
  Shares::Standing changed = standing(user);
  ++changed.leases;
  changed.served = real_.turns() + ++turns_;
  if (const auto found = find_key(users_, user); found != users_.end()) {
    found->second = changed;
  } else {
    users_.emplace_back(user, changed);
  }
  if (database == 0) return;
  if (const auto found = find_key(databases_, database); found != databases_.end()) {
    ++found->second;
  } else {
    databases_.emplace_back(database, 1);
  }
}

Shares::Standing PlannedShares::standing(std::uint64_t user) const {
  const auto found = find_key(users_, user);
  return found == users_.end() ? real_.standing(user) : found->second;
}

unsigned PlannedShares::leases_in(std::uint64_t database) const {
  const auto found = find_key(databases_, database);
  return real_.leases_in(database) + (found == databases_.end() ? 0 : found->second);
}

}  // namespace tidepool::pool
