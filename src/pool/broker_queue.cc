// The queue: who waits, whose turn it is, and what those are told who get nothing.
#include <algorithm>
#include <utility>
#include <vector>

#include "tidepool/pool/broker.h"

namespace tidepool::pool {

std::deque<Broker::Waiter>::iterator Broker::add_waiter(const Waiter& waiter, bool in_front) {
  shares_.begin_wait(waiter.want.user);
  return waiters_.insert(in_front ? waiters_.begin() : waiters_.end(), waiter);
}

void Broker::erase_waiter(const std::deque<Waiter>::iterator& waiter) {
  shares_.end_wait(waiter->want.user);
  waiters_.erase(waiter);
}

template <class Predicate>
void Broker::erase_waiters(Predicate predicate) {
  std::erase_if(waiters_, [&](const Waiter& waiter) {
    if (!predicate(waiter)) return false;
    shares_.end_wait(waiter.want.user);
    return true;
  });
}

void Broker::cancel(WaiterId waiter) {
  erase_waiters([waiter](const Waiter& one) { return one.id == waiter; });
}

void Broker::hold(Node& node, const Want& want) {
  shares_.take(want.user, want.database);
  node.has_holder = true;
  node.user = want.user;
  node.database = want.database;
}

void Broker::end_hold(Node& node) {
  if (std::exchange(node.has_holder, false)) shares_.give_back(node.user, node.database);
}

// Of those who may have a lease (of that variant): urgent ones, then the user whose turn it is;
// first come, first served among the waiters of one user.
std::deque<Broker::Waiter>::iterator Broker::next_waiter(const std::uint64_t* variant) {
  auto best = waiters_.end();
  std::vector<std::uint64_t> seen;  // users
  for (auto one = waiters_.begin(); one != waiters_.end(); ++one) {
    if (variant != nullptr && one->want.variant != *variant) continue;
    if (!allows(one->want)) continue;
    if (one->want.is_urgent || shares_.users_waiting() == 1) return one;
    if (std::find(seen.begin(), seen.end(), one->want.user) != seen.end()) continue;
    seen.push_back(one->want.user);
    if (best == waiters_.end() || shares_.precedes(one->want.user, best->want.user)) best = one;
    if (seen.size() == shares_.users_waiting()) break;
  }
  return best;
}

// Somebody waited for a limit of a user or a database, and not for a backend.
void Broker::serve_from_idle(Orders& orders) {
  if (waiters_.empty() || idle_.empty()) return;
  const std::list<BackendId> idle = idle_;
  for (const BackendId backend : idle) {
    const auto waiter = next_waiter_for(nodes_.at(backend));
    if (waiter != waiters_.end()) hand_to(waiter, backend, orders);
  }
}

// Those for whom there is room to open a backend do not count, unless TiDB is away.
bool Broker::is_full() const {
  if (limits_.max_waiters == 0) return false;
  const BrokerCounts now = counts();
  const unsigned taken = now.total() - now.dialling;
  const unsigned room = gate_.is_away() || taken > limits_.cap() ? 0 : limits_.cap() - taken;
  return waiters_.size() >= limits_.max_waiters + room;
}

void Broker::fail_all_waiters(const Error& error, Orders& orders) {
  erase_waiters([&](const Waiter& waiter) {
    orders.push_back({waiter.worker, FailOrder{waiter.id, error}});
    return true;
  });
}

void Broker::expire_waiters(TimePoint now, Orders& orders) {
  const bool any = std::any_of(waiters_.begin(), waiters_.end(),
                               [now](const Waiter& one) { return one.deadline <= now; });
  if (!any) return;
  const Error error = timeout_error();
  erase_waiters([&](const Waiter& waiter) {
    if (waiter.deadline > now) return false;
    orders.push_back({waiter.worker, FailOrder{waiter.id, error}});
    return true;
  });
}

Error Broker::timeout_error() const {
  return Error{Code::kTimeout,
               "Too many connections: no TiDB connection became free in time " + state_text(), 1040,
               "08004"};
}

Error Broker::full_error() const {
  return Error{Code::kBusy,
               "Too many connections: the queue for a TiDB connection is full " + state_text(),
               1040, "08004"};
}

std::string Broker::state_text() const {
  const BrokerCounts now = counts();
  const std::string parked = now.parked > 0 ? std::to_string(now.parked) + " parked, " : "";
  std::string text = "(" + std::to_string(now.leased) + " leased, " + parked +
                     std::to_string(now.dialling) + " dialling, " + std::to_string(now.idle) +
                     " idle of at most " + std::to_string(limits_.cap()) + "; " +
                     std::to_string(now.waiting) + " sessions waiting)";
  if (gate_.last_error()) text += "; last dial error: " + gate_.last_error()->message;
  return text;
}

}  // namespace tidepool::pool
