#include "tidepool/session/registry.h"

#include <utility>

namespace tidepool::session {

void Registry::join(unsigned index, Deliver deliver) {
  if (deliver_.size() <= index) deliver_.resize(index + 1);
  deliver_[index] = std::move(deliver);
}

Admission Registry::add(std::uint32_t session, unsigned worker, const AdmissionRequest& request) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session);
  const bool same_user = found != sessions_.end() && found->second.user == request.user;
  const bool same_database = found != sessions_.end() && found->second.database == request.database;
  if (!same_user && is_full(users_, request.user, request.max_of_user)) {
    return Admission::kUserFull;
  }
  if (!same_database && is_full(databases_, request.database, request.max_of_database)) {
    return Admission::kDatabaseFull;
  }
  if (found != sessions_.end()) {
    remove_one(users_, found->second.user);
    remove_one(databases_, found->second.database);
  }
  ++users_[request.user];
  if (!request.database.empty()) ++databases_[request.database];
  sessions_[session] = {worker, request.user, request.database};
  return Admission::kYes;
}

void Registry::remove(std::uint32_t session) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  remove_one(users_, found->second.user);
  remove_one(databases_, found->second.database);
  sessions_.erase(found);
}

bool Registry::is_full(const Counts& counts, const std::string& key, unsigned limit) {
  if (limit == 0) return false;
  const auto found = counts.find(key);
  return found != counts.end() && found->second >= limit;
}

void Registry::remove_one(Counts& counts, const std::string& key) {
  const auto found = counts.find(key);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

std::optional<std::string> Registry::user_of(std::uint64_t session) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? std::nullopt : std::optional(found->second.user);
}

void Registry::kill(std::uint64_t session, KillKind kind) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  deliver_[found->second.worker](static_cast<std::uint32_t>(session), kind);
}

}  // namespace tidepool::session
