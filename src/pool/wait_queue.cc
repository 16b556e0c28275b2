#include "tidepool/pool/wait_queue.h"

#include <algorithm>
#include <iterator>

#include "tidepool/base/check.h"

namespace tidepool::pool {
namespace {

// Lines that are kept for the next waiter of another kind.
constexpr std::size_t kMaxSpare = 16;

}  // namespace

bool WaitQueue::are_alike(const LeaseRequest& one, const LeaseRequest& two) const {
  return one.profile == two.profile && one.user == two.user && one.max_leases == two.max_leases &&
         one.is_urgent == two.is_urgent && (!is_by_database_ || one.database == two.database);
}

void WaitQueue::add(Waiter waiter, End end) {
  waiter.place = end == End::kFront ? --front_ : ++back_;
  ++size_;
  auto line = std::find_if(lines_.begin(), lines_.end(), [&](const Line& one) {
    return are_alike(one.waiters.front().request, waiter.request);
  });
  if (line == lines_.end()) {
    if (spare_.empty()) spare_.emplace_back();
    lines_.splice(lines_.end(), spare_, spare_.begin());
    line = std::prev(lines_.end());
  }
  if (end == End::kFront) {
    line->waiters.push_front(waiter);
  } else {
    line->waiters.push_back(waiter);
  }
}

void WaitQueue::erase_head(const Waiter& waiter) {
  const auto line = std::find_if(lines_.begin(), lines_.end(),
                                 [&](const Line& one) { return &one.waiters.front() == &waiter; });
  TIDEPOOL_CHECK(line != lines_.end());
  line->waiters.pop_front();
  --size_;
  if (line->waiters.empty()) put_away(line);
}

void WaitQueue::erase(WaiterId id) {
  for (auto line = lines_.begin(); line != lines_.end(); ++line) {
    const auto found = std::find_if(line->waiters.begin(), line->waiters.end(),
                                    [id](const Waiter& one) { return one.id == id; });
    if (found == line->waiters.end()) continue;
    line->waiters.erase(found);
    --size_;
    if (line->waiters.empty()) put_away(line);
    return;
  }
}

void WaitQueue::put_away(std::list<Line>::iterator line) {
  if (spare_.size() >= kMaxSpare) {
    lines_.erase(line);
  } else {
    spare_.splice(spare_.begin(), lines_, line);
  }
}

void WaitQueue::set_by_database(bool is_by_database) {
  if (is_by_database == is_by_database_) return;
  is_by_database_ = is_by_database;
  std::vector<Waiter> all;
  for_each([&](const Waiter& waiter) { all.push_back(waiter); });
  std::sort(all.begin(), all.end(),
            [](const Waiter& one, const Waiter& two) { return one.place < two.place; });
  erase_if([](const Waiter&) { return true; });
  for (const Waiter& waiter : all)
    add(waiter, End::kBack);
}

void WaitQueue::Turns::plan(const Waiter& waiter) {
  const auto is_head = [&](const Line& line) { return head_of(line) == &waiter; };
  const auto line = std::find_if(queue_.lines_.begin(), queue_.lines_.end(), is_head);
  TIDEPOOL_CHECK(line != queue_.lines_.end());
  const auto found = std::find_if(planned_.begin(), planned_.end(),
                                  [&](const auto& one) { return one.first == &*line; });
  if (found == planned_.end()) {
    planned_.emplace_back(&*line, 1);
  } else {
    ++found->second;
  }
  shares_.take(waiter.request.user, waiter.request.database);
}

const Waiter* WaitQueue::Turns::head_of(const Line& line) const {
  if (planned_.empty()) return &line.waiters.front();
  const auto found = std::find_if(planned_.begin(), planned_.end(),
                                  [&](const auto& one) { return one.first == &line; });
  const std::size_t index = found == planned_.end() ? 0 : found->second;
  return index < line.waiters.size() ? &line.waiters[index] : nullptr;
}

bool WaitQueue::Turns::precedes(const Waiter& one, const Waiter& two) const {
  if (one.request.is_urgent != two.request.is_urgent) return one.request.is_urgent;
  if (one.request.user != two.request.user) {
    const Shares::Standing first = shares_.standing(one.request.user);
    const Shares::Standing second = shares_.standing(two.request.user);
    if (Shares::precedes(first, second)) return true;
    if (Shares::precedes(second, first)) return false;
  }
  return one.place < two.place;
}

}  // namespace tidepool::pool
