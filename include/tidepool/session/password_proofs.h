// PasswordProofs: passwords of users that the configuration does not list, which TiDB judges. A
// login asks; whoever judges (the main thread's part, which dials TiDB) answers.
//
// Owned by the shared state, which outlives the workers that use it. Any thread; a Wait belongs to
// a loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "tidepool/base/error.h"
#include "tidepool/base/secret.h"
#include "tidepool/net/loop.h"

namespace tidepool::session {

class PasswordProofs {
 public:
  using Id = std::uint64_t;
  struct Question {
    Id id = 0;
    std::string user = {};
    Secret password;
    std::string network = {};  // of who asks; see net::network_of()
  };
  enum class Verdict : std::uint8_t {
    kRight,
    kWrong,
    kBusy,     // nobody was asked: too many wait for that
    kUnknown,  // there is none, for the reason in the answer
  };
  struct Answer {
    Verdict verdict = Verdict::kWrong;
    Error error = {};  // of kUnknown
  };
  using Ask = std::function<void(Question)>;  // any thread; the answer comes later
  using Leave = std::function<void(Id)>;      // any thread; nobody waits for that one any more

  PasswordProofs() = default;
  PasswordProofs(const PasswordProofs&) = delete;
  PasswordProofs& operator=(const PasswordProofs&) = delete;
  ~PasswordProofs() = default;

  // Who judges. Before the workers run.
  void set_judge(Ask ask, Leave leave);

 private:
  struct Waiter {
    net::Loop& loop;
    std::function<void(const Answer&)> on_answer;
  };

 public:
  // Somebody who waits for a verdict. Destroying it on the loop's thread means that nothing runs
  // any more.
  class Wait {
   public:
    Wait(PasswordProofs& proofs, Id id) : proofs_(proofs), id_(id) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() { proofs_.forget(id_); }

   private:
    PasswordProofs& proofs_;
    const Id id_;
  };

  // The question's id is given here. `on_answer` runs once on a later turn of the loop; it may
  // destroy the Wait. On the loop's thread.
  [[nodiscard]] std::unique_ptr<Wait> add(net::Loop& loop, Question question,
                                          std::function<void(const Answer&)> on_answer);

  // Once for each question; nothing happens if nobody waits for it any more.
  void answer(Id id, const Answer& answer);

 private:
  void forget(Id id);

  Ask ask_;
  Leave leave_;
  std::mutex mutex_;
  Id last_id_ = 0;                                           // under the mutex, as the waiters
  std::unordered_map<Id, std::shared_ptr<Waiter>> waiters_;  // whose loops are there
};

}  // namespace tidepool::session
