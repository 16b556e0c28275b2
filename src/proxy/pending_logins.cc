#include "pending_logins.h"

#include <utility>
#include <vector>

namespace tidepool::proxy {
namespace {

using Entry = session::LoginPlaces::Entry;
using session::LoginFailure;

// How often it is looked whether places are scarce: another worker's clients make them so too.
constexpr std::chrono::milliseconds kSweep{250};
// Those that are not silent are passed over; not all of them for each that comes.
constexpr int kMostLookedAt = 64;

}  // namespace

std::unique_ptr<session::LoginPlace> PendingLogins::enter(std::uint32_t id,
                                                          const std::string& network) {
  auto place =
      std::make_unique<session::LoginPlace>(places_, network, [this, id] { peers_.erase(id); });
  const auto refuse = [this](LoginFailure why) {
    stats_.failures[why].add();
    return nullptr;
  };
  for (;;) {
    switch (place->enter()) {
      case Entry::kYes:
        peers_.emplace(id, Peer{loop_.now(), network});
        watch();
        return place;
      case Entry::kClientsFull: return refuse(LoginFailure::kTooMany);
      case Entry::kNetworkFull:
        if (!make_room(&network, LoginFailure::kAddress)) return refuse(LoginFailure::kAddress);
        break;
      case Entry::kFull:
        if (!make_room(nullptr, LoginFailure::kPendingLogins))
          return refuse(LoginFailure::kPendingLogins);
        break;
    }
  }
}

bool PendingLogins::try_move(std::uint32_t id, session::LoginPlace& place,
                             const std::string& network) {
  while (place.move_to(network) != Entry::kYes) {
    if (make_room(&network, LoginFailure::kAddress)) continue;
    stats_.failures[LoginFailure::kAddress].add();
    return false;
  }
  peers_.at(id).network = network;
  return true;
}

// Of that network, or of all. The oldest silent one goes; false: there is none.
bool PendingLogins::make_room(const std::string* network, LoginFailure why) {
  int looked_at = 0;
  for (const auto& [id, peer] : peers_) {
    if (network != nullptr && peer.network != *network) continue;
    session::PendingClient& client = find_(id);
    if (client.is_silent()) {
      client.give_way(why);
      return true;
    }
    if (++looked_at == kMostLookedAt) return false;
  }
  return false;
}

void PendingLogins::watch() {
  if (!timer_.is_active()) timer_.start(kSweep, [this] { sweep(); });
}

void PendingLogins::sweep() {
  if (places_.is_crowded()) {
    const TimePoint due = loop_.now() - kCrowdedTimeout;
    std::vector<std::uint32_t> late;
    for (const auto& [id, peer] : peers_) {
      if (peer.since > due) break;
      late.push_back(id);
    }
    for (const std::uint32_t id : late) {
      session::PendingClient& client = find_(id);
      if (client.is_silent()) client.give_way(LoginFailure::kTimeout);
    }
  }
  if (!peers_.empty()) watch();
}

}  // namespace tidepool::proxy
