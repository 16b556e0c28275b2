// Supply: the backends and places that are on their way while the broker plans for those who wait.
// Each is promised to one waiter at most. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace tidepool::pool {

class Supply {
 public:
  // A backend of that variant comes: it is dialled or pinged.
  void add(std::uint64_t variant) { ++count(coming_, variant); }
  // A session was asked for the backend of that variant that it keeps.
  void add_recalled(std::uint64_t variant) { ++count(recalled_, variant); }
  // A place becomes free for any variant: a backend closes.
  void add_place() { ++places_; }

  bool take(std::uint64_t variant) {
    return take_from(count(coming_, variant)) || take_from(count(recalled_, variant));
  }
  // A place for a new backend, if need be that of a recalled backend of another variant.
  bool take_place() {
    if (take_from(places_)) return true;
    const auto found = std::find_if(recalled_.begin(), recalled_.end(),
                                    [](const auto& one) { return one.second > 0; });
    return found != recalled_.end() && take_from(found->second);
  }

 private:
  using Counts = std::vector<std::pair<std::uint64_t, unsigned>>;  // of few variants

  static unsigned& count(Counts& counts, std::uint64_t variant) {
    const auto found = std::find_if(counts.begin(), counts.end(),
                                    [variant](const auto& one) { return one.first == variant; });
    if (found != counts.end()) return found->second;
    return counts.emplace_back(variant, 0).second;
  }
  static bool take_from(unsigned& left) {
    if (left == 0) return false;
    --left;
    return true;
  }

  Counts coming_;
  Counts recalled_;
  unsigned places_ = 0;
};

}  // namespace tidepool::pool
