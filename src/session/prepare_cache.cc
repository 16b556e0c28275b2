#include "tidepool/session/prepare_cache.h"

namespace tidepool::session {
namespace {

// About what an entry costs besides its text and its answer.
constexpr std::size_t kOverhead = 256;
constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();
constexpr Duration kFewerFor = std::chrono::minutes(10);

}  // namespace

PrepareCache::Found PrepareCache::find(std::string_view context, std::string_view text,
                                       const View& view, TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (changing_ > 0 || view.changes != changes_) return {};
  const auto place = places_.find(Key{context, text});
  if (place == places_.end()) return {};
  const auto entry = place->second;
  if (now - entry->seen >= limits_.life) {
    erase(entry);
    return {};
  }
  if (entry->seen > view.time) return {};  // learnt after this transaction began
  entries_.splice(entries_.begin(), entries_, entry);
  return {entry->prepare, entry->seen};
}

void PrepareCache::add(std::string_view context, std::string_view text, RememberedPrepare prepare,
                       const View& view) {
  const std::size_t bytes = context.size() + text.size() + prepare.packets.size() + kOverhead;
  if (!is_on() || bytes > limits_.bytes / 16) return;
  auto shared = std::make_shared<const RememberedPrepare>(std::move(prepare));
  const std::lock_guard lock(mutex_);
  if (changing_ > 0 || view.changes != changes_) return;
  if (const auto place = places_.find(Key{context, text}); place != places_.end()) {
    if (place->second->seen > view.time) return;  // a transaction's view is older than what is here
    erase(place->second);
  }
  entries_.push_front(
      {std::string(context), std::string(text), std::move(shared), view.time, bytes});
  places_[Key{entries_.front().context, entries_.front().text}] = entries_.begin();
  bytes_ += bytes;
  while (bytes_ > limits_.bytes || entries_.size() > limits_.entries)
    erase(std::prev(entries_.end()));
}

void PrepareCache::forget(std::string_view context, std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (const auto place = places_.find(Key{context, text}); place != places_.end())
    erase(place->second);
}

std::size_t PrepareCache::most_kept(TimePoint now) const {
  const std::size_t most = most_kept_.load(std::memory_order_relaxed);
  if (most == kAny || now < kept_until_.load(std::memory_order_relaxed)) return most;
  return kAny;
}

void PrepareCache::keep_fewer(std::size_t most, TimePoint now) {
  if (most < most_kept(now)) most_kept_.store(most, std::memory_order_relaxed);
  kept_until_.store(now + kFewerFor, std::memory_order_relaxed);
}

PrepareCache::Change::Change(PrepareCache& memory) : memory_(&memory) {
  const std::lock_guard lock(memory.mutex_);
  ++memory.changing_;
  ++memory.changes_;
  memory.clear();
}

PrepareCache::Change::~Change() {
  if (memory_ == nullptr) return;
  const std::lock_guard lock(memory_->mutex_);
  --memory_->changing_;
  ++memory_->changes_;
}

std::size_t PrepareCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void PrepareCache::clear() {
  places_.clear();
  entries_.clear();
  bytes_ = 0;
}

void PrepareCache::erase(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  places_.erase(Key{entry->context, entry->text});
  entries_.erase(entry);
}

}  // namespace tidepool::session
