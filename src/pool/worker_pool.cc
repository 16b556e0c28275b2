#include "tidepool/pool/worker_pool.h"

#include <utility>

#include "dialler.h"
#include "pooled_connection.h"
#include "tidepool/base/check.h"
#include "tidepool/base/log.h"

namespace tidepool::pool {
namespace {

using State = PooledConnection::State;

constexpr std::chrono::milliseconds kClockInterval{100};
// A backend that was idle for less than this is lent without looking at its socket first.
constexpr std::chrono::milliseconds kFreshlyUsed{2};
constexpr std::string_view kQuitPacket{"\x01\x00\x00\x00\x01", 5};

}  // namespace

WorkerPool::WorkerPool(net::Loop& loop, WorkerIndex index, SharedBroker& broker,
                       WorkerPoolOptions options)
    : loop_(loop),
      index_(index),
      broker_(broker),
      options_(std::move(options)),
      peers_{this},
      clock_(loop),
      dialler_(
          std::make_unique<Dialler>(*this, loop, broker, options_,
                                    [this](DialId dial, std::unique_ptr<PooledConnection> made) {
                                      admit(dial, std::move(made));
                                    })) {
  broker_.join(index, [this](Orders orders) {
    loop_.post([this, orders = std::move(orders)] { carry_out(orders); });
  });
}

WorkerPool::~WorkerPool() = default;

std::optional<Lease> WorkerPool::try_acquire(const LeaseRequest& request) {
  const auto backend =
      broker_.with([&](Broker& broker, Orders&) { return broker.try_acquire(index_, request); });
  if (!backend) return std::nullopt;
  PooledConnection* pooled = find(*backend);
  TIDEPOOL_CHECK(pooled != nullptr);
  if (!is_alive(*pooled)) {
    lose(*pooled, RetireReason::kLost);
    return try_acquire(request);
  }
  return lend(*pooled, {});  // without waiting
}

Ticket WorkerPool::wait(const LeaseRequest& request, Duration timeout, LeaseSink& sink) {
  const TimePoint now = loop_.now();
  const TimePoint deadline = now + timeout;
  const WaiterId waiter = broker_.with([&](Broker& broker, Orders& orders) {
    return broker.enqueue(index_, request, deadline, now, orders);
  });
  waiting_[waiter] = {&sink, request, Clock::now(), deadline};
  return {*this, waiter};
}

void WorkerPool::start_clock() {
  const bool knows_server = info() != nullptr;
  broker_.with([&](Broker& broker, Orders& orders) {
    if (!knows_server) broker.warm_up(1, 0, index_, loop_.now(), orders);
    broker.tick(loop_.now(), orders);
  });
  clock_.start(kClockInterval, [this] { start_clock(); });
}

void WorkerPool::drain() {
  broker_.with([](Broker& broker, Orders& orders) { broker.drain(orders); });
}

void WorkerPool::resume() {
  broker_.with([&](Broker& broker, Orders& orders) { broker.resume(loop_.now(), orders); });
}

void WorkerPool::forget_refusals() {
  broker_.with(
      [&](Broker& broker, Orders& orders) { broker.forget_refusals(loop_.now(), orders); });
}

bool WorkerPool::is_empty() const {
  return connections_.empty() && dialler_->is_empty();
}

void WorkerPool::carry_out(const Orders& orders) {
  for (const Order& order : orders) {
    if (const auto* dial = std::get_if<DialOrder>(&order.what)) dialler_->start(*dial);
    if (const auto* granted = std::get_if<GrantOrder>(&order.what)) grant(*granted);
    if (const auto* moved = std::get_if<MoveOrder>(&order.what)) move(*moved);
    if (const auto* retired = std::get_if<RetireOrder>(&order.what)) retire(*retired);
    if (const auto* asked = std::get_if<PingOrder>(&order.what)) ping(*asked);
    if (const auto* recalled = std::get_if<RecallOrder>(&order.what)) recall(*recalled);
    if (const auto* failed = std::get_if<FailOrder>(&order.what)) fail_waiter(*failed);
  }
}

void WorkerPool::admit(DialId dial, std::unique_ptr<PooledConnection> pooled) {
  broker_.stats().count_backend(pooled->endpoint, 1);
  pooled->enter(State::kIdle);
  pooled->idle_since = loop_.now();
  pooled->id = broker_.with([&](Broker& broker, Orders& orders) {
    return broker.dialled(dial, pooled->tidb_connection, loop_.now(), orders);
  });
  const BackendId id = pooled->id;
  connections_[id] = std::move(pooled);
}

void WorkerPool::grant(const GrantOrder& order) {
  PooledConnection* pooled = find(order.backend);
  if (pooled == nullptr) return requeue(order.waiter);
  const auto found = waiting_.find(order.waiter);
  if (found == waiting_.end()) return stay_idle(*pooled);  // the session no longer waits
  if (!is_alive(*pooled)) {
    lose(*pooled, RetireReason::kLost);
    return requeue(order.waiter);
  }
  const Waiting waiting = found->second;
  waiting_.erase(found);
  waiting.sink->on_lease(lend(*pooled, waiting.since));
}

void WorkerPool::fail_waiter(const FailOrder& order) {
  const auto found = waiting_.find(order.waiter);
  if (found == waiting_.end()) return;
  const Waiting waiting = found->second;
  waiting_.erase(found);
  broker_.stats().lease_wait.observe(Clock::now() - waiting.since);
  if (order.error.code == Code::kTimeout) broker_.stats().lease_timeouts.add();
  if (order.error.code == Code::kBusy) broker_.stats().waiters_refused.add();
  waiting.sink->on_no_lease(order.error);
}

void WorkerPool::requeue(WaiterId waiter) {
  const auto found = waiting_.find(waiter);
  if (found == waiting_.end()) return;
  const Waiting& waiting = found->second;
  broker_.with([&](Broker& broker, Orders& orders) {
    broker.requeue(waiter, index_, waiting.request, waiting.deadline, loop_.now(), orders);
  });
}

void WorkerPool::move(const MoveOrder& order) {
  WorkerPool* target = peers_.at(order.to);
  const auto found = connections_.find(order.backend);
  if (found == connections_.end()) {
    target->loop_.post([target, waiter = order.waiter] { target->requeue(waiter); });
    return;
  }
  std::unique_ptr<PooledConnection> pooled = std::move(found->second);
  connections_.erase(found);
  pooled->connection->detach();
  pooled->owner = target;
  // A std::function must be copyable, so the connection travels in a shared box with one taker.
  auto box = std::make_shared<std::unique_ptr<PooledConnection>>(std::move(pooled));
  target->loop_.post(
      [target, box, waiter = order.waiter] { target->adopt(std::move(*box), waiter); });
}

void WorkerPool::adopt(std::unique_ptr<PooledConnection> pooled, WaiterId waiter) {
  pooled->connection->attach(loop_, pooled.get());
  const BackendId id = pooled->id;
  connections_[id] = std::move(pooled);
  grant({waiter, id});
}

Lease WorkerPool::lend(PooledConnection& pooled, TimePoint since) {
  pooled.enter(State::kLeased);
  pooled.connection->stream().set_sink(nullptr);
  broker_.stats().leases.add();
  broker_.stats().lease_wait.observe(since == TimePoint{} ? Duration{} : Clock::now() - since);
  return {*this, pooled};
}

// Looks at the socket without a round trip. A TLS ticket may be there; anything else means the end.
// Not with the loop's scratch buffer, in which the session that asks may have its client's bytes.
bool WorkerPool::is_alive(PooledConnection& pooled) {
  if (loop_.now() - pooled.idle_since < kFreshlyUsed) return true;
  char unwanted = 0;
  const auto result = pooled.connection->stream().read({&unwanted, 1});
  return result && result->status == net::ReadResult::Status::kWouldBlock;
}

bool WorkerPool::park(PooledConnection& pooled, LeaseKeeper& keeper) {
  if (pooled.is_unfit) return false;
  const bool is_parked = broker_.with(
      [&](Broker& broker, Orders&) { return broker.try_park(pooled.id, loop_.now()); });
  if (!is_parked) return false;
  pooled.enter(State::kParked);
  pooled.keeper = &keeper;
  pooled.idle_since = loop_.now();
  return true;
}

bool WorkerPool::unpark(PooledConnection& pooled) {
  if (pooled.state() != State::kParked) return true;
  pooled.enter(State::kLeased);
  pooled.keeper = nullptr;
  broker_.with(
      [&](Broker& broker, Orders& orders) { broker.unpark(pooled.id, loop_.now(), orders); });
  return is_alive(pooled);
}

void WorkerPool::recall(const RecallOrder& order) {
  PooledConnection* pooled = find(order.backend);
  if (pooled != nullptr && pooled->keeper != nullptr) pooled->keeper->on_recall();
}

void WorkerPool::retire(const RetireOrder& order) {
  PooledConnection* pooled = find(order.backend);
  if (pooled == nullptr) return;
  send_quit(*pooled, order.reason);
}

void WorkerPool::send_quit(PooledConnection& pooled, RetireReason reason) {
  broker_.stats().retired[reason].add();
  log::debug("backend retired", {{"pool", options_.name}, {"reason", to_string(reason)}});
  pooled.enter(State::kClosing);
  net::Stream& stream = pooled.connection->stream();
  stream.set_sink(&pooled);
  pooled.connection->set_broken();  // COM_QUIT is sent here, and its end awaited
  if (!stream.write(kQuitPacket)) return forget(pooled);
  pooled.quit_timer = std::make_unique<net::Timer>(loop_);
  pooled.quit_timer->start(options_.quit_timeout, [this, &pooled] { forget(pooled); });
}

void WorkerPool::ping(const PingOrder& order) {
  PooledConnection* pooled = find(order.backend);
  if (pooled == nullptr) return;
  pooled->enter(State::kPinging);
  pooled->call =
      pooled->connection->ping(options_.ping_timeout, [this, pooled](Result<void> answer) {
        if (!answer) {
          log::info("ping failed", {{"pool", options_.name}, {"error", answer.error().message}});
          return lose(*pooled, RetireReason::kLost);
        }
        pooled->enter(State::kIdle);
        pooled->connection->stream().set_sink(pooled);
        broker_.with([&](Broker& broker, Orders& orders) {
          broker.pinged(pooled->id, loop_.now(), orders);
        });
      });
}

// TiDB has said on it that another connection is better.
void WorkerPool::retire_unfit(PooledConnection& pooled) {
  broker_.with([&](Broker& broker, Orders& orders) {
    broker.retire(pooled.id, RetireReason::kLost, loop_.now(), orders);
  });
  send_quit(pooled, RetireReason::kLost);
}

void WorkerPool::on_event(PooledConnection& pooled) {
  const auto result = pooled.connection->stream().read(loop_.scratch());
  if (result && result->status == net::ReadResult::Status::kWouldBlock) return;
  if (pooled.state() == State::kClosing) return forget(pooled);
  log::info("idle backend lost", {{"pool", options_.name},
                                  {"error", result ? "closed by TiDB" : result.error().message}});
  lose(pooled, RetireReason::kLost);
}

void WorkerPool::release(PooledConnection& pooled, Release how) {
  if (how == Release::kReset) (void)unpark(pooled);  // not parked and resetting at once
  pooled.keeper = nullptr;
  net::Stream& stream = pooled.connection->stream();
  stream.resume(
      net::PauseReason::kPeerFull);  // the client that could not take more is not the next one
  if (how != Release::kDiscard && stream.queued_bytes() > 0) {  // half a packet may be out
    pooled.connection->set_broken();
    return lose(pooled, RetireReason::kDirty);
  }
  if (how != Release::kDiscard && pooled.is_unfit) return retire_unfit(pooled);
  switch (how) {
    case Release::kClean: return give_back(pooled);
    case Release::kReset: return reset(pooled);
    case Release::kDiscard: return lose(pooled, RetireReason::kError);
  }
}

void WorkerPool::give_back(PooledConnection& pooled) {
  pooled.enter(State::kIdle);
  stay_idle(pooled);
}

void WorkerPool::stay_idle(PooledConnection& pooled) {
  pooled.idle_since = loop_.now();
  pooled.connection->stream().set_sink(&pooled);
  broker_.with([&](Broker& broker, Orders& orders) {
    broker.release(pooled.id, pooled.model.actual.hash(), loop_.now(), orders);
  });
}

void WorkerPool::reset(PooledConnection& pooled) {
  pooled.enter(State::kResetting);
  broker_.stats().backends[BackendState::kResetting].add();
  pooled.call =
      pooled.connection->reset(options_.control_timeout, [this, &pooled](Result<void> result) {
        broker_.stats().backends[BackendState::kResetting].sub();
        if (!result) {
          log::info("reset failed", {{"pool", options_.name}, {"error", result.error().message}});
          return lose(pooled, RetireReason::kDirty);
        }
        pooled.model.reset();
        give_back(pooled);
      });
}

void WorkerPool::lose(PooledConnection& pooled, RetireReason reason) {
  broker_.stats().retired[reason].add();
  if (reason == RetireReason::kLost) pooled.connection->set_broken();
  broker_.with([&](Broker& broker, Orders& orders) {
    broker.retire(pooled.id, reason, loop_.now(), orders);
  });
  forget(pooled);
}

void WorkerPool::forget(PooledConnection& pooled) {
  const auto found = connections_.find(pooled.id);
  TIDEPOOL_CHECK(found != connections_.end());
  pooled.connection->stream().set_sink(nullptr);
  if (pooled.quit_timer)
    pooled.quit_timer->stop();  // due as well perhaps, and it lives a little longer
  const BackendId id = pooled.id;
  broker_.stats().count_backend(pooled.endpoint, -1);
  loop_.retire(std::move(found->second));  // we may be in its callback
  connections_.erase(found);
  broker_.with([&](Broker& broker, Orders& orders) { broker.closed(id, loop_.now(), orders); });
}

void WorkerPool::cancel(WaiterId waiter) {
  if (waiting_.erase(waiter) == 0) return;
  broker_.with([&](Broker& broker, Orders& orders) { broker.cancel(waiter, loop_.now(), orders); });
}

PooledConnection* WorkerPool::find(BackendId backend) {
  const auto found = connections_.find(backend);
  return found == connections_.end() ? nullptr : found->second.get();
}

void PooledConnection::on_readable() {
  owner->on_event(*this);
}

void PooledConnection::on_error(Error) {
  owner->on_event(*this);
}

}  // namespace tidepool::pool
