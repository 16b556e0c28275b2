#include "tidepool/session/registry.h"

#include <utility>

namespace tidepool::session {

void Registry::join(unsigned index, Deliver deliver) {
  if (deliver_.size() <= index) deliver_.resize(index + 1);
  deliver_[index] = std::move(deliver);
}

void Registry::add(std::uint32_t session, unsigned worker, const std::string& user) {
  const std::lock_guard lock(mutex_);
  sessions_[session] = {worker, user};
}

void Registry::remove(std::uint32_t session) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(session);
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
