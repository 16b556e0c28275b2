#include "tidepool/pool/dial_gate.h"

#include <algorithm>

namespace tidepool::pool {
namespace {

// The first pause after a refusal, in pauses after other failures.
constexpr int kRefusalFactor = 10;
// The least time between dials without a waiter while TiDB refuses the account.
constexpr std::chrono::seconds kUnaskedPause{60};

// Every endpoint would say the same.
bool concerns_account(const Error& error) {
  return error.code == Code::kAuth || error.code == Code::kConfig;
}

// No TiDB is there. A TiDB that wakes up does not answer instead.
bool shows_absence(const Error& error) {
  return error.code == Code::kRefused || error.code == Code::kProtocol ||
         error.code == Code::kNotTidb;
}

std::chrono::milliseconds doubled(std::chrono::milliseconds first, unsigned times,
                                  std::chrono::milliseconds longest) {
  return std::min<std::chrono::milliseconds>(first * (1LL << std::min(times, 16U)), longest);
}

}  // namespace

std::optional<EndpointIndex> DialGate::next(TimePoint now, std::size_t under_way) const {
  if (now < refused_until_ || !is_within_rate(now)) return std::nullopt;
  if (under_way >= (is_unavailable() ? 1 : limits_.max_dials)) return std::nullopt;
  if (const std::size_t sound = first_healthy(); sound < endpoints_.size())
    return static_cast<EndpointIndex>(sound);
  for (std::size_t i = 0; i < endpoints_.size(); ++i)
    if (now >= endpoints_[i].not_before) return static_cast<EndpointIndex>(i);
  return std::nullopt;
}

std::optional<EndpointIndex> DialGate::next_probe(TimePoint now) const {
  const std::size_t sound = first_healthy();
  if (is_unavailable() || !is_within_rate(now)) return std::nullopt;
  for (std::size_t i = 0; i < sound; ++i)
    if (now >= endpoints_[i].not_before) return static_cast<EndpointIndex>(i);
  return std::nullopt;
}

bool DialGate::is_within_rate(TimePoint now) const {
  return recent_.size() < limits_.dial_rate ||
         now - recent_[recent_.size() - limits_.dial_rate] >= std::chrono::seconds(1);
}

std::size_t DialGate::first_healthy() const {
  const auto found = std::find_if(endpoints_.begin(), endpoints_.end(),
                                  [](const Endpoint& one) { return one.failures == 0; });
  return static_cast<std::size_t>(found - endpoints_.begin());
}

bool DialGate::may_dial_unasked(TimePoint now) const {
  if (account_refused_at_ == TimePoint{}) return true;
  return now - account_refused_at_ >= std::max<Duration>(kUnaskedPause, limits_.backoff_refused);
}

void DialGate::begin(TimePoint now) {
  recent_.push_back(now);
  while (recent_.size() > limits_.dial_rate)
    recent_.pop_front();
}

void DialGate::succeed(EndpointIndex endpoint) {
  endpoints_[endpoint] = {};
  refusals_ = 0;
  refused_until_ = {};
  account_refused_at_ = {};
  was_reached_ = true;
  last_error_.reset();
}

void DialGate::fail(EndpointIndex endpoint, const Error& error, TimePoint begun, Demand demand,
                    TimePoint now) {
  const bool is_asked = demand == Demand::kWaiter;
  last_error_ = error;
  account_refused_at_ = concerns_account(error) ? now : TimePoint{};
  if (error.mysql_errno != 0 && !shows_absence(error)) was_reached_ = true;  // it answered
  if (concerns_account(error)) {
    if (refusals_ > 0 && begun < refused_at_) return;
    refused_at_ = now;
    refused_until_ = now + pause_after_refusal(is_asked ? refusals_ : 0);
    if (is_asked || refusals_ == 0) ++refusals_;
    return;
  }
  Endpoint& one = endpoints_[endpoint];
  one.is_absent = shows_absence(error);
  if (one.failures > 0 && begun < one.failed_at) return;
  one.failed_at = now;
  const unsigned failures = one.failures++;
  one.not_before =
      now + (is_permanent(error) ? pause_after_refusal(failures) : pause_after(failures));
}

void DialGate::forget_refusals() {
  for (Endpoint& one : endpoints_)
    one.not_before = {};
  refusals_ = 0;
  refused_until_ = {};
  account_refused_at_ = {};
}

bool DialGate::is_absent() const {
  return !was_reached_ && std::all_of(endpoints_.begin(), endpoints_.end(), [](const auto& one) {
    return one.failures > 0 && one.is_absent;
  });
}

// Exponential backoff with full jitter, so that many proxies do not knock in step.
Duration DialGate::pause_after(unsigned failures) {
  const auto longest = doubled(limits_.backoff_initial, failures, limits_.backoff_max);
  std::uniform_int_distribution<long long> spread(0, longest.count());
  return std::chrono::milliseconds(spread(random_));
}

// A wrong password or a used-up quota does not mend itself; who knocks all the time gets locked
// out.
Duration DialGate::pause_after_refusal(unsigned refusals) {
  const auto first = std::min(limits_.backoff_initial * kRefusalFactor, limits_.backoff_refused);
  const auto longest = doubled(first, refusals, limits_.backoff_refused);
  std::uniform_int_distribution<long long> spread(longest.count() / 2, longest.count());
  return std::chrono::milliseconds(spread(random_));
}

bool DialGate::is_hopeless(TimePoint now) const {
  if (!is_unavailable() || !last_error_ || !is_permanent(*last_error_)) return false;
  return now < refused_until_ ||
         std::all_of(endpoints_.begin(), endpoints_.end(),
                     [now](const Endpoint& one) { return now < one.not_before; });
}

bool is_permanent(const Error& error) {
  return concerns_account(error) || error.code == Code::kTls || error.code == Code::kNotTidb;
}

}  // namespace tidepool::pool
