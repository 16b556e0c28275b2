// Adds up the statistics that the workers of one pool keep, and writes them as time series labelled
// by pool.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "page.h"
#include "tidepool/base/counter.h"
#include "tidepool/base/enum_array.h"
#include "tidepool/base/histogram.h"

namespace tidepool::metrics {

// The parts of one pool's statistics: one PoolStats, or a SessionStats for each worker.
template <class Stats>
struct Parts {
  std::string pool;
  std::vector<const Stats*> stats;
};

template <class Stats>
using AllParts = std::vector<Parts<Stats>>;

// The sum of what `get` reads from each part.
template <class Stats, class Get>
double sum(const Parts<Stats>& parts, Get get) {
  double total = 0;
  for (const Stats* stats : parts.stats)
    total += static_cast<double>(get(*stats).value());
  return total;
}

// T is Counter or Gauge.
template <class Stats, class T>
void by_pool(Family family, const AllParts<Stats>& all, T Stats::*member) {
  const auto get = [member](const Stats& stats) -> const T& { return stats.*member; };
  for (const auto& parts : all)
    family.value({{"pool", parts.pool}}, sum(parts, get));
}

template <class Stats>
void by_pool(Family family, const AllParts<Stats>& all, Histogram Stats::*member) {
  for (const auto& parts : all) {
    Histogram::Snapshot total;
    for (const Stats* stats : parts.stats)
      total.add((stats->*member).snapshot());
    family.histogram({{"pool", parts.pool}}, total);
  }
}

// A time series for each value of the enum by which the member is indexed.
template <class Stats, class Enum, class T, std::size_t N>
void by_enum(Family family, const AllParts<Stats>& all, const char* label,
             EnumArray<Enum, T, N> Stats::*member) {
  for (const auto& parts : all) {
    for (std::size_t i = 0; i < N; ++i) {
      const Enum key = EnumArray<Enum, T, N>::key(i);
      const double total =
          sum(parts, [&](const Stats& stats) -> const T& { return (stats.*member)[key]; });
      family.value({{"pool", parts.pool}, {label, to_string(key)}}, total);
    }
  }
}

}  // namespace tidepool::metrics
