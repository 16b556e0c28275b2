// What a session gets from its worker: the loop, the pools, the users, the limits. Owned by the
// worker; outlives its sessions; one worker's thread, except what is atomic.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/base/network.h"
#include "tidepool/net/loop.h"
#include "tidepool/net/tls_context.h"
#include "tidepool/pool/worker_pool.h"
#include "tidepool/protocol/compression.h"
#include "tidepool/protocol/decoys.h"
#include "tidepool/protocol/passwords.h"
#include "tidepool/protocol/server_handshake.h"
#include "tidepool/session/client_identity.h"
#include "tidepool/session/command_memory.h"
#include "tidepool/session/failed_logins.h"
#include "tidepool/session/login_key.h"
#include "tidepool/session/password_checks.h"
#include "tidepool/session/password_proofs.h"
#include "tidepool/session/prepare_cache.h"
#include "tidepool/session/registry.h"
#include "tidepool/session/session_stats.h"
#include "tidepool/tracking/global_settings.h"
#include "tidepool/tracking/prepared_bytes.h"

namespace tidepool::session {

// Databases that were found usable lately, so that a login need not ask TiDB each time.
class KnownDatabases {
 public:
  bool knows(const std::string& name, TimePoint now) const;
  void add(const std::string& name, TimePoint now);

 private:
  std::unordered_map<std::string, TimePoint> seen_;
};

// A pool as sessions of one worker use it.
struct PoolAccess {
  std::string name;
  pool::WorkerPool* pool = nullptr;
  SessionStats* stats = nullptr;
  Duration timeout = std::chrono::seconds(30);       // for a lease
  Duration retry_budget = std::chrono::seconds(10);  // see decide() in retry.h
  Duration control_timeout = std::chrono::seconds(10);
  bool limits_leases_by_database = false;
  unsigned max_sessions_per_database = 0;  // 0: any number
  KnownDatabases databases;
  PrepareCache* prepares = nullptr;                       // all workers'
  tracking::PoolPreparedBytes* prepared_bytes = nullptr;  // likewise
};

// By the configuration; 0: as long as it likes.
struct Timeouts {
  Duration query{};             // a statement, from when it is handed to TiDB
  Duration idle_transaction{};  // the client, in a transaction
  Duration client_idle{};       // the client
};

// A user of the configuration.
struct Account {
  std::optional<protocol::Passwords> passwords;  // nothing: none lets this user in
  unsigned passwords_version = 0;                // changes with them, but not with what is learnt
  Trusted trusted;                               // who needs none
  PoolAccess* pool = nullptr;
  std::string database;                   // when the login names none; empty: none
  bool is_passed_through = false;         // not of the configuration: TiDB judges its password
  bool is_removed = false;                // from the configuration: its sessions end when they can
  bool retries = true;                    // what surely had no effect is run again when it failed
  std::size_t replay_bytes = 0;           // kept of a transaction to replay it; 0: none is replayed
  std::uint64_t max_prepared_memory = 0;  // of one session's statements; 0: any
  std::uint64_t key = 0;                  // of the name, the same on all workers
  Timeouts timeouts;
  unsigned max_sessions = 0;      // 0: any number
  unsigned max_leases = 0;        // likewise
  bool may_kill = false;          // what other users run
  std::vector<Network> networks;  // where its clients may be, over TCP; empty: anywhere
  UserLogins* logins = nullptr;   // of all workers; null: nobody counts
};

struct Environment {
  explicit Environment(net::Loop& worker_loop) : loop(worker_loop) {}

  net::Loop& loop;
  std::unordered_map<std::string, Account> accounts;
  std::vector<std::unique_ptr<PoolAccess>> pools;
  LoginStats* logins = nullptr;
  Registry* registry = nullptr;                         // shared by all workers
  tracking::GlobalSettings* global_settings = nullptr;  // likewise
  CommandMemory* command_memory = nullptr;              // likewise; null: no limit
  unsigned worker = 0;                                  // this one's index
  LoginKey* login_key = nullptr;                        // shared by all workers
  PasswordChecks* password_checks = nullptr;            // likewise
  PasswordProofs* password_proofs = nullptr;            // likewise
  bool passes_through = false;  // users that the configuration does not list may ask TiDB
  protocol::Decoys decoys;
  FailedLogins* failed_logins = nullptr;  // shared by all workers; null: no refusal waits
  Duration login_timeout = std::chrono::seconds(10);
  Duration failed_login_delay{};                        // the longest
  Duration client_stall_timeout{};                      // 0: no limit
  Duration disconnect_grace = std::chrono::seconds(5);  // see departure.h
  std::minstd_rand random{std::random_device{}()};      // for delays
  bool draining = false;

  Account* find_account(std::string_view name);
  // As learnt from TiDB; before that a version that drivers take for a recent TiDB.
  std::string server_version() const;
};

}  // namespace tidepool::session
