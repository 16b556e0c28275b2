// What TiDB answered to COM_STMT_PREPARE lately, so that the same text prepared in the same context
// need not be asked again.
//
// One for each pool (privileges are an account's), shared by its workers; any thread. Owned by the
// server's pool. Bounded in entries and bytes, the least recently used goes first; an entry lives
// for `life`, and all go when the schema changes under the proxy's eyes. Time is handed in.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/tracking/schema_view.h"

namespace tidepool::session {

// The answer that TiDB gave, in a form in which it can be given again.
struct RememberedPrepare {
  std::string packets;  // whole, numbered from 1
  // Where in `packets` the status flags of its EOF packets stand, two bytes each.
  std::vector<std::size_t> status_places{};
  std::uint16_t params = 0;
  std::uint16_t columns = 0;
  std::uint16_t warnings = 0;
};

class PrepareCache {
 public:
  struct Limits {
    Duration life{};  // 0: nothing is remembered
    std::size_t entries = 4096;
    std::size_t bytes = std::size_t{8} << 20U;  // of texts and answers; one has at most a 16th
  };
  using View = tracking::SchemaView;
  struct Found {
    std::shared_ptr<const RememberedPrepare> prepare;
    TimePoint seen;  // the answer shows the schema of then, or a newer one
  };

  explicit PrepareCache(const Limits& limits) : limits_(limits) {}
  PrepareCache(const PrepareCache&) = delete;
  PrepareCache& operator=(const PrepareCache&) = delete;
  ~PrepareCache() = default;

  bool is_on() const { return limits_.life > Duration::zero(); }
  View view(TimePoint now) const { return {now, changes_.load(std::memory_order_acquire)}; }

  // What who sees `view` would be answered; prepare is null if that is not known. `context` is
  // the encoding of all but the text that the answer depends on.
  Found find(std::string_view context, std::string_view text, const View& view, TimePoint now);
  // An answer that was given in `view`; ignored when the schema has changed since.
  void add(std::string_view context, std::string_view text, RememberedPrepare prepare,
           const View& view);
  // TiDB showed that the answer is not right any more.
  void forget(std::string_view context, std::string_view text);

  // How many statements a backend of the pool may keep prepared. TiDB has said that it has too many
  // (1461), in all its connections together: fewer for a while.
  std::size_t most_kept(TimePoint now) const;
  void keep_fewer(std::size_t most, TimePoint now);

  // While one lives, the schema may be changing: nothing is found and nothing added. What was known
  // before is forgotten.
  class Change {
   public:
    explicit Change(PrepareCache& memory);
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    Change(Change&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
    Change& operator=(Change&&) = delete;
    ~Change();

   private:
    PrepareCache* memory_;
  };

  std::size_t size() const;

 private:
  struct Key {
    std::string_view context;  // into the entry, as
    std::string_view text;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      const std::hash<std::string_view> hash;
      return hash(key.text) ^ (hash(key.context) << 1U);
    }
  };
  struct Entry {
    std::string context;
    std::string text;
    std::shared_ptr<const RememberedPrepare> prepare;
    TimePoint seen;
    std::size_t bytes;
  };
  using Entries = std::list<Entry>;

  void clear();                         // under the mutex
  void erase(Entries::iterator entry);  // under the mutex

  const Limits limits_;
  std::atomic<std::uint64_t> changes_ = 0;
  std::atomic<std::size_t> most_kept_ = std::numeric_limits<std::size_t>::max();
  std::atomic<TimePoint> kept_until_ = TimePoint{};  // so many, until then
  mutable std::mutex mutex_;                         // the rest is under it
  unsigned changing_ = 0;                            // Changes that live
  std::size_t bytes_ = 0;
  Entries entries_;  // most recently used first
  std::unordered_map<Key, Entries::iterator, KeyHash> places_;
};

}  // namespace tidepool::session
