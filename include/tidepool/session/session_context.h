// SessionContext: what the parts of one session share: its two ends, what is known of it, and who
// its client is.
//
// Owned by the session, whose parts refer to it; on its loop's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tidepool/protocol/login_messages.h"
#include "tidepool/protocol/text_result.h"
#include "tidepool/session/backend_channel.h"
#include "tidepool/session/client_command.h"
#include "tidepool/session/client_connection.h"
#include "tidepool/session/environment.h"
#include "tidepool/session/kill_reach.h"
#include "tidepool/session/status.h"
#include "tidepool/tracking/command_context.h"
#include "tidepool/tracking/prepared_bytes.h"
#include "tidepool/tracking/session_model.h"

namespace tidepool::session {

// How a client's answer came about, for the statistics.
enum class Source : std::uint8_t { kBackend, kProxy };

struct SessionContext {
  SessionContext(Environment& environment_of_worker, std::uint32_t session_id, net::UniqueFd fd,
                 net::StreamSink* sink, ClientEvents& events);

  // The client has logged in, and is this user's from now on.
  void begin_as(Account& new_account, const protocol::LoginRequest& login);
  // Requires that the client has logged in, as what follows.
  PoolAccess& access() const { return *account->pool; }
  SessionStats& stats() const { return *account->pool->stats; }
  KillReach kill_reach() const { return {environment, *account, user}; }

  // The client's answers.
  void send_ok();       // to a statement that the proxy executed
  void send_last_ok();  // to what is no statement
  bool send_result(const std::optional<protocol::TextResult>& result);
  // In the place of TiDB, which would remember the error.
  void refuse(const Error& error);
  // A statement that the proxy answers in the place of TiDB begins.
  void note_local_statement();

  // A command is over.
  void count_command(const ClientCommand& command, Source source, bool failed) const;

  void set_pins(sql::PinReasons pins);
  // To be called after whatever may have changed the model's pins.
  void count_pins() { status.count_pins(model.pins); }
  bool has_lease() const { return backend.has_lease(); }
  pool::LeaseRequest request(const Account& user_account, std::string_view database) const;
  // For a command of the session, on its backend.
  tracking::CommandContext command_context(tracking::Command& command);
  // Returns false if no commands can bring this backend to the session's state.
  [[nodiscard]] bool plan(tracking::Command& command);
  void count_captures(const tracking::Command& command);
  void close_on_backend(const std::vector<std::uint32_t>& ids);
  // A transaction keeps the schema that it began with.
  const tracking::SchemaView& schema_view(const tracking::Command& command) const;
  PrepareCache& prepare_cache() const { return *account->pool->prepares; }

  void end_lease(pool::Release how) {
    const bool is_unclean = std::exchange(model.shows_read_time, false);
    backend.release(is_unclean && how == pool::Release::kClean ? pool::Release::kReset : how);
  }
  // The client leaves or starts anew: what its session carries must not reach the next one.
  void release_lease();
  // TiDB is gone at its other end, and with it what only that backend knew.
  void drop_lease();

  Environment& environment;
  const std::uint32_t id;
  Status status;
  ClientConnection client;
  tracking::PreparedBytes prepared_bytes;  // before all that has a share of them
  tracking::SessionModel model;
  Account* account = nullptr;  // null before the login
  std::string user;
  std::uint32_t capabilities = 0;
  std::uint64_t profile = 0;
  BackendChannel backend;  // last: what waits for a lease refers to the session
};

}  // namespace tidepool::session
