// What a client that leaves still wants: the end of its input is not the end of its interest. As at
// TiDB, what it had sent whole is executed in order, and its answers are written until the socket
// errs. A statement that takes longer than the grace is killed; what begins or ends a transaction
// never is.
//
// Owned by the session, from the first sign that its client leaves. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "tidepool/base/clock.h"

namespace tidepool::session {

class Departure {
 public:
  // Between the KILL of a statement and its end; then the backend is closed. Not sooner where TiDB
  // is silent: there its connection lives on, and one more in its place would be silent too.
  static constexpr std::chrono::seconds kKillTimeout{5};
  // For a COMMIT and its like. Closing the backend does not undo one that TiDB has begun.
  static constexpr std::chrono::seconds kBoundaryLimit{60};

  enum class Verdict : std::uint8_t { kWait, kKill, kGiveUp };
  struct Next {
    Verdict verdict = Verdict::kWait;
    Duration again{};  // when to ask next
  };
  // The client's statement that TiDB executes.
  struct Running {
    TimePoint since;
    bool is_boundary = false;  // of a transaction
    bool can_be_killed = false;
  };

  explicit Departure(Duration grace) : grace_(grace) {}

  // Nothing more comes from the client.
  void end_input(TimePoint now) { ended_ = ended_.value_or(now); }
  bool has_ended() const { return ended_.has_value(); }
  // Its socket takes nothing more.
  void refuse_answers() { takes_answers_ = false; }
  bool takes_answers() const { return takes_answers_; }
  // It is sent away: nothing more of it is begun.
  void leave() { has_left_ = true; }
  bool has_left() const { return has_left_; }

  // What is to become of what runs; nullopt: nothing of the client's does.
  Next judge(const std::optional<Running>& running, TimePoint now) const;
  void note_kill(TimePoint now) { killed_ = now; }
  // What comes after it in the same transaction must not be committed without it.
  bool has_killed() const { return killed_.has_value(); }

 private:
  Duration grace_;
  std::optional<TimePoint> ended_;
  std::optional<TimePoint> killed_;  // the last one
  bool takes_answers_ = true;
  bool has_left_ = false;
};

}  // namespace tidepool::session
