// Who waits for a lease, and whose turn it is: urgent waiters first, then the user with the smaller
// share (see Shares), then the waiter that came first. Pure; part of the broker, under its mutex.
//
// Waiters that differ in nothing that decides their turn stand in one line, so that a turn costs a
// look at the head of each line, however many wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <utility>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/pool/broker_types.h"
#include "tidepool/pool/shares.h"

namespace tidepool::pool {

struct Waiter {
  WaiterId id = 0;
  WorkerIndex worker = 0;
  LeaseRequest request;
  TimePoint since;
  TimePoint deadline;
  std::int64_t place = 0;  // set by the queue: the smaller, the earlier
};

class WaitQueue {
 public:
  enum class End : std::uint8_t { kFront, kBack };
  class Turns;

  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;
  ~WaitQueue() = default;

  // Whether there is a limit of leases by database: only then do databases make lines differ.
  void set_by_database(bool is_by_database);

  void add(Waiter waiter, End end);
  // The waiter that a turn has told.
  void erase_head(const Waiter& waiter);
  // No effect if it does not wait.
  void erase(WaiterId id);
  // Takes out those for whom `predicate` says so.
  template <class Predicate>
  void erase_if(Predicate predicate) {
    for (auto line = lines_.begin(); line != lines_.end();) {
      size_ -= std::erase_if(line->waiters, predicate);
      const auto next = std::next(line);
      if (line->waiters.empty()) put_away(line);
      line = next;
    }
  }

  bool is_empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // The head of each line is passed to `visit`.
  template <class Visit>
  void for_each_line(Visit visit) const {
    for (const Line& line : lines_)
      visit(line.waiters.front());
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Line& line : lines_)
      for (const Waiter& waiter : line.waiters)
        visit(waiter);
  }

 private:
  struct Line {
    std::deque<Waiter> waiters;  // in the order of their places; never empty in lines_
  };

  bool are_alike(const LeaseRequest& one, const LeaseRequest& two) const;
  void put_away(std::list<Line>::iterator line);

  std::list<Line> lines_;
  std::list<Line> spare_;  // empty ones with their memory
  std::size_t size_ = 0;
  std::int64_t front_ = 0;  // the smallest place so far
  std::int64_t back_ = 0;   // the largest
  bool is_by_database_ = false;
};

// The turns from now on, if nothing but these leases is given: a plan. The queue and the shares
// must outlive it and not change.
class WaitQueue::Turns {
 public:
  Turns(const WaitQueue& queue, const Shares& shares, unsigned max_leases_per_database)
      : queue_(queue), shares_(shares), max_leases_per_database_(max_leases_per_database) {}

  // The waiter whose turn it is, of those that may have a lease and for whom `suits` says so; null:
  // there is none.
  template <class Suits>
  const Waiter* next(Suits suits) const {
    const Waiter* best = nullptr;
    for (const Line& line : queue_.lines_) {
      const Waiter* head = head_of(line);
      if (head == nullptr || !suits(*head) || !allows(head->request)) continue;
      if (best == nullptr || precedes(*head, *best)) best = head;
    }
    return best;
  }
  // Goes on as if that waiter, which next() has just told, had got its lease.
  void plan(const Waiter& waiter);
  // Whether its limits let it have one more.
  bool allows(const LeaseRequest& request) const {
    return shares_.allows(request, max_leases_per_database_);
  }

 private:
  const Waiter* head_of(const Line& line) const;
  bool precedes(const Waiter& one, const Waiter& two) const;

  const WaitQueue& queue_;
  PlannedShares shares_;
  const unsigned max_leases_per_database_;
  std::vector<std::pair<const Line*, std::size_t>> planned_;  // how many of a line
};

}  // namespace tidepool::pool
