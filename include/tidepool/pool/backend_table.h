// The backends that the broker knows, each on the list of its state. Pure; part of the broker,
// under its mutex.
//
// Invariant: a record is on the list of its state, and only set_state() moves it to another one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>

#include "tidepool/base/clock.h"
#include "tidepool/pool/broker_types.h"

namespace tidepool::pool {

struct BackendRecord {
  enum class State : std::uint8_t { kIdle, kPinging, kLeased, kParked, kClosing };
  // Whether there is another backend for one at the end of its life.
  enum class Successor : std::uint8_t { kNone, kDialling, kReady };

  BackendId id = 0;
  State state = State::kLeased;
  WorkerIndex worker = 0;
  std::uint64_t variant = 0;
  EndpointIndex endpoint = 0;
  std::uint64_t state_hash = 0;
  TimePoint expires;                     // end of life
  TimePoint idle_since;                  // or parked since
  TimePoint heard_at;                    // when a ping was last answered
  std::list<BackendId>::iterator place;  // in the list of its state
  Successor successor = Successor::kNone;
  bool is_recalled = false;  // parked, and its holder asked for it
  bool is_suspect = false;   // to be pinged
  bool has_holder = false;   // leased or parked, by:
  std::uint64_t user = 0;
  std::uint64_t database = 0;
  std::uint64_t holder = 0;           // the session, now or last
  std::uint64_t tidb_connection = 0;  // TiDB's number of it; 0: not known
};

class BackendTable {
 public:
  using State = BackendRecord::State;
  using List = std::list<BackendId>;

  BackendTable() = default;
  BackendTable(const BackendTable&) = delete;
  BackendTable& operator=(const BackendTable&) = delete;
  ~BackendTable() = default;

  // A new one, which counts as leased until it is put elsewhere.
  BackendRecord& add(BackendId id);
  void erase(BackendId id);
  BackendRecord& at(BackendId id) { return records_.at(id); }
  const BackendRecord& at(BackendId id) const { return records_.at(id); }
  BackendRecord* find(BackendId id);

  // Moves it to the list of that state: what becomes idle to the front, all others to the back.
  void set_state(BackendRecord& record, State state);
  // An idle one takes its place in the list by its idle_since.
  void sort_in(BackendRecord& record);
  // Puts an idle one right before another idle one.
  void move_before(BackendRecord& record, const BackendRecord& other);

  // Idle: most recently used first. Parked: oldest first.
  const List& in(State state) const { return lists_[static_cast<std::size_t>(state)]; }
  unsigned count(State state) const { return static_cast<unsigned>(in(state).size()); }
  unsigned size() const { return static_cast<unsigned>(records_.size()); }
  // All but those that close.
  unsigned open() const { return size() - count(State::kClosing); }

  auto begin() { return records_.begin(); }
  auto end() { return records_.end(); }
  auto begin() const { return records_.begin(); }
  auto end() const { return records_.end(); }

 private:
  List& list(State state) { return lists_[static_cast<std::size_t>(state)]; }

  std::unordered_map<BackendId, BackendRecord> records_;
  std::array<List, 5> lists_;  // by state
};

}  // namespace tidepool::pool
