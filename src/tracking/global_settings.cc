#include "tidepool/tracking/global_settings.h"

#include <cstddef>

namespace tidepool::tracking {

void GlobalSettings::note(const sql::Script& script) {
  for (std::size_t i = 0; i < script.size(); ++i) {
    if (script[i].global_names.empty()) continue;
    const std::lock_guard lock(mutex_);
    names_.insert(script[i].global_names.begin(), script[i].global_names.end());
  }
}

bool GlobalSettings::hide(const sql::StateChange& change) const {
  if (change.kind != sql::ChangeKind::kSetDefault) return false;
  const std::lock_guard lock(mutex_);
  return names_.find(change.name) != names_.end();
}

}  // namespace tidepool::tracking
