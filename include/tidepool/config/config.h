// What Tidepool is told to do, as plain values: checked, with every default filled in and every
// secret read.
//
// Made by load.h from a file, a text or the environment; never changed afterwards. Every constraint
// that a comment names holds in a Config that load.h returns. The keys and their meanings for users
// are in docs/configuration.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tidepool/base/log.h"
#include "tidepool/base/network.h"
#include "tidepool/base/secret.h"

namespace tidepool::config {

using Milliseconds = std::chrono::milliseconds;

// TLS between a client and the proxy.
enum class ClientTlsMode : std::uint8_t { kOff, kOptional, kRequired };

// Whether a client shows a certificate of its own.
enum class VerifyClient : std::uint8_t { kOff, kOptional, kRequired };

struct ClientTls {
  ClientTlsMode mode = ClientTlsMode::kOff;
  std::string certificate;     // PEM file with the chain; set unless the mode is kOff
  std::string key;             // PEM file; set unless the mode is kOff
  std::string client_ca = {};  // PEM file with the CAs of clients' certificates; set unless
                               // verify_client is kOff
  VerifyClient verify_client = VerifyClient::kOff;

  bool operator==(const ClientTls&) const = default;
};

// Where clients connect: a TCP address, or a Unix socket if socket_path is not empty.
struct Listener {
  // An IP address or a name; without brackets; 0.0.0.0 or :: for all interfaces.
  std::string host = "127.0.0.1";
  std::uint16_t port = 6033;  // 0: the kernel chooses one (tests)
  std::string socket_path = {};
  std::uint32_t socket_mode = 0660;  // permission bits of the socket file
  ClientTls tls = {};
  bool clear_password = false;                        // asked for over TLS and on a Unix socket
  std::vector<Network> proxy_protocol_networks = {};  // peers there begin with a PROXY header

  [[nodiscard]] bool is_socket() const { return !socket_path.empty(); }
  bool operator==(const Listener&) const = default;
};

// The HTTP server of /metrics, /healthz and /readyz.
struct Http {
  bool enabled = true;
  std::string host = "127.0.0.1";
  std::uint16_t port = 6034;            // 0: the kernel chooses one (tests)
  std::vector<std::string> hosts = {};  // names by which it may be called besides addresses

  bool operator==(const Http&) const = default;
};

struct Log {
  log::Level level = log::Level::kInfo;
  log::Format format = log::Format::kText;

  bool operator==(const Log&) const = default;
};

// TLS between the proxy and TiDB.
enum class TlsMode : std::uint8_t {
  kVerifyIdentity,  // the chain and the host name are verified
  kVerifyCa,        // the chain is verified, the host name is not
  kRequired,        // encrypted, but nothing is verified
  kDisabled,        // plaintext; to another host than this one only with allow_plaintext
};
enum class TlsVersion : std::uint8_t { k12, k13 };

struct Tls {
  TlsMode mode = TlsMode::kVerifyIdentity;
  std::string ca;  // PEM file of the CAs to trust; empty: those of the system
  TlsVersion min_version = TlsVersion::k12;
  bool allow_plaintext = false;
  std::string server_public_key = {};  // PEM file with the key that TiDB's certificate must have;
                                       // empty: any

  bool operator==(const Tls&) const = default;
};

// One address of TiDB; a name may resolve to several.
struct Endpoint {
  std::string host;  // without brackets
  std::uint16_t port = 4000;

