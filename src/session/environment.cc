#include "tidepool/session/environment.h"

namespace tidepool::session {
namespace {

constexpr std::chrono::seconds kDatabaseTrust{60};
constexpr std::size_t kMaxKnownDatabases = 1024;
constexpr const char* kUnknownServer = "8.0.11-TiDB-v8.5.0";

}  // namespace

bool KnownDatabases::knows(const std::string& name, TimePoint now) const {
  const auto found = seen_.find(name);
  return found != seen_.end() && now - found->second < kDatabaseTrust;
}

void KnownDatabases::add(const std::string& name, TimePoint now) {
  if (seen_.size() >= kMaxKnownDatabases) seen_.clear();
  seen_[name] = now;
}

Account* Environment::find_account(std::string_view name) {
  const auto found = accounts.find(std::string(name));
  return found == accounts.end() ? nullptr : &found->second;
}

std::string Environment::server_version() const {
  for (const auto& access : pools) {
    if (const auto info = access->pool->info()) return info->server.version;
  }
  return kUnknownServer;
}

}  // namespace tidepool::session
