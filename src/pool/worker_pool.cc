#include "tidepool/pool/worker_pool.h"

#include <utility>

#include "node.h"
#include "tidepool/base/check.h"
#include "tidepool/base/log.h"

namespace tidepool::pool {
namespace {

constexpr std::chrono::milliseconds kClockInterval{100};
constexpr std::chrono::seconds kGoodbyeTimeout{1};
constexpr std::chrono::seconds kPingTimeout{5};
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
      clock_(loop) {
  broker_.join(index, [this](Orders orders) {
    loop_.post([this, orders = std::move(orders)] { carry_out(orders); });
  });
}

WorkerPool::~WorkerPool() = default;

std::optional<Lease> WorkerPool::try_acquire(const Want& want) {
  const auto backend =
      broker_.with([&](Broker& broker, Orders&) { return broker.try_acquire(index_, want); });
  if (!backend) return std::nullopt;
  Node* node = find(*backend);
  TIDEPOOL_CHECK(node != nullptr);
  if (!is_alive(*node)) {
    lose(*node, RetireReason::kLost);
    return try_acquire(want);
  }
  return lend(*node, {});  // without waiting
}

Ticket WorkerPool::wait(const Want& want, Duration timeout, LeaseSink& sink) {
  const TimePoint now = loop_.now();
  const TimePoint deadline = now + timeout;
  const WaiterId waiter = broker_.with([&](Broker& broker, Orders& orders) {
    return broker.enqueue(index_, want, deadline, now, orders);
  });
  waiting_[waiter] = {&sink, want, Clock::now(), deadline};
  return {*this, waiter};
}

void WorkerPool::start_clock() {
  tick();
  clock_.start(kClockInterval, [this] { start_clock(); });
}

void WorkerPool::tick() {
  const bool knows_server = facts() != nullptr;
  broker_.with([&](Broker& broker, Orders& orders) {
    if (!knows_server) broker.warm_up(1, 0, index_, loop_.now(), orders);
    broker.tick(loop_.now(), orders);
  });
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

void WorkerPool::carry_out(const Orders& orders) {
  for (const Order& order : orders) {
    if (const auto* dial = std::get_if<DialOrder>(&order.what)) start_dial(*dial);
    if (const auto* granted = std::get_if<GrantOrder>(&order.what)) grant(*granted);
    if (const auto* moved = std::get_if<MoveOrder>(&order.what)) move(*moved);
    if (const auto* retired = std::get_if<RetireOrder>(&order.what)) retire(*retired);
    if (const auto* asked = std::get_if<PingOrder>(&order.what)) ping(*asked);
    if (const auto* recalled = std::get_if<RecallOrder>(&order.what)) recall(*recalled);
    if (const auto* failed = std::get_if<FailOrder>(&order.what)) fail_waiter(*failed);
  }
}

void WorkerPool::grant(const GrantOrder& order) {
  Node* node = find(order.backend);
  if (node == nullptr) return requeue(order.waiter);
  const auto found = waiting_.find(order.waiter);
  if (found == waiting_.end()) return give_back(*node);  // the session no longer waits
  if (!is_alive(*node)) {
    lose(*node, RetireReason::kLost);
    return requeue(order.waiter);
  }
  const Waiting waiting = found->second;
  waiting_.erase(found);
  waiting.sink->on_lease(lend(*node, waiting.since));
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
    broker.requeue(waiter, index_, waiting.want, waiting.deadline, loop_.now(), orders);
  });
}

void WorkerPool::move(const MoveOrder& order) {
  WorkerPool* target = peers_.at(order.to);
  const auto found = nodes_.find(order.backend);
  if (found == nodes_.end()) {
    target->loop_.post([target, waiter = order.waiter] { target->requeue(waiter); });
    return;
  }
  std::unique_ptr<Node> node = std::move(found->second);
  nodes_.erase(found);
  node->connection->detach();
  node->owner = target;
  // A std::function must be copyable, so the node travels in a shared box with one taker.
  auto box = std::make_shared<std::unique_ptr<Node>>(std::move(node));
  target->loop_.post(
      [target, box, waiter = order.waiter] { target->adopt(std::move(*box), waiter); });
}

void WorkerPool::adopt(std::unique_ptr<Node> node, WaiterId waiter) {
  node->connection->attach(loop_, node.get());
  const BackendId id = node->id;
  nodes_[id] = std::move(node);
  grant({waiter, id});
}

Lease WorkerPool::lend(Node& node, TimePoint since) {
  node.state = Node::State::kLeased;
  node.connection->stream().set_sink(nullptr);
  broker_.stats().leases.add();
  broker_.stats().lease_wait.observe(since == TimePoint{} ? Duration{} : Clock::now() - since);
  return {*this, node};
}

// Looks at the socket without a round trip. A TLS ticket may be there; anything else means the end.
// Not with the loop's scratch buffer, in which the session that asks may have its client's bytes.
bool WorkerPool::is_alive(Node& node) {
  if (loop_.now() - node.idle_since < kFreshlyUsed) return true;
  char unwanted = 0;
  const auto result = node.connection->stream().read({&unwanted, 1});
  return result && result->status == net::ReadResult::Status::kWouldBlock;
}

bool WorkerPool::park(Node& node, LeaseKeeper& keeper) {
  if (node.is_unfit) return false;
  const bool is_parked =
      broker_.with([&](Broker& broker, Orders&) { return broker.park(node.id, loop_.now()); });
  if (!is_parked) return false;
  node.keeper = &keeper;
  node.idle_since = loop_.now();
  return true;
}

bool WorkerPool::unpark(Node& node) {
  if (node.keeper == nullptr) return true;
  node.keeper = nullptr;
  broker_.with(
      [&](Broker& broker, Orders& orders) { broker.unpark(node.id, loop_.now(), orders); });
  return is_alive(node);
}

void WorkerPool::recall(const RecallOrder& order) {
  Node* node = find(order.backend);
  if (node != nullptr && node->keeper != nullptr) node->keeper->on_recall();
}

void WorkerPool::retire(const RetireOrder& order) {
  Node* node = find(order.backend);
  if (node == nullptr) return;
  say_goodbye(*node, order.reason);
}

void WorkerPool::say_goodbye(Node& node, RetireReason reason) {
  broker_.stats().retired[reason].add();
  log::debug("backend retired", {{"pool", options_.name}, {"reason", to_string(reason)}});
  node.state = Node::State::kGoodbye;
  net::Stream& stream = node.connection->stream();
  stream.set_sink(&node);
  node.connection->set_broken();  // the goodbye is said here, and its end awaited
  if (!stream.write(kQuitPacket)) return forget(node);
  node.goodbye = std::make_unique<net::Timer>(loop_);
  node.goodbye->start(kGoodbyeTimeout, [this, &node] { forget(node); });
}

void WorkerPool::ping(const PingOrder& order) {
  Node* node = find(order.backend);
  if (node == nullptr) return;
  node->state = Node::State::kPinging;
  node->call = node->connection->ping(kPingTimeout, [this, node](Result<void> answer) {
    if (!answer) {
      log::info("ping failed", {{"pool", options_.name}, {"error", answer.error().message}});
      return lose(*node, RetireReason::kLost);
    }
    node->state = Node::State::kIdle;
    node->connection->stream().set_sink(node);
    broker_.with(
        [&](Broker& broker, Orders& orders) { broker.pinged(node->id, loop_.now(), orders); });
  });
}

// TiDB has said on it that another connection is better.
void WorkerPool::retire_unfit(Node& node) {
  broker_.with([&](Broker& broker, Orders& orders) {
    broker.retire(node.id, loop_.now(), orders);
    broker.suspect_idle();
  });
  say_goodbye(node, RetireReason::kLost);
}

void WorkerPool::on_node_event(Node& node) {
  const auto result = node.connection->stream().read(loop_.scratch());
  if (result && result->status == net::ReadResult::Status::kWouldBlock) return;
  if (node.state == Node::State::kGoodbye) return forget(node);
  log::info("idle backend lost", {{"pool", options_.name},
                                  {"error", result ? "closed by TiDB" : result.error().message}});
  lose(node, RetireReason::kLost);
}

void WorkerPool::release(Node& node, Release how) {
  if (how == Release::kReset) (void)unpark(node);  // not parked and resetting at once
  node.keeper = nullptr;
  net::Stream& stream = node.connection->stream();
  stream.resume(
      net::PauseReason::kPeerFull);  // the client that could not take more is not the next one
  if (how != Release::kDiscard && stream.queued_bytes() > 0) {  // half a packet may be out
    node.connection->set_broken();
    return lose(node, RetireReason::kDirty);
  }
  if (how != Release::kDiscard && node.is_unfit) return retire_unfit(node);
  switch (how) {
    case Release::kClean: return give_back(node);
    case Release::kReset: return reset(node);
    case Release::kDiscard: return lose(node, RetireReason::kError);
  }
}

void WorkerPool::give_back(Node& node) {
  node.state = Node::State::kIdle;
  node.idle_since = loop_.now();
  node.connection->stream().set_sink(&node);
  broker_.with([&](Broker& broker, Orders& orders) {
    broker.release(node.id, node.memory.actual.hash(), loop_.now(), orders);
  });
}

void WorkerPool::reset(Node& node) {
  node.state = Node::State::kResetting;
  broker_.stats().backends[BackendState::kResetting].add();
  node.call = node.connection->reset(options_.control_timeout, [this, &node](Result<void> result) {
    broker_.stats().backends[BackendState::kResetting].sub();
    if (!result) {
      log::info("reset failed", {{"pool", options_.name}, {"error", result.error().message}});
      return lose(node, RetireReason::kDirty);
    }
    node.memory.reset();
    give_back(node);
  });
}

void WorkerPool::lose(Node& node, RetireReason reason) {
  broker_.stats().retired[reason].add();
  if (reason == RetireReason::kLost) node.connection->set_broken();
  broker_.with([&](Broker& broker, Orders& orders) {
    broker.retire(node.id, loop_.now(), orders);
    // Whatever ended this one may have ended the idle ones too, without their having heard of it.
    if (reason == RetireReason::kLost || reason == RetireReason::kError) broker.suspect_idle();
  });
  forget(node);
}

void WorkerPool::forget(Node& node) {
  const auto found = nodes_.find(node.id);
  TIDEPOOL_CHECK(found != nodes_.end());
  node.connection->stream().set_sink(nullptr);
  if (node.goodbye) node.goodbye->stop();  // due as well perhaps, and it lives a little longer
  const BackendId id = node.id;
  count_backend(node.endpoint, -1);
  loop_.retire(std::move(found->second));  // we may be in its callback
  nodes_.erase(found);
  broker_.with([&](Broker& broker, Orders& orders) { broker.closed(id, loop_.now(), orders); });
}

void WorkerPool::cancel(WaiterId waiter) {
  if (waiting_.erase(waiter) == 0) return;
  broker_.with([&](Broker& broker, Orders& orders) { broker.cancel(waiter, loop_.now(), orders); });
}

Node* WorkerPool::find(BackendId backend) {
  const auto found = nodes_.find(backend);
  return found == nodes_.end() ? nullptr : found->second.get();
}

void Node::on_readable() {
  owner->on_node_event(*this);
}

void Node::on_error(Error) {
  owner->on_node_event(*this);
}

}  // namespace tidepool::pool