  bool operator==(const Endpoint&) const = default;
};

// Pauses between dials that fail: exponential from initial to max, with full jitter.
struct Backoff {
  Milliseconds initial{100};
  Milliseconds max{10'000};
  Milliseconds refused{5'000};  // the longest after a refusal of the account

  bool operator==(const Backoff&) const = default;
};

// The backends of one TiDB account. At most size + max_overflow of them exist, those being dialled
// included.
struct Pool {
  std::string name = "default";     // unique
  std::vector<Endpoint> endpoints;  // in order of preference; never empty
  std::string user;                 // with the cluster prefix, as TiDB wants it; empty: none, if
                                    // it is for passthrough only
  Secret password;                  // may be empty, if that was said explicitly
  std::string database;             // of sessions whose user and login name none; empty: none
  Tls tls;
  int size = 5;                   // 1 or more; opened on demand and kept
  int max_overflow = 10;          // 0 or more; opened when size are leased, closed when given back
  Milliseconds timeout{30'000};   // how long a client waits for a lease; 0: it does not wait
  Milliseconds recycle{300'000};  // age at which a backend is replaced; 0: never
  double recycle_jitter = 0.2;  // 0 to 0.9: each backend's age is recycle × (1 − jitter × random)
  Milliseconds idle_timeout{
      300'000};      // after which an idle backend beyond min_idle is closed; 0: never
  int min_idle = 0;  // 0 to size: idle ones kept ready; 0 lets the cluster scale to zero
  Milliseconds ping_interval{0};         // of idle backends; 0: never
  Milliseconds connect_timeout{20'000};  // for one dial: resolve, connect, TLS and login
  Milliseconds control_timeout{10'000};  // for an answer to what the proxy asks TiDB by itself
  int max_dials = 4;                     // under way at once; 1 or more
  int dial_rate = 20;                    // begun within any second; 1 or more
  int max_waiters = 0;                   // sessions queued for a lease; 0: no limit
  int max_leases_per_database = 0;       // of sessions in one database; 0: no limit
  int max_sessions_per_database = 0;     // logged in to one database; 0: no limit
  Backoff backoff;
  Milliseconds retry_budget{10'000};  // after a statement's arrival: how long it may be run again
  int max_prepared = 256;             // prepared statements kept on one backend; 1 or more
  Milliseconds prepare_cache_ttl{
      60'000};  // how long TiDB's answer to a prepare is given again; 0: off
  std::uint64_t max_prepared_memory = 256U
                                      << 20U;  // bytes of its sessions' statements; 0: no limit
  bool passthrough = false;        // for users that are not in the list; of one pool at most
  int max_passthrough_users = 20;  // at once, each with backends of its own; 1 or more
  Milliseconds passthrough_lifetime{600'000};  // of TiDB's word that a password is right

  bool operator==(const Pool&) const = default;
};

// What a client may take its time for; 0: as long as it likes.
struct Timeouts {
  Milliseconds query{0};             // a statement, from when TiDB gets it
  Milliseconds idle_transaction{0};  // silence in a transaction
  Milliseconds client_idle{0};       // silence

  bool operator==(const Timeouts&) const = default;
};

// Who may log in to the proxy, and where that leads. Exactly one of password and password_hash
// counts: the hash, if it is not empty. The same holds for the secondary ones.
struct User {
  std::string name;           // unique
  Secret password;            // may be empty, if that was said explicitly
  std::string password_hash;  // `*` and 40 hex digits (mysql_native_password) or `$A$005$…`
                              // (caching_sha2_password)
  std::string pool;           // the name of one of the pools
  std::string database;       // empty: the pool's
  bool has_password = true;   // false: none logs in, only what certificate_names and unix_users say
  bool has_secondary_password = false;  // which is as good as the other one
  Secret secondary_password = {};
  std::string secondary_password_hash = {};
  // A client that proves to be one of these needs no password: by a certificate that has the name
  // (its subject's common name, or a DNS, mail or URI name), or as the owner of a process on this
  // machine, at a Unix socket.
  std::vector<std::string> certificate_names = {};
  std::vector<std::string> unix_users = {};  // names or numbers
  std::vector<Network> networks = {};        // where it logs in from over TCP; empty: anywhere
  bool retry = true;            // what surely had no effect is run again when it failed
  bool replay = false;          // transactions too, if `retry` is on
  int replay_memory = 1 << 20;  // bytes, kept of one transaction for that; 1 or more
  int max_sessions = 0;         // at once; 0: no limit
  int max_leases = 0;           // at once; the others wait; 0: no limit
  std::uint64_t max_prepared_memory = 16U << 20U;  // bytes of a session's statements; 0: no limit
  bool may_kill = false;                           // what other users of the pool run
  Timeouts timeouts = {};                          // the user's, or else the top level's
  bool is_passed_through = false;  // not of the configuration: TiDB judges its password

  bool operator==(const User&) const = default;
};

struct Config {
  std::vector<Listener> listeners = {Listener{}};  // never empty
  Http http;
  Log log;
  bool reload_on_change = true;    // of the file, besides SIGHUP
  bool core_dumps = false;         // and debuggers of the same user
  int workers = 1;                 // event loops; 1 or more ("auto" is already counted out)
  int max_clients = 10'000;        // logged in; the next one gets error 1040
  std::uint64_t memory_limit = 0;  // resident bytes beyond which new clients wait; 0: none
  std::uint64_t command_memory = 256U << 20U;  // bytes of commands under way; 0: no limit
  Milliseconds login_timeout{10'000};          // from accept to the end of authentication
  Milliseconds failed_login_delay{
      5'000};                      // the longest wait of a wrong password's refusal; 0: none
  int max_pending_logins = 2'000;  // clients that have not logged in yet
  int max_pending_logins_per_address = 500;    // of those, at one address of another machine
  Milliseconds client_keepalive{60'000};       // silence before the first probe; 0: none
  Milliseconds client_stall_timeout{600'000};  // while a command waits for the client; 0: no limit
  Milliseconds disconnect_grace{5'000};        // for what runs when its client has gone
  Milliseconds drain_timeout{30'000};          // after SIGTERM: how long running work may take
  // After another process took over: how long the sessions of this one go on.
  Milliseconds takeover_timeout{300'000};
  Timeouts timeouts;            // of users without their own
  std::vector<Pool> pools;      // never empty
  std::vector<User> users;      // never empty, unless a pool has passthrough
  bool passes_through = false;  // one has

  // The pool of that name; null if there is none, which never happens for the pool of a user.
  [[nodiscard]] const Pool* find_pool(const std::string& name) const;

  bool operator==(const Config&) const = default;
};

// The name of a pool of users who pass through the pool `name`, by its number from 1. No pool of
// the configuration has such a name.
std::string passthrough_pool_name(const std::string& name, std::size_t number);

// What a start says about itself, a line a fact: what is listened on, which TiDB, how it is
// verified, how large the pools are, which users lead to which pool and database. Never a secret.
std::vector<std::string> summary(const Config& config);

}  // namespace tidepool::config
