// What prepared statements may take: of one session, and of all sessions of a pool.
//
// PoolPreparedBytes: one a pool, owned by the pool's shared state; any thread. PreparedBytes: one
// session's, owned by it; PreparedShare: what one thing takes of it, owned by that thing. Both on
// the session's thread, and gone before the pool's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tidepool/base/counter.h"

namespace tidepool::tracking {

// Which limit keeps a session from preparing one more statement.
enum class PreparedLimit : std::uint8_t {
  kNone,
  kSession,  // users[].max_prepared_memory
  kPool,     // pools[].max_prepared_memory
};

class PoolPreparedBytes {
 public:
  // `bytes` is what is taken, for the metrics.
  explicit PoolPreparedBytes(Gauge& bytes) : bytes_(bytes) {}

  void set_limit(std::uint64_t bytes) {
    limit_.store(bytes, std::memory_order_relaxed);
  }  // 0: none
  std::uint64_t limit() const { return limit_.load(std::memory_order_relaxed); }

 private:
  friend class PreparedBytes;
  bool take(std::size_t bytes);  // false: there is no room
  void add(std::size_t bytes) { bytes_.add(static_cast<std::int64_t>(bytes)); }
  void give_back(std::size_t bytes) { bytes_.sub(static_cast<std::int64_t>(bytes)); }

  Gauge& bytes_;
  std::atomic<std::uint64_t> limit_ = 0;
};

class PreparedBytes {
 public:
  PreparedBytes() = default;
  PreparedBytes(const PreparedBytes&) = delete;
  PreparedBytes& operator=(const PreparedBytes&) = delete;
  ~PreparedBytes() { join(nullptr); }

  // From now on its bytes count for the pool; null: for none.
  void join(PoolPreparedBytes* pool);
  void set_limit(std::uint64_t bytes) { limit_ = bytes; }  // 0: none
  std::size_t bytes() const { return bytes_; }
  std::uint64_t limit() const { return limit_; }
  std::uint64_t pool_limit() const { return pool_ == nullptr ? 0 : pool_->limit(); }

 private:
  friend class PreparedShare;
  PreparedLimit take(std::size_t bytes);
  void add(std::size_t bytes);
  void give_back(std::size_t bytes);

  PoolPreparedBytes* pool_ = nullptr;
  std::uint64_t limit_ = 0;
  std::size_t bytes_ = 0;
};

class PreparedShare {
 public:
  PreparedShare() = default;
  PreparedShare(const PreparedShare&) = delete;
  PreparedShare& operator=(const PreparedShare&) = delete;
  PreparedShare(PreparedShare&& other) noexcept;
  PreparedShare& operator=(PreparedShare&& other) noexcept;
  ~PreparedShare() { release(); }

  // So many bytes in all. Unless the answer is kNone there is no room, and it is as it was.
  [[nodiscard]] PreparedLimit try_set(PreparedBytes& memory, std::size_t bytes);
  // Of what is there already, whatever the limits.
  void set(PreparedBytes& memory, std::size_t bytes);
  void release();
  std::size_t bytes() const { return bytes_; }

 private:
  PreparedBytes* memory_ = nullptr;  // set while there are bytes
  std::size_t bytes_ = 0;
};

}  // namespace tidepool::tracking
