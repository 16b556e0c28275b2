#include "worker.h"

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

Worker::Worker(SharedState& shared, unsigned index)
    : shared_(shared),
      index_(index),
      environment_(loop_),
      pending_(loop_, shared.places, shared.logins,
               [this](std::uint32_t id) -> session::PendingClient& { return this->pending(id); }) {
  environment_.logins = &shared.logins;
  environment_.registry = &shared.registry;
  environment_.global_settings = &shared.global_settings;
  environment_.command_memory = &shared.command_memory;
  environment_.worker = index;
  shared.registry.join(index, [this](std::uint32_t id, session::KillKind kind) {
    loop_.post([this, id, kind] {
      const auto found = sessions_.find(id);
      if (found != sessions_.end()) found->second->on_kill(kind);
    });
  });
  environment_.login_key = shared.login_key.get();
  environment_.failed_logins = &shared.failed_logins;
  environment_.password_checks = shared.password_checks.get();
  environment_.password_proofs = &shared.password_proofs;
  add_pools();
  apply(shared.config, shared.tls, {});
}

Worker::~Worker() = default;

Result<void> Worker::listen(const Worker* first, Inherited& inherited) {
  for (std::size_t number = 0; number < shared_.config.listeners.size(); ++number) {
    if (auto taken = inherit(number, inherited[number].sockets); !taken) return taken;
    if (find_listener(number) != nullptr) continue;
    auto listener = make_listener(number, first, inherited[number].owner);
    if (!listener) return tl::unexpected(listener.error());
    add_listener(number, std::move(*listener));
  }
  return {};
}

// None is left over: what there are fewer workers for than sockets has several of them on one.
Result<void> Worker::inherit(std::size_t number, std::vector<net::UniqueFd>& sockets) {
  const auto workers = static_cast<std::size_t>(shared_.config.workers);
  for (std::size_t i = index_; i < sockets.size(); i += workers) {
    auto listener = net::Listener::from_fd(
        loop_, std::move(sockets[i]),
        [this, number](net::Accepted accepted) { on_accept(number, std::move(accepted)); });
    if (!listener) return tl::unexpected(listener.error());
    add_listener(number, std::move(*listener));
  }
  return {};
}

void Worker::add_listener(std::size_t number, std::unique_ptr<net::Listener> listener) {
  listener->set_refusal(refusal(), [this] {
    shared_.logins.accepted.add();
    shared_.logins.failures[session::LoginFailure::kDescriptors].add();
  });
  listener->set_keep_alive(client_keepalive_);
  listeners_.push_back({number, std::move(listener)});
}

const net::Listener* Worker::find_listener(std::size_t number) const {
  const auto found = std::find_if(listeners_.begin(), listeners_.end(),
                                  [number](const auto& one) { return one.number == number; });
  return found == listeners_.end() ? nullptr : found->listener.get();
}

Result<std::unique_ptr<net::Listener>> Worker::make_listener(std::size_t number,
                                                             const Worker* first, net::Port owner) {
  const config::Listener& config = shared_.config.listeners[number];
  auto on_accept = [this, number](net::Accepted accepted) {
    this->on_accept(number, std::move(accepted));
  };
  const net::Listener* shared = first == nullptr ? nullptr : first->find_listener(number);
  if (shared != nullptr) return shared->share(loop_, kBacklog, on_accept);
  if (config.is_socket()) {
    return net::Listener::unix_socket(loop_, config.socket_path, config.socket_mode, kBacklog,
                                      on_accept);
  }
  return net::Listener::tcp(loop_, config.host, config.port, kBacklog, on_accept, owner);
}

void Worker::hold_back() {
  for (const Listening& one : listeners_)
    one.listener->pause();
}

void Worker::let_in() {
  for (const Listening& one : listeners_) {
    if (index_ == 0) one.listener->own_file(shared_.config.listeners[one.number].socket_mode);
    one.listener->resume();
  }
}

std::vector<std::string> Worker::addresses() const {
  std::vector<std::string> addresses;
  for (std::size_t number = 0; number < shared_.config.listeners.size(); ++number)
    addresses.push_back(find_listener(number)->address());
  return addresses;
}

Sockets Worker::sockets() const {
  Sockets sockets(shared_.config.listeners.size());
  for (const Listening& one : listeners_)
    sockets[one.number].push_back(one.listener->fd());
  return sockets;
}

void Worker::hand_over() {
  hold_back();
  for (const Listening& one : listeners_)
    one.listener->disown_file();
}

