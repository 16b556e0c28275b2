// A number that one thread changes and another reads: the plain material of all statistics.
//
// Relaxed atomics: each value is right by itself, and no two of them are read at the same instant.
// Embedded in a struct of statistics, which its layer owns and the metrics layer reads; neither
// copied nor moved.
#pragma once

#include <atomic>
#include <cstdint>

namespace tidepool {

// Only grows, from 0 at the start of the process.
class Counter {
 public:
  void add(std::uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

// Goes up and down. Threads may each add and subtract their share; the sum is what counts.
class Gauge {
 public:
  void add(std::int64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  void sub(std::int64_t amount = 1) { value_.fetch_sub(amount, std::memory_order_relaxed); }
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_ = 0;
};

}  // namespace tidepool
