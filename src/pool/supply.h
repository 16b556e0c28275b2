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
  // A backend of that profile comes: it is dialled or pinged.
  void add(std::uint64_t profile) { ++count(coming_, profile); }
  // A session was asked for the backend of that profile that it keeps.
  void add_recalled(std::uint64_t profile) { ++count(recalled_, profile); }
  // A place becomes free for any profile: a backend closes.
  void add_place() { ++places_; }

  // Promises one of that profile, if there is one.
  [[nodiscard]] bool take(std::uint64_t profile) {
    return take_from(count(coming_, profile)) || take_from(count(recalled_, profile));
  }
  // A place for a new backend, if need be that of a recalled backend of another profile.
  [[nodiscard]] bool take_place() {
    if (take_from(places_)) return true;
    const auto found = std::find_if(recalled_.begin(), recalled_.end(),
                                    [](const auto& one) { return one.second > 0; });
    return found != recalled_.end() && take_from(found->second);
  }

 private:
  using Counts = std::vector<std::pair<std::uint64_t, unsigned>>;  // of few profiles

  static unsigned& count(Counts& counts, std::uint64_t profile) {
    const auto found = std::find_if(counts.begin(), counts.end(),
                                    [profile](const auto& one) { return one.first == profile; });
    if (found != counts.end()) return found->second;
    return counts.emplace_back(profile, 0).second;
  }
  [[nodiscard]] static bool take_from(unsigned& left) {
    if (left == 0) return false;
    --left;
    return true;
  }

  Counts coming_;
  Counts recalled_;
  unsigned places_ = 0;
};

}  // namespace tidepool::pool
