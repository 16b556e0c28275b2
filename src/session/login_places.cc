#include "tidepool/session/login_places.h"

#include <algorithm>
#include <utility>

namespace tidepool::session {

void LoginPlaces::set_limits(const LoginLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
  stats_.max_pending.set(static_cast<std::int64_t>(limits.pending));
}

bool LoginPlaces::is_crowded() const {
  const std::lock_guard lock(mutex_);
  return pending_ * 2 >= limits_.pending;
}

LoginPlaces::Entry LoginPlaces::enter(const std::string& network) {
  const std::lock_guard lock(mutex_);
  if (clients_ >= limits_.clients) return Entry::kClientsFull;
  if (is_full(network)) return Entry::kNetworkFull;
  if (pending_ >= limits_.pending) return Entry::kFull;
  if (!network.empty()) ++networks_[network];
  ++pending_;
  stats_.pending.add();
  return Entry::kYes;
}

void LoginPlaces::leave(const std::string& network) {
  const std::lock_guard lock(mutex_);
  --pending_;
  stats_.pending.sub();
  leave_network(network);
}

LoginPlaces::Entry LoginPlaces::move(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (from == to) return Entry::kYes;
  if (is_full(to)) return Entry::kNetworkFull;
  leave_network(from);
  if (!to.empty()) ++networks_[to];
  return Entry::kYes;
}

bool LoginPlaces::is_full(const std::string& network) const {
  const auto found = networks_.find(network);
  return found != networks_.end() && found->second >= limits_.pending_per_network;
}

void LoginPlaces::leave_network(const std::string& network) {
  const auto found = networks_.find(network);
  if (found != networks_.end() && --found->second == 0) networks_.erase(found);
}

bool LoginPlaces::admit(const std::string& network) {
  {
    const std::lock_guard lock(mutex_);
    if (clients_ >= limits_.clients) return false;
    ++clients_;
  }
  leave(network);
  return true;
}

void LoginPlaces::leave_as_client() {
  const std::lock_guard lock(mutex_);
  --clients_;
}

bool LoginPlaces::hold(std::size_t before, std::size_t now) {
  const std::lock_guard lock(mutex_);
  if (now > before && bytes_ - before + now > kMaxBytes) return false;
  bytes_ = bytes_ - before + now;
  return true;
}

LoginPlace::~LoginPlace() {
  if (phase_ == Phase::kClient) places_.leave_as_client();
  if (phase_ != Phase::kPending) return;
  places_.leave(network_);
  end_pending();
}

LoginPlaces::Entry LoginPlace::enter() {
  const LoginPlaces::Entry entry = places_.enter(network_);
  if (entry == LoginPlaces::Entry::kYes) phase_ = Phase::kPending;
  return entry;
}

LoginPlaces::Entry LoginPlace::move_to(const std::string& network) {
  const LoginPlaces::Entry entry = places_.move(network_, network);
  if (entry == LoginPlaces::Entry::kYes) network_ = network;
  return entry;
}

bool LoginPlace::admit() {
  if (phase_ == Phase::kClient) return true;
  if (!places_.admit(network_)) return false;
  end_pending();
  phase_ = Phase::kClient;
  return true;
}

void LoginPlace::end_pending() {
  if (held_ > 0) (void)places_.hold(std::exchange(held_, 0), 0);
  if (on_left_) on_left_();
}

bool LoginPlace::hold(std::size_t bytes) {
  if (phase_ != Phase::kPending) return true;
  if (bytes > LoginPlaces::kMaxBytesOfOne) return false;
  const std::size_t counted = bytes <= LoginPlaces::kFreeBytes ? 0 : bytes;
  if (counted == held_) return true;
  if (!places_.hold(held_, counted)) return false;
  held_ = counted;
  return true;
}

}  // namespace tidepool::session
