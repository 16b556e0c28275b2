// ProofQueue: which password TiDB is asked about next. Bounds what guessers make of TiDB: a user's
// passwords one after the other, and after a wrong one a pause that grows; few at once, and few in
// a second. Who asks about the same password shares its answer. Pure; on the main thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/base/secret.h"
#include "tidepool/session/password_proofs.h"

namespace tidepool::proxy {

class ProofQueue {
 public:
  using Id = session::PasswordProofs::Id;

  static constexpr std::size_t kMaxJobs = 256;
  static constexpr std::size_t kMaxJobsOfUser = 8;
  static constexpr std::size_t kMaxJobsOfNetwork = 32;  // of other machines
  static constexpr std::size_t kMaxPauses = 4096;
  static constexpr std::chrono::milliseconds kFirstPause{250};
  static constexpr std::chrono::milliseconds kLongestPause{4'000};

  struct Limits {
    std::size_t at_once = 4;
    std::size_t in_a_second = 20;
  };
  // A password to ask TiDB about.
  struct Job {
    std::string user;
    Secret password;
    std::vector<Id> ids;       // who waits for it
    std::string network = {};  // of who asked first
    bool was_right = false;    // the last time that TiDB was asked
    bool is_running = false;
  };
  using Handle = std::list<Job>::iterator;

  void set_limits(const Limits& limits) { limits_ = limits; }

  enum class Likelihood : std::uint8_t {
    kUnknown,
    kProbablyRight,  // as it was before: guessers do not hold it up
  };
  enum class Outcome : std::uint8_t { kRefused, kOther };

  // Has no effect where too many wait.
  [[nodiscard]] bool try_add(session::PasswordProofs::Question question, Likelihood likelihood);
  void leave(Id id);

  // What may begin now; it runs from then on, until end().
  std::optional<Handle> next(TimePoint now);
  // When next() may have one that it has not now. Nothing: when one ends, or is added.
  std::optional<TimePoint> next_at(TimePoint now) const;
  // Returns who waited for it.
  [[nodiscard]] std::vector<Id> end(Handle job, Outcome outcome, TimePoint now);

 private:
  struct Pause {
    TimePoint until;
    std::chrono::milliseconds length;
  };

  [[nodiscard]] bool has_room(const session::PasswordProofs::Question& question) const;
  [[nodiscard]] bool is_running(const std::string& user) const;
  [[nodiscard]] TimePoint allowed_at(const Job& job, TimePoint now) const;
  [[nodiscard]] TimePoint rate_allows_at(TimePoint now) const;
  void pause(const std::string& user, TimePoint now);

  Limits limits_;
  std::list<Job> jobs_;  // in the order of their arrival
  std::size_t running_ = 0;
  std::deque<TimePoint> begun_;  // in the last second
  std::unordered_map<std::string, Pause> pauses_;
};

}  // namespace tidepool::proxy
