#include "tidepool/pool/memory.h"

namespace tidepool::pool {

std::optional<std::uint32_t> PreparedCache::find(std::string_view key) {
  const auto found = places_.find(key);
  if (found == places_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->id;
}

std::vector<std::uint32_t> PreparedCache::insert(const Key& key, std::uint32_t id,
                                                 TimePoint asked) {
  next_id_ = id + 1;
  std::vector<std::uint32_t> out;
  if (const auto older = places_.find(*key); older != places_.end()) {
    out.push_back(older->second->id);
    erase(*key);
  }
  for (auto last = entries_.end(); places_.size() >= bound_ && last != entries_.begin();) {
    --last;
    if (last->is_held) continue;
    out.push_back(last->id);
    places_.erase(*last->key);
    last = entries_.erase(last);
  }
  entries_.push_front({key, id, asked});
  places_[*entries_.front().key] = entries_.begin();
  return out;
}

std::optional<TimePoint> PreparedCache::asked(std::string_view key) const {
  const auto found = places_.find(key);
  if (found == places_.end()) return std::nullopt;
  return found->second->asked;
}

void PreparedCache::hold(std::string_view key, bool on) {
  const auto found = places_.find(key);
  if (found != places_.end()) found->second->is_held = on;
}

void PreparedCache::rename(std::string_view from, const Key& to) {
  const auto found = places_.find(from);
  if (found == places_.end() || places_.contains(*to)) return;
  const auto entry = found->second;
  places_.erase(found);
  entry->key = to;
  places_[*entry->key] = entry;
}

void PreparedCache::erase(std::string_view key) {
  const auto found = places_.find(key);
  if (found == places_.end()) return;
  const auto entry = found->second;
  places_.erase(found);
  entries_.erase(entry);
}

void PreparedCache::clear() {
  places_.clear();
  entries_.clear();
  next_id_.reset();
}

}  // namespace tidepool::pool
