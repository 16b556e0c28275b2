// Prints what one more waiter costs a pool's broker, by how many wait already: it should be the
// same in each row. Figures for humans, not a test.
#include <chrono>
#include <cstdio>

#include "tidepool/pool/broker.h"

namespace {

using namespace tidepool;
using namespace tidepool::pool;

constexpr LeaseRequest kPlain{.profile = 0, .state = 0, .last = 0};

Limits limits() {
  Limits limits;
  limits.size = 20;
  limits.max_overflow = 0;
  return limits;
}

LeaseRequest limited(std::uint64_t user) {
  LeaseRequest request = kPlain;
  request.user = user;
  request.max_leases = 1;
  return request;
}

class Queue {
 public:
  Queue() : broker_(limits(), 1) {}

  void wait(const LeaseRequest& request) {
    broker_.enqueue(0, request, now_ + std::chrono::hours(1), now_, orders_);
    orders_.clear();
  }
  BackendId lease(const LeaseRequest& request) {
    broker_.enqueue(0, request, now_ + std::chrono::hours(1), now_, orders_);
    const auto dial = std::get<DialOrder>(orders_.back().what).dial;
    orders_.clear();
    const BackendId backend = broker_.dialled(dial, 0, now_, orders_);
    orders_.clear();
    return backend;
  }
  void fail_dial() {
    broker_.enqueue(0, kPlain, now_ + std::chrono::hours(1), now_, orders_);
    const auto dial = std::get<DialOrder>(orders_.back().what).dial;
    broker_.dial_failed(dial, {Code::kRefused, "refused"}, now_, orders_);
    orders_.clear();
  }
  // A client of another user comes and goes, served by a backend of its own.
  void use(BackendId backend, const LeaseRequest& request) {
    broker_.release(backend, 0, now_, orders_);
    (void)broker_.try_acquire(0, request);
    orders_.clear();
  }

 private:
  TimePoint now_ = Clock::now();
  Broker broker_;
  Orders orders_;
};

template <class Prepare, class Work>
void bench(const char* name, Prepare prepare, Work work) {
  constexpr int kTimes = 1'000;
  for (const int before : {0, 1'000, 10'000}) {
    Queue queue;
    prepare(queue, before);
    const auto start = Clock::now();
    for (int count = 0; count < kTimes; ++count)
      work(queue);
    const std::chrono::duration<double, std::micro> spent = Clock::now() - start;
    std::printf("%-44s %7d wait: %9.2f us\n", name, before, spent.count() / kTimes);
  }
}

}  // namespace

int main() {
  const auto crowd = [](Queue& queue, int count, const LeaseRequest& request) {
    for (int i = 0; i < count; ++i)
      queue.wait(request);
  };
  bench(
      "TiDB is away: one more",
      [&](Queue& queue, int count) {
        queue.fail_dial();
        crowd(queue, count, kPlain);
      },
      [&](Queue& queue) { queue.wait(kPlain); });
  bench(
      "all backends are busy: one more",
      [&](Queue& queue, int count) {
        for (int i = 0; i < 20; ++i)
          (void)queue.lease(kPlain);
        crowd(queue, count, kPlain);
      },
      [&](Queue& queue) { queue.wait(kPlain); });
  bench(
      "a user has all it may have: one more of it",
      [&](Queue& queue, int count) {
        (void)queue.lease(limited(1));
        crowd(queue, count, limited(1));
      },
      [&](Queue& queue) { queue.wait(limited(1)); });
  return 0;
}
