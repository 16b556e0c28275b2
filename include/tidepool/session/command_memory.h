// The memory that large commands take on their way, of all clients of the process: at most so much.
// The next ones wait, in the order in which they came.
//
// CommandMemory: one for the process, owned by the shared state; locks itself. CommandShare: what
// one command takes, owned by who receives or executes it; on its thread. Pure; time is handed in.
//
// Nobody waits for ever. Of those that are being received the one that came first may always grow
// to the largest command that there is, and the others leave it the room; those that are whole grow
// no more, and end. One that holds memory and does not go on, while others wait for it, is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>

#include "tidepool/base/clock.h"
#include "tidepool/session/session_stats.h"

namespace tidepool::session {

class CommandShare;

class CommandMemory {
 public:
  // A command that takes less is not counted.
  static constexpr std::size_t kFreeBytes = std::size_t{64} << 10U;
  // Nor is what its statements take here: what 64 KiB of ordinary ones need.
  static constexpr std::size_t kFreeScriptBytes = 4 * kFreeBytes;
  // How long one may not go on while others wait.
  static constexpr std::chrono::seconds kPatience{2};

  // `most_of_one`: what the largest command takes.
  CommandMemory(CommandStats& stats, std::uint64_t most_of_one)
      : stats_(stats), most_of_one_(most_of_one) {}

  void set_limit(std::uint64_t bytes);  // 0: none
  // Of one that is refused for another reason than those here.
  void count_refusal(CommandRefusal why) { stats_.refused[why].add(); }

 private:
  friend class CommandShare;
  using Shares = std::list<CommandShare*>;

  bool receive(CommandShare& share, std::uint64_t bytes, TimePoint now);
  bool try_hold(CommandShare& share, std::uint64_t bytes);
  void set_whole(CommandShare& share, std::uint64_t bytes);
  void release(CommandShare& share);
  void complain(TimePoint now);

  // All of these under the mutex.
  bool has_room(const CommandShare& share, std::uint64_t bytes) const;
  bool must_queue(const CommandShare& share) const;
  void set_held(CommandShare& share, std::uint64_t bytes);
  void set_wanted(CommandShare& share, std::uint64_t bytes);
  void enqueue(CommandShare& share);
  void dequeue(CommandShare& share);
  void refuse(CommandShare& share, CommandRefusal why);
  void serve();

  CommandStats& stats_;
  const std::uint64_t most_of_one_;
  std::mutex mutex_;
  std::uint64_t limit_ = 0;  // under the mutex, as all that follows
  std::uint64_t used_ = 0;
  Shares receiving_;  // in the order in which they came
};

class CommandShare {
 public:
  enum class News : std::uint8_t { kRoom, kTooLarge, kStalled, kLargest };
  // On any thread, under a lock: for one that receive() has answered with false. It may have gone
  // on its own thread meanwhile.
  using Tell = std::function<void(News)>;

  CommandShare(CommandMemory& memory, Tell tell) : memory_(memory), tell_(std::move(tell)) {}
  CommandShare(const CommandShare&) = delete;
  CommandShare& operator=(const CommandShare&) = delete;
  ~CommandShare() { memory_.release(*this); }

  // It is being received, and takes so many bytes from now on. False: it is to wait for the news.
  bool receive(std::uint64_t bytes, TimePoint now) { return memory_.receive(*this, bytes, now); }
  // What came ahead of its turn, which nothing waits for. False: there is no room.
  bool try_hold(std::uint64_t bytes) { return memory_.try_hold(*this, bytes); }
  // It was received, and takes so many until it goes.
  void set_whole(std::uint64_t bytes) { memory_.set_whole(*this, bytes); }
  // It has waited for the patience.
  void complain(TimePoint now) { memory_.complain(now); }

 private:
  friend class CommandMemory;
  bool is_waiting() const { return wanted_ > 0; }

  CommandMemory& memory_;
  const Tell tell_;
  // Under the memory's mutex.
  std::uint64_t held_ = 0;
  std::uint64_t wanted_ = 0;  // while it waits
  TimePoint went_on_{};
  bool is_receiving_ = false;
  bool is_refused_ = false;
  CommandMemory::Shares::iterator place_{};  // if it is receiving
};

}  // namespace tidepool::session
