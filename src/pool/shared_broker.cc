#include "tidepool/pool/shared_broker.h"

#include <utility>

namespace tidepool::pool {

SharedBroker::SharedBroker(const Limits& limits, std::uint64_t seed, PoolStats& stats)
    : broker_(limits, seed), stats_(stats) {
  stats_.cap.set(limits.cap());
  stats_.size.set(limits.size);
}

void SharedBroker::join(WorkerIndex index, Deliver deliver) {
  const std::lock_guard lock(mutex_);
  if (deliver_.size() <= index) deliver_.resize(index + 1);
  deliver_[index] = std::move(deliver);
}

SharedBroker::Sender::~Sender() {
  broker.publish();
  lock.unlock();
  if (orders.empty()) return;
  std::vector<Orders> sorted(broker.deliver_.size());
  for (Order& order : orders)
    sorted[order.worker].push_back(std::move(order));
  for (std::size_t worker = 0; worker < sorted.size(); ++worker) {
    if (!sorted[worker].empty()) broker.deliver_[worker](std::move(sorted[worker]));
  }
}

void SharedBroker::set_limits(const Limits& limits) {
  with([&](Broker& broker, Orders& orders) { broker.set_limits(limits, Clock::now(), orders); });
  stats_.cap.set(limits.cap());
  stats_.size.set(limits.size);
}

void SharedBroker::publish() {
  const BrokerCounts now = broker_.pool().counts();
  const std::int64_t resetting = stats_.backends[BackendState::kResetting].value();
  stats_.backends[BackendState::kDialling].set(now.dialling);
  stats_.backends[BackendState::kIdle].set(now.idle);
  stats_.backends[BackendState::kLeased].set(std::max<std::int64_t>(0, now.leased - resetting));
  stats_.backends[BackendState::kParked].set(now.parked);
  stats_.backends[BackendState::kClosing].set(now.closing);
  stats_.waiters.set(now.waiting);
  stats_.unavailable.set(broker_.pool().dials.gate().is_unavailable() ? 1 : 0);
}

BrokerCounts SharedBroker::counts() const {
  const std::lock_guard lock(mutex_);
  return broker_.pool().counts();
}

std::string SharedBroker::last_dial_error() const {
  const std::lock_guard lock(mutex_);
  const std::optional<Error>& error = broker_.pool().dials.gate().last_error();
  return error ? error->message : std::string();
}

void SharedBroker::set_info(PoolInfo info) {
  auto shared = std::make_shared<const PoolInfo>(std::move(info));
  const std::lock_guard lock(mutex_);
  info_ = std::move(shared);
}

std::shared_ptr<const PoolInfo> SharedBroker::info() const {
  const std::lock_guard lock(mutex_);
  return info_;
}

}  // namespace tidepool::pool
