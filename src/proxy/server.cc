// The main thread's part: build, listen, wait for a signal, drain or hand over.
#include "tidepool/proxy/server.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "server_impl.h"
#include "tidepool/base/log.h"
#include "tidepool/base/process_memory.h"
#include "tidepool/net/process.h"
#include "tidepool/proxy/handover.h"

namespace tidepool::proxy {
namespace {

constexpr std::chrono::milliseconds kDrainPoll{20};
constexpr std::chrono::seconds kPoolDrainTimeout{2};

using Recipient = Takeover::Recipient;

}  // namespace

Server::Server(std::unique_ptr<SharedState> shared, config::Config config,
               const config::Source& source, Program program,
               std::unique_ptr<Predecessor> predecessor)
    : source_(source),
      shared_(std::move(shared)),
      passthrough_(loop_, shared_->password_proofs, shared_->proofs, passthrough_events()),
      takeover_(loop_, *shared_, workers_, std::move(program), std::move(predecessor),
                takeover_events()),
      memory_(loop_, *shared_,
              [this](bool on) { for_all([on](Worker& worker) { worker.set_accepting(on); }); }),
      http_(*shared_) {
  passthrough_.set_base(std::move(config));
}

Takeover::Events Server::takeover_events() {
  return {.sockets = [this] { return sockets(); },
          .let_in = [this] { let_in(); },
          .hand_over = [this] { hand_over(); },
          .take_back = [this] { let_in(); },
          .drain = [this] { drain(); },
          .end = [this] { end(); },
          .give_up =
              [this] {
                exit_code_ = 1;
                drain();
              },
          .ended =
              [this](int code) {
                exit_code_ = code;
                if (is_stopped_) loop_.stop();
              }};
}

Result<void> Server::start() {
  if (auto listening = listen(); !listening) return listening;
  for (std::size_t pool = 0; pool < shared_->pools.size(); ++pool) {
    std::vector<pool::WorkerPool*> peers;
    for_all([&](Worker& worker) { peers.push_back(worker.pool(pool)); });
    for_all([&](Worker& worker) { worker.set_peers(pool, peers); });
  }
  for (const auto& pool : shared_->pools)
    http_.add_pool(*pool);
  http_.show_certificates(passthrough_.base().pools);
  if (auto serving = start_http(); !serving) return serving;
  const auto watch = [this](int number, std::function<void()> callback) {
    signals_.push_back(std::make_unique<net::Signal>(loop_, number, std::move(callback)));
  };
  watch(SIGTERM, [this] { on_signal(SIGTERM, "SIGTERM"); });
  watch(SIGINT, [this] { on_signal(SIGINT, "SIGINT"); });
  watch(SIGHUP, [this] { on_hang_up(); });
  watch(SIGUSR2, [this] { on_takeover_signal(); });
  return {};
}

Result<void> Server::listen() {
  Inherited inherited(shared_->config.listeners.size());
  if (Predecessor* before = takeover_.predecessor()) {
    const std::vector<config::Listener>& listeners = shared_->config.listeners;
    for (std::size_t i = 0; i < inherited.size(); ++i) {
      const bool is_shared = !listeners[i].is_socket() && before->listens_on(listeners[i].port);
      if (is_shared) inherited[i].owner = net::Port::kShared;
    }
    for (std::size_t i = 0; i < inherited.size(); ++i)
      inherited[i].sockets = before->take(key_of(listeners[i]));
  }
  for (int i = 0; i < shared_->config.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(*shared_, static_cast<unsigned>(i)));
    Worker& worker = *workers_.back();
    auto bound = worker.listen(i == 0 ? nullptr : workers_.front().get(), inherited);
    if (!bound) return bound;
    worker.hold_back();
  }
  return {};
}

Result<void> Server::start_http() {
  net::UniqueFd inherited;
  if (Predecessor* before = takeover_.predecessor();
      before != nullptr && shared_->config.http.enabled) {
    std::vector<net::UniqueFd> sockets = before->take(key_of(shared_->config.http));
    if (!sockets.empty()) inherited = std::move(sockets.front());
  }
  return http_.start(std::move(inherited));
}

int Server::run() {
  for_all([](Worker& worker) { worker.start(); });
  watch_files(shared_->config);
  takeover_.start();
  loop_.run();
  http_.stop();
  log::info("stopped");
  return exit_code_;
}

// At the start, and again if a process that took over from this one has ended too soon.
void Server::let_in() {
  shared_->process.accepting.set(1);
  for_all([](Worker& worker) { worker.call([&] { worker.let_in(); }); });
  for (const std::string& address : workers_.front()->addresses())
    log::info("listening", {{"address", address}});
  http_.serve();
  memory_.start();
  poll_files();
}

