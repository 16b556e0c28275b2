// One worker of the proxy with one pool, its clients and its backends, all on the calling thread
// and on a clock that is told to go on: socket pairs in the place of the network, a scripted dial
// in the place of Connector/C's.
//
// It does what proxy::Worker does for its sessions. `next` is called once a turn of the loop; what
// has arrived meanwhile was taken before.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "scripted_backend.h"
#include "scripted_client.h"
#include "scripted_dial.h"
#include "tidepool/net/loop.h"
#include "tidepool/pool/worker_pool.h"
#include "tidepool/session/environment.h"
#include "tidepool/session/prepare_cache.h"
#include "tidepool/session/session.h"

namespace tidepool::fuzz {

// What is different from one input to the next, by the input's first bytes.
struct Settings {
  pool::Limits limits;
  Duration timeout = std::chrono::seconds(30);
  session::Timeouts timeouts;
  Duration prepare_cache_ttl{};
  std::size_t max_prepared = 256;
  unsigned max_leases = 0;
  unsigned max_sessions = 0;
  bool limits_leases_by_database = false;
  bool retries = true;
};

class SessionWorld {
 public:
  static constexpr std::size_t kClients = 3;

  explicit SessionWorld(const Settings& settings);
  SessionWorld(const SessionWorld&) = delete;
  SessionWorld& operator=(const SessionWorld&) = delete;
  ~SessionWorld();

  // Calls `next` in each turn until it says false.
  void run(std::function<bool()> next);

  ScriptedClient* client(std::size_t slot) { return clients_[slot].get(); }
  void connect(std::size_t slot, const LoginOptions& options, bool is_unix);
  ScriptedBackend* backend(std::size_t number);  // of those that are open; null: there is none
  Dialler& dialler() { return dialler_; }
  pool::WorkerPool& pool() { return *pool_; }
  session::Session* session_of(std::size_t slot);

  void plan(Answer answer) { plans_.push_back(std::move(answer)); }
  void hold(bool on) { is_held_ = on; }  // commands wait for answer_one()
  void answer_one(std::size_t backend);
  void kill(std::uint32_t session, session::KillKind kind) { registry_.kill(session, kind); }
  void remove_user(const std::string& name);
  void add_user(const std::string& name);
  void set_size(unsigned size);  // of the pool, as a reload does
  void drain_sessions();

  // The script is over: backends answer everything, and dials succeed.
  void let_go();
  // What the script took away is there again: limits, a pool that is not drained.
  void restore();
  bool has_sessions() const { return !sessions_.empty(); }
  std::uint64_t commands_done() const;  // of all clients
  pool::BrokerCounts counts() const { return broker_.counts(); }
  void check_gauges() const;  // once all sessions are gone

 private:
  void turn();
  void serve_backends();
  void take_server(net::UniqueFd server);
  void on_closed(std::uint32_t id);

  const Settings settings_;
  unsigned greatest_cap_;
  net::Loop loop_;
  pool::PoolStats pool_stats_;
  session::SessionStats stats_;
  session::PasswordChecks password_checks_;
  session::LoginStats logins_;
  session::Registry registry_;
  tracking::GlobalSettings global_settings_;
  session::PrepareCache prepares_;
  pool::SharedBroker broker_;
  Dialler dialler_;
  session::Environment environment_;
  std::unique_ptr<pool::WorkerPool> pool_;
  std::vector<std::unordered_map<std::string, session::Account>> removed_;
  std::unordered_map<std::uint32_t, std::unique_ptr<session::Session>> sessions_;
  std::array<std::unique_ptr<ScriptedClient>, kClients> clients_;
  std::vector<std::unique_ptr<ScriptedBackend>> backends_;
  std::deque<Answer> plans_;
  bool is_held_ = false;
  std::uint32_t next_session_ = 1;
  unsigned next_backend_ = 1000;
  std::function<bool()> next_;
  std::unique_ptr<net::Deferred> script_;
};

}  // namespace tidepool::fuzz
