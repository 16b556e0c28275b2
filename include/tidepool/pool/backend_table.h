// The backends that the broker knows, each on the list of its state. Pure; part of the broker,
// under its mutex.
//
// Invariants: a record is on the list of its state, and only set_state() moves it to another one,
// along the table in src/pool/backend_states.h. All counts cost O(1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/pool/broker_types.h"

namespace tidepool::pool {

class BackendRecord {
 public:
  enum class State : std::uint8_t { kIdle, kPinging, kLeased, kParked, kClosing };
  // Of a backend near the end of its life.
  enum class Replacement : std::uint8_t { kNone, kDialling, kReady };

  State state() const { return state_; }
  Replacement replacement() const { return replacement_; }
  bool is_closing() const { return state_ == State::kClosing; }
  bool is_held() const { return state_ == State::kLeased || state_ == State::kParked; }

  BackendId id = 0;
  WorkerIndex worker = 0;
  std::uint64_t profile = 0;
  EndpointIndex endpoint = 0;
  std::uint64_t state_hash = 0;
  TimePoint expires;         // end of life
  TimePoint idle_since;      // or parked since
  TimePoint heard_at;        // when a ping was last answered
  bool is_recalled = false;  // parked, and its holder asked for it
  bool is_suspect = false;   // to be pinged
  std::uint64_t user = 0;    // of the holder, as `database` is
  std::uint64_t database = 0;
  std::uint64_t holder = 0;           // the session, now or last
  std::uint64_t tidb_connection = 0;  // TiDB's number of it; 0: not known

 private:
  friend class BackendTable;

  State state_ = State::kIdle;
  Replacement replacement_ = Replacement::kNone;
  std::list<BackendRecord*>::iterator place_;  // in the list of its state
};
inline constexpr std::size_t kRecordStates = 5;

class BackendTable {
 public:
  using State = BackendRecord::State;
  using Replacement = BackendRecord::Replacement;
  using List = std::list<BackendRecord*>;
  enum class Reach : std::uint8_t { kOwnWorker, kAllWorkers };

  BackendTable() = default;
  BackendTable(const BackendTable&) = delete;
  BackendTable& operator=(const BackendTable&) = delete;
  ~BackendTable() = default;

  // A new one, idle and at the front of that list.
  BackendRecord& add();
  void erase(BackendId id);
  BackendRecord& at(BackendId id) { return records_.at(id); }
  const BackendRecord& at(BackendId id) const { return records_.at(id); }
  BackendRecord* find(BackendId id);
  // The one with that number of TiDB's. Null: there is none.
  BackendRecord* find_connection(std::uint64_t number);
  const BackendRecord* find_connection(std::uint64_t number) const;
  // Returns the idle backend that suits best: the session's last, else one in the right state, else
  // the most recently used; the asking worker's backends go before others. Null: none suits.
  BackendRecord* pick_idle(WorkerIndex worker, const LeaseRequest& request, Reach reach) const;

  // Moves it to the list of that state: what becomes idle to the front, all others to the back.
  void set_state(BackendRecord& record, State state);
  // One that closes has no replacement.
  void set_replacement(BackendRecord& record, Replacement replacement);
  // An idle one takes its place in the list by its idle_since.
  void sort_in(BackendRecord& record);

  // Idle: most recently used first. Parked: oldest first.
  const List& in(State state) const { return lists_[static_cast<std::size_t>(state)]; }
  unsigned count(State state) const { return static_cast<unsigned>(in(state).size()); }
  unsigned size() const { return static_cast<unsigned>(records_.size()); }
  // All but those that close.
  unsigned open() const { return size() - count(State::kClosing); }
  // Those that count for Limits::size: open, and not only there until their lease ends.
  unsigned kept() const { return kept_; }
  bool has_open(std::uint64_t profile) const;
  // When the lives of those end that are open.
  std::vector<TimePoint> ends_of_life() const;

  auto begin() { return records_.begin(); }
  auto end() { return records_.end(); }
  auto begin() const { return records_.begin(); }
  auto end() const { return records_.end(); }

 private:
  List& list(State state) { return lists_[static_cast<std::size_t>(state)]; }
  static bool is_kept(const BackendRecord& record) {
    return !record.is_closing() && record.replacement_ != Replacement::kReady;
  }

  std::unordered_map<BackendId, BackendRecord> records_;
  std::array<List, kRecordStates> lists_;  // by state
  unsigned kept_ = 0;
  BackendId last_id_ = 0;
};

}  // namespace tidepool::pool
