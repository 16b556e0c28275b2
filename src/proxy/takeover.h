// From one process to the next, both sides: this process takes over from its predecessor, and hands
// over to its successor. See handover.h for the words, docs/deployment.md for operators.
//
// While two processes work, each has a part of the cap, and together they keep to it: the old one
// has half of the backends at first, and fewer as its sessions go; it says what it may have, and
// the new one has the rest.
//
// Owned by the server, after the workers; on the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "predecessor.h"
#include "reload.h"
#include "shared_state.h"
#include "tidepool/net/timer.h"
#include "tidepool/proxy/handover.h"
#include "tidepool/proxy/successor.h"

namespace tidepool::proxy {

class Takeover {
 public:
  struct Events {
    std::function<std::vector<Passed>()> sockets;  // asked for: what this process listens on
    std::function<void()> let_in;                  // clients may come
    std::function<void()> hand_over;  // the new one lets clients in: this one does no longer
    std::function<void()> take_back;  // and now it does again: the new one has ended too soon
    std::function<void()> drain;      // time for the last sessions to end
    std::function<void()> end;        // the same, as the new process has been told to end
    std::function<void()> give_up;    // this process will not take over: it ends
    std::function<void(int exit_code)> ended;  // the new process, while this one drains or stays
  };

  enum class Recipient : std::uint8_t { kThisProcess, kSuccessor };
  enum class Leaving : std::uint8_t {
    kEnds,
    kStays,  // until the new process ends, whose exit code is this one's then
  };

  // `predecessor` may be null.
  Takeover(net::Loop& loop, SharedState& shared, Workers& workers, Program program,
           std::unique_ptr<Predecessor> predecessor, Events events);

  // The workers run: lets clients in, at once if there is no predecessor.
  void start();
  // SIGUSR2.
  void begin();
  // A signal for whoever is at work: if that is another process now, it has got it.
  [[nodiscard]] Recipient pass_on(int signal);
  void on_drain();
  // So do the processes before this one, if there are any.
  void drain_all();
  // Before the workers end: asks nothing of them any more.
  void stop();
  // They have ended.
  [[nodiscard]] Leaving leave();

  Predecessor* predecessor() { return predecessor_.get(); }
  bool has_handed_over() const { return has_handed_over_; }
  // Whether the process before this one, whose clients are this one's now, still works.
  bool follows() const {
    return predecessor_ != nullptr && predecessor_->is_there() && predecessor_->has_gone_live();
  }

 private:
  void poll();
  void join();
  bool is_awaited(const PoolState& pool) const;
  Greeting greeting();
  void on_go(std::uint32_t first_session);
  void on_successor_ready();
  void on_successor_failed(const std::string& why);
  void on_successor_ended(int code);
  void forget_successor();
  void tell_manager();
  Successor::Held divide();
  void set_reserved_by_peer(const std::string& pool);
  unsigned held_before(const std::string& pool) const;
  bool is_last_session_gone() const;
  std::vector<PoolUsage> pool_usage() const;

  net::Loop& loop_;
  SharedState& shared_;
  Workers& workers_;
  const Program program_;
  const Events events_;
  const TimePoint started_ = Clock::now();
  bool is_ready_ = false;  // and has said so
  bool has_handed_over_ = false;
  bool is_draining_ = false;
  bool stays_ = true;  // after the handover, since no other process waits for the new one
  TimePoint drain_at_{};
  std::map<std::string, unsigned> kept_;  // by pool; never more again, for the rest is given away
  std::unique_ptr<Predecessor> predecessor_;
  std::unique_ptr<Successor> successor_;
  net::Timer timer_;
};

}  // namespace tidepool::proxy
