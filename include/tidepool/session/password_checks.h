// PasswordChecks: the thousands of rounds that a full caching_sha2 authentication takes, on a
// thread of their own: neither a worker's loop nor the threads that resolve names wait for them.
// The queue is bounded; whoever finds it full is refused.
//
// Owned by the shared state, which outlives the workers that use it. Any thread; a Wait belongs to
// a loop.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "tidepool/base/secret.h"
#include "tidepool/net/loop.h"
#include "tidepool/protocol/passwords.h"

namespace tidepool::session {

class PasswordChecks {
 public:
  using Proof = std::optional<protocol::Proof>;
  using Check = std::function<Proof(const protocol::Passwords&, std::string_view password)>;
  // Half a second's work: whoever came later would wait in vain as often as not.
  static constexpr std::size_t kMaxQueued = 256;

  explicit PasswordChecks(Check check = &protocol::Passwords::prove_in_clear,
                          std::size_t max_queued = kMaxQueued)
      : check_(std::move(check)), max_queued_(max_queued) {}
  PasswordChecks(const PasswordChecks&) = delete;
  PasswordChecks& operator=(const PasswordChecks&) = delete;
  ~PasswordChecks();

 private:
  struct Job {
    net::Loop& loop;
    protocol::Passwords passwords;
    Secret password;
    std::function<void(Proof proof)> on_checked;
  };
  using Queue = std::deque<std::shared_ptr<Job>>;

 public:
  // Somebody who waits for a verdict. Destroying it on the loop's thread means that nothing runs
  // any more, and that what has not begun is not done.
  class Wait {
   public:
    Wait(PasswordChecks& checks, std::shared_ptr<Job> job)
        : checks_(checks), job_(std::move(job)) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() { checks_.forget(job_); }

   private:
    PasswordChecks& checks_;
    std::shared_ptr<Job> job_;
  };

  // `on_checked` runs once on a later turn of the loop; it may destroy the Wait. Null: too many
  // wait already. On the loop's thread.
  [[nodiscard]] std::unique_ptr<Wait> add(net::Loop& loop, protocol::Passwords passwords,
                                          Secret password,
                                          std::function<void(Proof proof)> on_checked);

 private:
  void run();
  static void tell(const std::shared_ptr<Job>& job, Proof proof);
  void forget(const std::shared_ptr<Job>& job);

  const Check check_;
  const std::size_t max_queued_;
  std::mutex mutex_;
  std::condition_variable has_work_;  // or is to end
  Queue queue_;                       // under the mutex, as the next three
  std::shared_ptr<Job> running_;      // null: none, or nobody waits for it any more
  bool is_ending_ = false;
  std::thread thread_;  // from the first check on
};

}  // namespace tidepool::session
