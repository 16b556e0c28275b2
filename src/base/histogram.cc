#include "tidepool/base/histogram.h"

#include <algorithm>

#include "tidepool/base/check.h"

namespace tidepool {

Histogram::Histogram(Bounds bounds) : bounds_(bounds) {
  TIDEPOOL_CHECK(bounds.size() <= kMaxBounds);
  TIDEPOOL_CHECK(std::is_sorted(bounds.begin(), bounds.end()));
}

void Histogram::observe(Duration duration) {
  duration = std::max(duration, Duration::zero());
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), duration) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
  sum_ns_.fetch_add(static_cast<std::uint64_t>(ns), std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
  Snapshot result;
  result.upper_seconds.reserve(bounds_.size());
  result.counts.reserve(bounds_.size() + 1);
  for (const auto bound : bounds_) {
    result.upper_seconds.push_back(std::chrono::duration<double>(bound).count());
  }
  for (std::size_t i = 0; i <= bounds_.size(); ++i) {
    const std::uint64_t count = counts_[i].load(std::memory_order_relaxed);
    result.counts.push_back(count);
    result.count += count;
  }
  result.sum_seconds = static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) / 1e9;
  return result;
}

void Histogram::Snapshot::add(const Snapshot& other) {
  if (counts.empty()) {
    *this = other;
    return;
  }
  TIDEPOOL_CHECK(counts.size() == other.counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i)
    counts[i] += other.counts[i];
  count += other.count;
  sum_seconds += other.sum_seconds;
}

}  // namespace tidepool