std::vector<PoolUsage> Worker::pool_usage() const {
  std::vector<PoolUsage> usages;
  std::size_t known = 0;
  for (const auto& access : environment_.pools) {
    const auto& counts = access->stats->sessions;
    std::int64_t sessions = 0;
    for (std::size_t i = 0; i < session::kSessionActivities; ++i)
      sessions += counts[static_cast<session::SessionActivity>(i)].value();
    const std::int64_t pinned = counts[session::SessionActivity::kPinned].value();
    usages.push_back({static_cast<std::size_t>(sessions), static_cast<std::size_t>(pinned)});
    known += usages.back().sessions;
  }
  const std::size_t in_login = sessions_.size() - std::min(sessions_.size(), known);
  for (PoolUsage& usage : usages)
    usage.sessions += in_login;
  return usages;
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
  drop_peers();
  sessions_.clear();
  pending_.stop();
  pools_.clear();
}

void Worker::on_accept(std::size_t listener, net::Accepted accepted) {
  shared_.logins.accepted.add();
  const std::uint32_t id = shared_.next_session_id.fetch_add(1, std::memory_order_relaxed);
  const bool has_header = is_balancer(listener, accepted);
  std::string network = has_header ? std::string() : net::network_of(accepted.peer);
  auto place = pending_.enter(id, network);
  if (place == nullptr) {
    const std::string told = refusal();
    (void)::send(accepted.fd.get(), told.data(), told.size(), MSG_NOSIGNAL);
    return;
  }
  shared_.process.clients.add();
  session::AcceptedClient arrival;
  arrival.fd = std::move(accepted.fd);
  arrival.network = std::move(network);
  arrival.place = std::move(place);
  arrival.peer = std::move(accepted.peer);
  arrival.is_unix = accepted.is_unix;
  arrival.tls = tls_[listener];
  arrival.tls_required = demands_[listener].tls;
  arrival.asks_for_clear_password = demands_[listener].clear_password;
  has_header ? await_header(id, std::move(arrival)) : begin_session(id, std::move(arrival));
}

bool Worker::is_balancer(std::size_t listener, const net::Accepted& accepted) const {
  const std::vector<Network>& networks = demands_[listener].balancers;
  return std::any_of(networks.begin(), networks.end(), [&](const Network& one) {
    return one.contains(net::address_of(accepted.peer));
  });
}

session::PendingClient& Worker::pending(std::uint32_t id) {
  const auto peer = peers_.find(id);
  if (peer != peers_.end()) return *peer->second;
  return *sessions_.at(id);
}

void Worker::await_header(std::uint32_t id, session::AcceptedClient arrival) {
  auto peer = std::make_unique<ProxyPeer>(
      loop_, id, std::move(arrival), [this](std::uint32_t come) { on_header(come); },
      [this](std::uint32_t gone, session::LoginFailure why) {
        shared_.logins.failures[why].add();
        forget_peer(gone);
        shared_.process.clients.sub();
      });
  peer->start(environment_.login_timeout);
  peers_[id] = std::move(peer);
}

void Worker::on_header(std::uint32_t id) {
  session::AcceptedClient arrival = peers_.at(id)->take_accepted_client();
  const bool has_place = pending_.try_move(id, *arrival.place, arrival.network);
  forget_peer(id);
  if (has_place) return begin_session(id, std::move(arrival));
  const std::string told = refusal();
  (void)::send(arrival.fd.get(), told.data(), told.size(), MSG_NOSIGNAL);
  shared_.process.clients.sub();
}

void Worker::forget_peer(std::uint32_t id) {
  const auto found = peers_.find(id);
  loop_.retire(std::move(found->second));  // we are in its callback
  peers_.erase(found);
}

void Worker::drop_peers() {
  for (std::size_t i = 0; i < peers_.size(); ++i)
    shared_.process.clients.sub();
  peers_.clear();
}

void Worker::begin_session(std::uint32_t id, session::AcceptedClient arrival) {
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
  found->second->leave_place();
  loop_.retire(std::move(found->second));  // we are in its callback
  sessions_.erase(found);
  session_count_.store(sessions_.size(), std::memory_order_relaxed);
  shared_.process.clients.sub();
}

void Worker::set_accepting(bool on) {
  loop_.post([this, on] {
    for (const Listening& one : listeners_)
      on ? one.listener->resume() : one.listener->pause();
  });
}

void Worker::drain() {
  loop_.post([this] {
    environment_.draining = true;
    listeners_.clear();
    drop_peers();
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
