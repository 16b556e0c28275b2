// How durations are spread over fixed buckets, for Prometheus' histogram_quantile().
//
// observe() is two relaxed atomic additions and a short search: any thread may call it on the data
// path. A snapshot is taken by the thread that exports; sum and buckets of it may differ by what is
// observed meanwhile. Not copied, not moved.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tidepool/base/clock.h"

namespace tidepool {

// For waits and queries: fine around the proxy's own share of a query, coarse towards a minute.
inline constexpr std::array<std::chrono::microseconds, 22> kLatencyBounds = {{
    std::chrono::microseconds(50),   std::chrono::microseconds(100),
    std::chrono::microseconds(200),  std::chrono::microseconds(350),
    std::chrono::microseconds(500),  std::chrono::microseconds(750),
    std::chrono::milliseconds(1),    std::chrono::microseconds(1500),
    std::chrono::microseconds(2500), std::chrono::milliseconds(5),
    std::chrono::milliseconds(10),   std::chrono::milliseconds(25),
    std::chrono::milliseconds(50),   std::chrono::milliseconds(100),
    std::chrono::milliseconds(250),  std::chrono::milliseconds(500),
    std::chrono::seconds(1),         std::chrono::milliseconds(2500),
    std::chrono::seconds(5),         std::chrono::seconds(10),
    std::chrono::seconds(30),        std::chrono::seconds(60),
}};

// For dials: name, TCP, TLS and authentication, up to a cluster that wakes from zero.
inline constexpr std::array<std::chrono::microseconds, 15> kDialBounds = {{
    std::chrono::milliseconds(1),
    std::chrono::microseconds(2500),
    std::chrono::milliseconds(5),
    std::chrono::milliseconds(10),
    std::chrono::milliseconds(25),
    std::chrono::milliseconds(50),
    std::chrono::milliseconds(100),
    std::chrono::milliseconds(250),
    std::chrono::milliseconds(500),
    std::chrono::seconds(1),
    std::chrono::milliseconds(2500),
    std::chrono::seconds(5),
    std::chrono::seconds(10),
    std::chrono::seconds(30),
    std::chrono::seconds(60),
}};

class Histogram {
 public:
  using Bounds = std::span<const std::chrono::microseconds>;
  static constexpr std::size_t kMaxBounds = 24;

  struct Snapshot {
    // Bucket i holds what is ≤ upper_seconds[i]; one bucket more holds the rest.
    std::vector<double> upper_seconds;
    // Of each bucket alone, not cumulated; one longer than upper_seconds.
    std::vector<std::uint64_t> counts;
    std::uint64_t count = 0;
    double sum_seconds = 0;

    // Adds another snapshot over the same bounds; onto an empty one it is a copy.
    void add(const Snapshot& other);
  };

  // bounds ascend, are at most kMaxBounds and live as long as the program.
  explicit Histogram(Bounds bounds = kLatencyBounds);

  // A negative duration counts as zero.
  void observe(Duration duration);

  Snapshot snapshot() const;

 private:
  const Bounds bounds_;
  std::array<std::atomic<std::uint64_t>, kMaxBounds + 1> counts_{};
  std::atomic<std::uint64_t> sum_ns_ = 0;  // wraps after 584 years of waiting
};

}  // namespace tidepool