void Server::hand_over() {
  shared_->process.accepting.set(0);
  for_all([](Worker& worker) { worker.call([&] { worker.hand_over(); }); });
  http_.pause();
  memory_.stop();
  reload_timer_.stop();
}

// Of a Unix socket one descriptor is enough: what the workers have are copies of it.
std::vector<Passed> Server::sockets() const {
  const std::vector<config::Listener>& listeners = shared_->config.listeners;
  std::vector<Passed> all;
  all.reserve(listeners.size() + 1);
  for (const config::Listener& listener : listeners)
    all.push_back({key_of(listener), {}});
  for (const auto& worker : workers_) {
    Sockets some;
    worker->call([&] { some = worker->sockets(); });
    for (std::size_t i = 0; i < some.size(); ++i) {
      std::vector<int>& into = all[i].descriptors;
      if (listeners[i].is_socket() && !into.empty()) continue;
      into.insert(into.end(), some[i].begin(), some[i].end());
    }
  }
  if (http_.fd() >= 0) all.push_back({key_of(shared_->config.http), {http_.fd()}});
  return all;
}

// The first signal drains, the second ends at once.
void Server::on_signal(int number, const char* name) {
  const bool is_passed_on = takeover_.pass_on(number) == Recipient::kSuccessor;
  if (is_stopped_) return;  // the other process's end is this one's
  if (std::exchange(is_told_, true)) return stop_workers();
  log::info("draining", {{"signal", name}, {"passed_on", is_passed_on ? 1 : 0}});
  end();
}

// Together with the processes before this one.
void Server::end() {
  is_ending_ = true;
  takeover_.drain_all();
  if (shared_->draining) deadline_ = Clock::now() + shared_->config.drain_timeout;
  drain();
}

void Server::on_hang_up() {
  if (takeover_.pass_on(SIGHUP) == Recipient::kThisProcess) reload("SIGHUP");
}

void Server::on_takeover_signal() {
  if (takeover_.pass_on(SIGUSR2) == Recipient::kThisProcess) takeover_.begin();
}

void Server::drain() {
  if (shared_->draining) return;
  shared_->draining = true;
  memory_.stop();
  takeover_.on_drain();
  deadline_ = Clock::now() + shared_->config.drain_timeout;
  for_all([](Worker& worker) { worker.drain(); });
  poll_drain();
}

void Server::poll_drain() {
  const bool empty = std::all_of(workers_.begin(), workers_.end(),
                                 [](const auto& worker) { return worker->sessions() == 0; });
  const bool late = Clock::now() >= deadline_;
  if (!empty && !late) {
    drain_timer_.start(kDrainPoll, [this] { poll_drain(); });
    return;
  }
  if (!empty) log::warn("drain_timeout has passed: closing what still runs");
  for_all([](Worker& worker) { worker.close_sessions(); });
  for_all([](Worker& worker) { worker.drain_pools(); });
  // The process before this one drains too, and has as long.
  deadline_ = (takeover_.follows() ? deadline_ : Clock::now()) + kPoolDrainTimeout;
  poll_pools();
}

void Server::poll_pools() {
  const bool empty = std::none_of(workers_.begin(), workers_.end(),
                                  [](const auto& worker) { return worker->has_backends(); });
  // Only this process tells the new one what this one's predecessor still has.
  const bool is_needed = takeover_.follows() && !is_ending_;
  const bool is_done = (empty && !takeover_.follows()) || Clock::now() >= deadline_;
  if (is_done && !is_needed) return stop_workers();
  drain_timer_.start(kDrainPoll, [this] { poll_pools(); });
}

void Server::stop_workers() {
  takeover_.stop();
  passthrough_.stop();
  drain_timer_.stop();
  memory_.stop();
  reload_timer_.stop();
  for_all([](Worker& worker) { worker.stop(); });
  for_all([](Worker& worker) { worker.join(); });
  is_stopped_ = true;
  if (takeover_.leave() == Takeover::Leaving::kEnds) return loop_.stop();
  http_.stop();
  trim_memory();
  log::info("drained: stays until the new process ends, and passes signals on");
}

int run(config::Config config, const config::Source& source, const Program& program) {
  auto predecessor = Predecessor::meet();
  if (!predecessor) {
    log::error("cannot start", {{"error", predecessor.error().message}});
    return 1;
  }
  net::prepare_process();
  net::let_memory_be_dumped(config.core_dumps);
  auto shared = build_shared_state(without_models(config));
  if (!shared) {
    log::error("cannot start", {{"error", shared.error().message}});
    return 1;
  }
  Server server(std::move(*shared), std::move(config), source, program, std::move(*predecessor));
  if (const auto started = server.start(); !started) {
    log::error("cannot start", {{"error", started.error().message}});
    return 1;
  }
  return server.run();
}

}  // namespace tidepool::proxy
