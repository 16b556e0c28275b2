// Worker: one event loop on one thread, with its listeners, its share of each pool, and its
// clients' sessions. Workers share nothing but the brokers.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "pending_logins.h"
#include "proxy_peer.h"
#include "shared_state.h"
#include "tidepool/net/listener.h"
#include "tidepool/net/loop.h"
#include "tidepool/proxy/handover.h"
#include "tidepool/session/environment.h"
#include "tidepool/session/session.h"

namespace tidepool::proxy {

// Descriptors by the listener's number in the configuration.
using Sockets = std::vector<std::vector<int>>;

// What the process before this one has given for a listener; each worker takes its own.
struct InheritedSockets {
  std::vector<net::UniqueFd> sockets;
  // Of a port that is bound because there are none: whether that process listens on it too, at
  // another address.
  net::Port owner = net::Port::kOwn;
};
using Inherited = std::vector<InheritedSockets>;  // by the listener's number in the configuration

class Worker {
 public:
  Worker(SharedState& shared, unsigned index);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // Before start(), on the main thread: listens on this worker's inherited sockets; where there is
  // none, binds what the configuration says, or shares what `first` has bound.
  Result<void> listen(const Worker* first, Inherited& inherited);
  void hold_back();  // no client is let in before let_in()
  std::vector<std::string> addresses() const;
  pool::WorkerPool* pool(std::size_t number) { return pools_[number].get(); }
  void set_peers(std::size_t pool, std::vector<pool::WorkerPool*> peers);

  void start();

  // On the worker's thread (see call()), or before it runs.
  void add_pools();  // those that the shared state has and this worker has not
  void apply(const config::Config& config, const ListenerTls& tls,
             const std::vector<std::size_t>& replaced);
  void let_in();
  Sockets sockets() const;
  void hand_over();  // another process listens on; let_in() takes that back
  std::vector<PoolUsage> pool_usage() const;
  void start_pools(std::size_t from);  // the first worker's clock of those from that number on
  void drain_pool(std::size_t number) { pools_[number]->drain(); }
  void resume_pool(std::size_t number) { pools_[number]->resume(); }

  // From the main thread; each takes effect on the worker's.
  // Waits until `task` has run on the worker's thread, which must be running.
  void call(const std::function<void()>& task);
  void set_accepting(bool on);
  void drain();           // no more clients; sessions end when they can
  void close_sessions();  // now
  void drain_pools();
  void stop();  // ends the thread; then join()
  void join();

  std::size_t sessions() const { return session_count_.load(std::memory_order_relaxed); }
  bool has_backends() const { return has_backends_.load(std::memory_order_relaxed); }

 private:
  struct Listening {
    std::size_t number;  // of the listener in the configuration
    std::unique_ptr<net::Listener> listener;
  };

  Result<void> inherit(std::size_t number, std::vector<net::UniqueFd>& sockets);
  Result<std::unique_ptr<net::Listener>> make_listener(std::size_t number, const Worker* first,
                                                       net::Port owner);
  void add_listener(std::size_t number, std::unique_ptr<net::Listener> listener);
  const net::Listener* find_listener(std::size_t number) const;
  void set_users(const config::Config& config);
  void run();
  void on_accept(std::size_t listener, net::Accepted accepted);
  bool is_balancer(std::size_t listener, const net::Accepted& accepted) const;
  session::PendingClient& pending(std::uint32_t id);
  void await_header(std::uint32_t id, session::AcceptedClient arrival);
  void on_header(std::uint32_t id);
  void forget_peer(std::uint32_t id);
  void drop_peers();
  void begin_session(std::uint32_t id, session::AcceptedClient arrival);
  void on_closed(std::uint32_t session);
  void watch_backends();

  SharedState& shared_;
  const unsigned index_;
  net::Loop loop_;
  session::Environment environment_;
  // Of users that the configuration no longer has, while sessions may use them.
  using RemovedAccounts = std::vector<std::unordered_map<std::string, session::Account>>;
  RemovedAccounts removed_accounts_;
  // What a listener asks of its clients.
  struct Demands {
    bool tls = false;
    bool clear_password = false;
    std::vector<Network> balancers;  // whose connections begin with a PROXY header
  };
  std::vector<Demands> demands_;  // one a listener
  Duration client_keepalive_{};   // 0: none
  ListenerTls tls_;
  std::vector<std::unique_ptr<pool::WorkerPool>> pools_;
  std::vector<Listening> listeners_;  // perhaps several of one number
  PendingLogins pending_;
  std::unordered_map<std::uint32_t, std::unique_ptr<ProxyPeer>> peers_;  // until they are sessions
  std::unordered_map<std::uint32_t, std::unique_ptr<session::Session>> sessions_;
  std::unique_ptr<net::Timer> watch_;
  std::atomic<std::size_t> session_count_ = 0;
  std::atomic<bool> has_backends_ = true;
  std::thread thread_;
};

}  // namespace tidepool::proxy
