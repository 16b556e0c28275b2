#include "takeover.h"

#include <algorithm>
#include <csignal>
#include <unistd.h>
#include <utility>

#include "service_manager.h"
#include "tidepool/base/log.h"
#include "tidepool/pool/dial_gate.h"
#include "tidepool/proxy/handover.h"

namespace tidepool::proxy {
namespace {

constexpr std::chrono::milliseconds kPoll{20};
// How long to wait for a place to try whether TiDB can be reached, while the old process needs all.
constexpr std::chrono::seconds kPatience{5};

unsigned whole_cap(const PoolState& pool) {
  return limits_of(pool.config).cap();
}

}  // namespace

Takeover::Takeover(net::Loop& loop, SharedState& shared, Workers& workers, Program program,
                   std::unique_ptr<Predecessor> predecessor, Events events)
    : loop_(loop),
      shared_(shared),
      workers_(workers),
      program_(std::move(program)),
      events_(std::move(events)),
      predecessor_(std::move(predecessor)),
      timer_(loop) {
  if (predecessor_ == nullptr) return;
  for (const auto& [pool, backends] : predecessor_->held())
    set_reserved_by_peer(pool);
}

void Takeover::start() {
  if (predecessor_ == nullptr) return events_.let_in();
  predecessor_->start(
      loop_, {.on_held = [this](const std::string& pool, unsigned) { set_reserved_by_peer(pool); },
              .on_go = [this](std::uint32_t first_session) { on_go(first_session); },
              .on_gone =
                  [this] {
                    log::info("the process before this one has ended its work");
                    loop_.retire(std::move(predecessor_));
                  }});
  poll();
}

void Takeover::poll() {
  if (predecessor_ != nullptr && !predecessor_->has_gone_live()) join();
  if (successor_ != nullptr) successor_->hold(divide());
  const bool is_time = Clock::now() >= drain_at_ || (is_last_session_gone() && !follows());
  if (has_handed_over_ && !is_draining_ && is_time) {
    log::info("draining what is left of this process");
    events_.drain();
  }
  const bool joins = predecessor_ != nullptr && !predecessor_->has_gone_live();
  if (joins || successor_ != nullptr) timer_.start(kPoll, [this] { poll(); });
}

// A configuration that does not lead to TiDB replaces none that does.
void Takeover::join() {
  if (is_ready_ || is_draining_) return;
  bool is_complete = true;
  for (const auto& pool : shared_.pools) {
    if (!is_awaited(*pool)) continue;
    is_complete = false;
    const auto error = pool->broker.with([](pool::Broker& broker, pool::Orders&) {
      return broker.pool().dials.gate().last_error();
    });
    if (!error || !pool::is_permanent(*error)) continue;
    log::error("no takeover", {{"pool", pool->config.name}, {"error", error->message}});
    return events_.give_up();
  }
  if (!is_complete) return;
  is_ready_ = true;
  predecessor_->say_ready();
}

// What there is no room to try is believed.
bool Takeover::is_awaited(const PoolState& pool) const {
  if (pool.broker.info() != nullptr || predecessor_->is_unavailable(pool.config.name)) return false;
  const unsigned cap = whole_cap(pool);
  const bool has_room = held_before(pool.config.name) < cap;
  return has_room || (offered_cap(cap) < cap && Clock::now() - started_ < kPatience);
}

void Takeover::on_go(std::uint32_t first_session) {
  shared_.next_session_id = first_session;
  shared_.process.takeovers.add();
  log::info("taken over from the process before this one", {{"pid", ::getpid()}});
  predecessor_->drop_the_rest();
  events_.let_in();
}

void Takeover::begin() {
  if (is_draining_ || has_handed_over_) return log::info("no takeover: this process drains");
  if (successor_ != nullptr || (predecessor_ != nullptr && !predecessor_->has_gone_live())) {
    return log::info("no other takeover: one is under way");
  }
  Successor::Events events{
      .on_ready = [this] { on_successor_ready(); },
      .on_failed = [this](const std::string& why) { on_successor_failed(why); },
      .on_drain = events_.end,
      .on_ended = [this](int code) { on_successor_ended(code); }};
  auto started = Successor::start(loop_, program_, greeting(), std::move(events));
  if (!started) return on_successor_failed(started.error().message);
  successor_ = std::move(*started);
  log::info("takeover: a new process is started", {{"pid", successor_->pid()}});
  poll();
}

Greeting Takeover::greeting() {
  Greeting greeting{.sockets = events_.sockets(), .held = divide(), .unavailable = {}};
  for (const auto& pool : shared_.pools) {
    const bool is_unavailable = pool->broker.with([](const pool::Broker& broker, pool::Orders&) {
      return broker.pool().dials.gate().is_unavailable();
    });
    if (is_unavailable || pool->broker.info() == nullptr)
      greeting.unavailable.push_back(pool->config.name);
  }
  return greeting;
}

void Takeover::on_successor_failed(const std::string& why) {
  shared_.process.failed_takeovers.add();
  log::error("takeover failed, this process goes on", {{"error", why}});
  forget_successor();
}

// Its sockets are this process's too: no client was refused.
void Takeover::on_successor_ended(int code) {
  if (is_draining_) return events_.ended(code);
  shared_.process.failed_takeovers.add();
  log::error("the new process has ended, this one lets clients in again", {{"exit_code", code}});
  has_handed_over_ = false;
  forget_successor();
  events_.take_back();
}

void Takeover::forget_successor() {
  loop_.retire(std::move(successor_));
  kept_.clear();
  for (const auto& pool : shared_.pools)
    set_reserved_by_peer(pool->config.name);
}

// From here on the new process is the one at work.
void Takeover::on_successor_ready() {
  if (is_draining_) return;
  events_.hand_over();  // before: no id is given twice
  if (!successor_->try_go(shared_.next_session_id)) return events_.take_back();
  has_handed_over_ = true;
  tell_manager();
  log::info("taken over: the new process lets clients in, this one serves those it has",
            {{"pid", successor_->pid()}, {"clients", shared_.process.clients.value()}});
  drain_at_ = Clock::now() + shared_.config.takeover_timeout;
  const bool is_scarce =
      std::any_of(shared_.pools.begin(), shared_.pools.end(), [](const auto& pool) {
        return whole_cap(*pool) <= 1;  // two processes cannot have a part of it each
      });
  if (is_scarce) drain_at_ = Clock::now();
}

// A manager that waits for process 1 takes its end for the end of the service, whatever it is told.
void Takeover::tell_manager() {
  stays_ = ::getpid() == 1 || !tell_service_manager("MAINPID=" + std::to_string(successor_->pid()));
}

Takeover::Recipient Takeover::pass_on(int signal) {
  if (!has_handed_over_ || !stays_) return Recipient::kThisProcess;
  successor_->signal(signal);
  return Recipient::kSuccessor;
}

void Takeover::on_drain() {
  is_draining_ = true;
}

void Takeover::drain_all() {
  if (predecessor_ != nullptr) predecessor_->ask_to_drain();
}

void Takeover::stop() {
  timer_.stop();
  is_draining_ = true;
}

Takeover::Leaving Takeover::leave() {
  if (successor_ == nullptr || !has_handed_over_) return Leaving::kEnds;
  successor_->leave();
  return stays_ && successor_->is_running() ? Leaving::kStays : Leaving::kEnds;
}

// Gives away what is not needed here; answers what this process and those before it may have.
Successor::Held Takeover::divide() {
  Successor::Held held;
  const std::vector<PoolUsage> usages = has_handed_over_ ? pool_usage() : std::vector<PoolUsage>();
  for (std::size_t i = 0; i < shared_.pools.size(); ++i) {
    PoolState& pool = *shared_.pools[i];
    const unsigned all = whole_cap(pool);
    const unsigned before = held_before(pool.config.name);
    const unsigned own = all - std::min(all, before);
    unsigned kept = has_handed_over_ ? kept_backends(own, usages[i]) : offered_cap(own);
    unsigned& before_now = kept_.try_emplace(pool.config.name, kept).first->second;
    kept = before_now = std::min(kept, before_now);
    const unsigned open = pool.broker.with([&](pool::Broker& broker, pool::Orders& orders) {
      broker.set_reserved_by_peer(all - kept, Clock::now(), orders);
      return broker.pool().counts().total();
    });
    held[pool.config.name] = std::max(kept, open) + before;
  }
  return held;
}

// What the process before this one does not have.
void Takeover::set_reserved_by_peer(const std::string& name) {
  PoolState* pool = shared_.find_pool(name);
  if (pool == nullptr || successor_ != nullptr) return;
  pool->broker.with([&](pool::Broker& broker, pool::Orders& orders) {
    broker.set_reserved_by_peer(held_before(name), Clock::now(), orders);
  });
}

unsigned Takeover::held_before(const std::string& pool) const {
  if (predecessor_ == nullptr) return 0;
  const auto found = predecessor_->held().find(pool);
  return found == predecessor_->held().end() ? 0 : found->second;
}

bool Takeover::is_last_session_gone() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->sessions() == 0; });
}

std::vector<PoolUsage> Takeover::pool_usage() const {
  std::vector<PoolUsage> all(shared_.pools.size());
  for (const auto& worker : workers_) {
    worker->call([&] {
      const std::vector<PoolUsage> some = worker->pool_usage();
      for (std::size_t i = 0; i < some.size(); ++i) {
        all[i].sessions += some[i].sessions;
        all[i].pinned += some[i].pinned;
      }
    });
  }
  return all;
}

}  // namespace tidepool::proxy
