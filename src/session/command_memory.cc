#include "tidepool/session/command_memory.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tidepool::session {
namespace {

CommandShare::News news_of(CommandRefusal why) {
  switch (why) {
    case CommandRefusal::kTooLarge: return CommandShare::News::kTooLarge;
    case CommandRefusal::kStalled: return CommandShare::News::kStalled;
    case CommandRefusal::kLargest:
    case CommandRefusal::kStatements: return CommandShare::News::kLargest;
  }
  return CommandShare::News::kLargest;
}

}  // namespace

void CommandMemory::set_limit(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  limit_ = bytes;
  serve();
}

bool CommandMemory::receive(CommandShare& share, std::uint64_t bytes, TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (share.is_refused_) return false;
  if (!share.is_receiving_) enqueue(share);
  if (share.is_waiting()) return false;
  if (share.went_on_ == TimePoint::max()) share.went_on_ = now;
  if (bytes <= share.held_) {
    set_held(share, bytes);
    serve();
    return true;
  }
  if (limit_ > 0 && bytes > limit_) {
    refuse(share, CommandRefusal::kTooLarge);
    return false;
  }
  share.went_on_ = now;
  if (has_room(share, bytes) && !must_queue(share)) {
    set_held(share, bytes);
    return true;
  }
  stats_.waits.add();
  set_wanted(share, bytes);
  return false;
}

bool CommandMemory::try_hold(CommandShare& share, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  dequeue(share);
  if (bytes > share.held_ && !has_room(share, bytes)) return false;
  set_held(share, bytes);
  serve();
  return true;
}

void CommandMemory::set_whole(CommandShare& share, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  dequeue(share);
  set_held(share, bytes);
  serve();
}

void CommandMemory::release(CommandShare& share) {
  const std::lock_guard lock(mutex_);
  dequeue(share);
  set_held(share, 0);
  serve();
}

// The one that came first is left room for all that it may need.
bool CommandMemory::has_room(const CommandShare& share, std::uint64_t bytes) const {
  if (limit_ == 0) return true;
  const std::uint64_t used = used_ - share.held_ + bytes;
  const CommandShare* first = receiving_.empty() ? &share : receiving_.front();
  if (first == &share) return used <= limit_;
  const std::uint64_t most = std::min(limit_, most_of_one_);
  return used + most - std::min(most, first->held_) <= limit_;
}

// One that has nothing yet comes after those that have waited with nothing.
bool CommandMemory::must_queue(const CommandShare& share) const {
  if (share.held_ > 0) return false;
  return std::any_of(receiving_.begin(), receiving_.end(), [&share](const CommandShare* other) {
    return other != &share && other->is_waiting() && other->held_ == 0;
  });
}

void CommandMemory::set_held(CommandShare& share, std::uint64_t bytes) {
  used_ += bytes - share.held_;
  share.held_ = bytes;
  stats_.bytes.set(static_cast<std::int64_t>(used_));
}

void CommandMemory::set_wanted(CommandShare& share, std::uint64_t bytes) {
  const bool was_waiting = share.is_waiting();
  share.wanted_ = bytes;
  if (was_waiting == share.is_waiting()) return;
  if (was_waiting) {
    stats_.waiting.sub();
  } else {
    stats_.waiting.add();
  }
}

void CommandMemory::enqueue(CommandShare& share) {
  share.place_ = receiving_.insert(receiving_.end(), &share);
  share.is_receiving_ = true;
}

void CommandMemory::dequeue(CommandShare& share) {
  if (!share.is_receiving_) return;
  set_wanted(share, 0);
  receiving_.erase(share.place_);
  share.is_receiving_ = false;
}

// What it holds is there until its owner has let it go.
void CommandMemory::refuse(CommandShare& share, CommandRefusal why) {
  stats_.refused[why].add();
  share.is_refused_ = true;
  dequeue(share);
  share.tell_(news_of(why));
}

// Whoever can go on does.
void CommandMemory::serve() {
  bool may_begin = true;
  for (CommandShare* share : receiving_) {
    if (!share->is_waiting() || (share->held_ == 0 && !may_begin)) continue;
    if (has_room(*share, share->wanted_)) {
      set_held(*share, share->wanted_);
      set_wanted(*share, 0);
      share->went_on_ = TimePoint::max();  // it goes on when it knows
      share->tell_(CommandShare::News::kRoom);
    } else if (share->held_ == 0) {
      may_begin = false;
    }
  }
}

void CommandMemory::complain(TimePoint now) {
  const std::lock_guard lock(mutex_);
  std::vector<CommandShare*> stalled;
  std::uint64_t received = 0;
  CommandShare* largest = nullptr;
  bool goes_on = false;
  for (CommandShare* share : receiving_) {
    received += share->held_;
    if (largest == nullptr || share->held_ > largest->held_) largest = share;
    if (share->is_waiting()) continue;
    goes_on = true;
    if (now - share->went_on_ >= kPatience) stalled.push_back(share);
  }
  for (CommandShare* share : stalled)
    refuse(*share, CommandRefusal::kStalled);
  // Nor does any that is whole, whose end would make room.
  if (!goes_on && largest != nullptr && received == used_)
    refuse(*largest, CommandRefusal::kLargest);
}

}  // namespace tidepool::session
