#include "tidepool/pool/dial_gate.h"

#include <algorithm>

namespace tidepool::pool {

bool DialGate::may_dial(TimePoint now, std::size_t under_way) const {
  const std::size_t at_once = is_away() ? 1 : limits_.max_dials;
  if (now < not_before_ || under_way >= at_once) return false;
  return recent_.size() < limits_.dial_rate ||
         now - recent_[recent_.size() - limits_.dial_rate] >= std::chrono::seconds(1);
}

void DialGate::begin(TimePoint now) {
  recent_.push_back(now);
  while (recent_.size() > limits_.dial_rate)
    recent_.pop_front();
}

void DialGate::succeed() {
  failures_ = 0;
  not_before_ = {};
  last_error_.reset();
}

void DialGate::fail(const Error& error, TimePoint begun, TimePoint now) {
  last_error_ = error;
  if (failures_ > 0 && begun < failed_at_) return;
  failed_at_ = now;
  // Exponential backoff with full jitter, so that many proxies do not knock in step.
  const unsigned doublings = std::min(failures_++, 16U);
  const auto ceiling = std::min<std::chrono::milliseconds>(
      limits_.backoff_initial * (1LL << doublings), limits_.backoff_max);
  std::uniform_int_distribution<long long> spread(0, ceiling.count());
  not_before_ = now + std::chrono::milliseconds(spread(random_));
}

bool DialGate::is_hopeless(TimePoint now) const {
  return is_away() && last_error_ && is_permanent(*last_error_) && now < not_before_;
}

bool is_permanent(const Error& error) {
  return error.code == Code::kAuth || error.code == Code::kTls;
}

}  // namespace tidepool::pool
