#include "tidepool/tracking/backend_model.h"

#include <algorithm>

namespace tidepool::tracking {

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
  bool has_warned = false;
  if (const auto older = places_.find(*key); older != places_.end()) {
    out.push_back(older->second->id);
    has_warned = older->second->has_warned;
    erase(*key);
  }
  push_out(bound_ - 1, out);
  entries_.push_front({key, id, asked});
  entries_.front().has_warned = has_warned;
  if (has_warned) ++warners_;
  places_[*entries_.front().key] = entries_.begin();
  return out;
}

void PreparedCache::push_out(std::size_t most, std::vector<std::uint32_t>& out) {
  for (auto last = entries_.end(); places_.size() > most && last != entries_.begin();) {
    --last;
    if (last->is_held) continue;
    out.push_back(last->id);
    if (last->has_warned) --warners_;
    places_.erase(*last->key);
    last = entries_.erase(last);
  }
}

std::vector<std::uint32_t> PreparedCache::limit(std::size_t bound) {
  bound_ = std::clamp<std::size_t>(bound, 1, most_);
  return make_way(bound_);
}

std::vector<std::uint32_t> PreparedCache::make_way(std::size_t most) {
  std::vector<std::uint32_t> out;
  push_out(most, out);
  return out;
}

void PreparedCache::note_executed(std::string_view key, bool has_warned) {
  const auto found = places_.find(key);
  if (found == places_.end() || found->second->was_executed) return;
  Entry& entry = *found->second;
  entry.was_executed = true;
  if (!has_warned || entry.has_warned) return;
  entry.has_warned = true;
  ++warners_;
}

bool PreparedCache::warns_when_planned(std::string_view key) const {
  if (warners_ == 0) return false;
  const auto found = places_.find(key);
  return found != places_.end() && found->second->has_warned;
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
  if (entry->has_warned) --warners_;
  places_.erase(found);
  entries_.erase(entry);
}

void PreparedCache::clear() {
  places_.clear();
  entries_.clear();
  warners_ = 0;
  next_id_.reset();
}

}  // namespace tidepool::tracking
