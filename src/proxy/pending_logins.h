// PendingLogins: one worker's clients that have not logged in yet, in the order in which they came.
// When places become scarce, those that are silent have less time, and then none at all.
//
// Owned by the worker, outlives its sessions; on its loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "tidepool/net/loop.h"
#include "tidepool/net/timer.h"
#include "tidepool/session/login_places.h"

namespace tidepool::proxy {

class PendingLogins {
 public:
  // Of a client that has said nothing, while half of the places are taken.
  static constexpr std::chrono::seconds kCrowdedTimeout{2};

  using Find = std::function<session::PendingClient&(std::uint32_t id)>;

  PendingLogins(net::Loop& loop, session::LoginPlaces& places, session::LoginStats& stats,
                Find find)
      : loop_(loop), places_(places), stats_(stats), find_(std::move(find)), timer_(loop) {}

  // For the client of that number, which is to be there before the next call. Null: there is no
  // place, which has been counted.
  std::unique_ptr<session::LoginPlace> enter(std::uint32_t id, const std::string& network);
  // It is at another address than was thought. Returns whether there is a place; that there is none
  // has been counted.
  [[nodiscard]] bool try_move(std::uint32_t id, session::LoginPlace& place,
                              const std::string& network);
  void stop() { timer_.stop(); }

 private:
  struct Peer {
    TimePoint since;
    std::string network;
  };

  bool make_room(const std::string* network, session::LoginFailure why);
  void watch();
  void sweep();

  net::Loop& loop_;
  session::LoginPlaces& places_;
  session::LoginStats& stats_;
  const Find find_;
  std::map<std::uint32_t, Peer> peers_;  // by session, whose numbers grow
  net::Timer timer_;                     // set while there are any
};

}  // namespace tidepool::proxy
