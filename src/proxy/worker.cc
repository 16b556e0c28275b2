#include "tidepool/proxy/worker.h"

#include <algorithm>
#include <sys/socket.h>
#include <utility>

#include "tidepool/base/log.h"
#include "tidepool/protocol/reply_messages.h"

namespace tidepool::proxy {
namespace {

constexpr int kBacklog = 1024;
constexpr std::chrono::milliseconds kWatchInterval{10};

std::string refusal() {
  return protocol::err_packet({1040, "", "Too many connections"}, 0);
}

}  // namespace

Worker::Worker(Home& home, unsigned index) : home_(home), index_(index), environment_(loop_) {
  environment_.logins = &home.logins;
  environment_.registry = &home.registry;
  environment_.worker = index;
  home.registry.join(index, [this](std::uint32_t id, session::KillKind kind) {
    loop_.post([this, id, kind] {
      const auto found = sessions_.find(id);
      if (found != sessions_.end()) found->second->on_kill(kind);
    });
  });
  environment_.rsa_key = &*home.rsa_key;
  add_pools();
  apply(home.config, home.tls, {});
}

Worker::~Worker() = default;

Result<void> Worker::listen(const Worker* first) {
  for (std::size_t i = 0; i < home_.config.listeners.size(); ++i) {
    auto listener = make_listener(i, first);
    if (!listener) return tl::unexpected(listener.error());
    (*listener)->set_refusal(refusal(), [this] {
      home_.logins.accepted.add();
      home_.logins.failures[session::LoginFailure::kDescriptors].add();
    });
    listeners_.push_back(std::move(*listener));
  }
  return {};
}

Result<std::unique_ptr<net::Listener>> Worker::make_listener(std::size_t number,
                                                             const Worker* first) {
  const config::Listener& config = home_.config.listeners[number];
  auto on_accept = [this, number](net::Accepted accepted) {
    this->on_accept(number, std::move(accepted));
  };
  if (config.is_socket()) {
    if (first != nullptr) return first->listeners_[number]->share(loop_, on_accept);
    return net::Listener::unix_socket(loop_, config.socket_path, config.socket_mode, kBacklog,
                                      on_accept);
  }
  const std::uint16_t port = first == nullptr ? config.port : first->listeners_[number]->port();
  return net::Listener::tcp(loop_, config.host, port, kBacklog, on_accept);
}

std::vector<std::string> Worker::addresses() const {
  std::vector<std::string> addresses;
  for (const auto& listener : listeners_)
    addresses.push_back(listener->address());
  return addresses;
}

void Worker::set_peers(std::size_t pool, std::vector<pool::WorkerPool*> peers) {
  pools_[pool]->set_peers(std::move(peers));
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::run() {
  if (index_ == 0) {
    for (const auto& pool : pools_)
      pool->start_clock();
  }
  loop_.run();
  // In the order of who uses whom, on the thread that they belong to.
  watch_.reset();
  listeners_.clear();
  sessions_.clear();
  pools_.clear();
}

void Worker::on_accept(std::size_t listener, net::Accepted accepted) {
  home_.logins.accepted.add();
  if (home_.process.clients.value() >= home_.process.max_clients.value()) {
    home_.logins.failures[session::LoginFailure::kTooMany].add();
    const std::string told = refusal();
    (void)::send(accepted.fd.get(), told.data(), told.size(), MSG_NOSIGNAL);
    return;
  }
  home_.process.clients.add();
  session::Arrival arrival;
  arrival.fd = std::move(accepted.fd);
  arrival.peer = std::move(accepted.peer);
  arrival.is_unix = accepted.is_unix;
  arrival.tls = tls_[listener];
  arrival.tls_required = tls_required_[listener];
  const std::uint32_t id = home_.next_session_id.fetch_add(1, std::memory_order_relaxed);
  auto made = std::make_unique<session::Session>(environment_, id, std::move(arrival),
                                                 [this](std::uint32_t gone) { on_closed(gone); });
  session::Session& session = *made;
  sessions_[id] = std::move(made);
  session_count_.store(sessions_.size(), std::memory_order_relaxed);
  session.start();
}

void Worker::on_closed(std::uint32_t id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  loop_.retire(std::move(found->second));  // we are in its callback
  sessions_.erase(found);
  session_count_.store(sessions_.size(), std::memory_order_relaxed);
  home_.process.clients.sub();
}

void Worker::set_accepting(bool on) {
  loop_.post([this, on] {
    for (const auto& listener : listeners_)
      on ? listener->resume() : listener->pause();
  });
}

void Worker::drain() {
  loop_.post([this] {
    environment_.draining = true;
    listeners_.clear();
    std::vector<session::Session*> all;
    for (const auto& [id, session] : sessions_)
      all.push_back(session.get());
    for (session::Session* session : all)
      session->drain();
  });
}

void Worker::close_sessions() {
  loop_.post([this] {
    while (!sessions_.empty()) {
      const std::uint32_t id = sessions_.begin()->first;
      sessions_.begin()->second->close();
      on_closed(id);  // what the client does not take is not waited for any more
    }
  });
}

void Worker::drain_pools() {
  loop_.post([this] {
    for (const auto& pool : pools_)
      pool->drain();
    watch_backends();
  });
}

void Worker::watch_backends() {
  const bool empty =
      std::all_of(pools_.begin(), pools_.end(), [](const auto& pool) { return pool->is_empty(); });
  has_backends_.store(!empty, std::memory_order_relaxed);
  if (empty) return;
  watch_ = std::make_unique<net::Timer>(loop_);
  watch_->start(kWatchInterval, [this] { watch_backends(); });
}

void Worker::stop() {
  loop_.stop();
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace tidepool::proxy
