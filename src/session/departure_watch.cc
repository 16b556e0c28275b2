#include "tidepool/session/departure_watch.h"

#include "tidepool/base/log.h"

namespace tidepool::session {

void DepartureWatch::watch() {
  Departure& departure = context_.client.departure();
  const auto next = departure.judge(runner_.running(), Clock::now());
  if (next.verdict == Departure::Verdict::kKill) {
    departure.note_kill(Clock::now());
    runner_.kill();
  }
  if (next.verdict == Departure::Verdict::kGiveUp) {
    log::info("a statement of a client that is gone does not end", {{"session", context_.id}});
    return host_.close();
  }
  if (timer_ == nullptr) timer_ = std::make_unique<net::Timer>(context_.environment.loop);
  timer_->start(next.again, [this] { watch(); });
}

bool DepartureWatch::send_away() {
  ClientConnection& client = context_.client;
  if (client.has_left() || !runner_.can_kill()) return client.has_left();
  runner_.kill();
  client.departure().leave();
  client.stream().pause(net::PauseReason::kClosing);
  client.stream().shutdown();
  context_.backend.resume();
  away_timer_ = std::make_unique<net::Timer>(context_.environment.loop);
  away_timer_->start(Departure::kKillTimeout, [this] { host_.close(); });
  return true;
}

bool DepartureWatch::must_roll_back() const {
  return context_.client.has_killed() &&
         (context_.model.in_transaction || !context_.model.desired.autocommit());
}

void DepartureWatch::stop() {
  for (const auto& timer : {&timer_, &away_timer_})
    if (*timer != nullptr) (*timer)->stop();
}

}  // namespace tidepool::session
