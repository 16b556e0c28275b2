#include "dialler.h"

#include <algorithm>
#include <utility>

#include "first_look.h"
#include "tidepool/base/check.h"
#include "tidepool/base/log.h"
#include "tidepool/pool/worker_pool.h"

namespace tidepool::pool {
namespace {

constexpr std::uint64_t kFoundRows = 1;
constexpr std::uint64_t kInteractive = 2;
constexpr std::uint64_t kLocalFiles = 4;
constexpr unsigned kCollationShift = 8;  // above it: the handshake's collation, 0 for the usual one

backend::ConnectionProfile profile_of(std::uint64_t key) {
  backend::ConnectionProfile profile;
  profile.found_rows = (key & kFoundRows) != 0;
  profile.interactive = (key & kInteractive) != 0;
  profile.local_files = (key & kLocalFiles) != 0;
  const std::uint64_t collation = key >> kCollationShift;
  if (collation != 0) profile.collation = static_cast<std::uint8_t>(collation);
  return profile;
}

// A client must not take it for a refusal of its own account. A gateway's 1105 speaks for itself.
Error explained(Error error, const WorkerPoolOptions& options) {
  constexpr std::uint16_t kUnknownError = 1105;
  if (error.code != Code::kAuth || error.mysql_errno == 0 || error.mysql_errno == kUnknownError) {
    return error;
  }
  error.message = "TiDB refuses user '" + options.dial.user + "' of the pool '" + options.name +
                  "': " + error.message;
  return error;
}

}  // namespace

std::uint64_t profile_key(const backend::ConnectionProfile& profile) {
  const std::uint64_t collation =
      profile.collation == backend::ConnectionProfile{}.collation ? 0 : profile.collation;
  return (profile.found_rows ? kFoundRows : 0) | (profile.interactive ? kInteractive : 0) |
         (profile.local_files ? kLocalFiles : 0) | collation << kCollationShift;
}

void Dialler::start(const DialOrder& order) {
  backend::DialOptions options = options_.dial;
  options.profile = profile_of(order.profile);
  TIDEPOOL_CHECK(order.endpoint < options.endpoints.size());
  if (options.endpoints.size() > 1) {
    // One that swallows packets leaves the waiters time for the others.
    options.accept_timeout = options.connect_timeout / options.endpoints.size();
    options.endpoints = {options.endpoints[order.endpoint]};
  }
  Dialling& dialling = dials_[order.dial];
  dialling.endpoint = order.endpoint;
  dialling.begun = Clock::now();
  dialling.handle = backend::dial(
      loop_, std::move(options),
      [this, dial = order.dial](auto result) { on_dialled(dial, std::move(result)); });
}

void Dialler::on_dialled(DialId dial, Result<std::unique_ptr<backend::Connection>> result) {
  PoolStats& stats = broker_.stats();
  stats.dial_duration.observe(Clock::now() - dials_.at(dial).begun);
  if (!result) {
    stats.count_dial(dials_.at(dial).endpoint, dial_result_of(result.error()));
    return fail(dial, result.error());
  }
  Dialling& dialling = dials_.at(dial);
  dialling.pooled = std::make_unique<PooledConnection>(owner_, std::move(*result),
                                                       sql::SessionState{}, options_.max_prepared);
  PooledConnection& pooled = *dialling.pooled;
  pooled.connection->attach(loop_, &pooled);
  // Part of the dial: who allows that little time does not want to wait longer for this.
  const Duration limit =
      std::min<Duration>(options_.control_timeout, options_.dial.connect_timeout);
  pooled.call =
      pooled.connection->query(FirstLook::kStatement, limit,
                               [this, dial](const auto& answer) { on_inspected(dial, answer); });
}

void Dialler::on_inspected(DialId dial, const Result<backend::QueryResult>& answer) {
  const auto found = dials_.find(dial);
  const EndpointIndex endpoint = found->second.endpoint;
  const Result<FirstLook> look = FirstLook::read(answer, found->second.pooled->connection->info());
  if (!look) {
    broker_.stats().count_dial(endpoint, dial_result_of(look.error()));
    return fail(dial, look.error());
  }
  broker_.stats().count_dial(endpoint, DialResult::kOk);
  std::unique_ptr<PooledConnection> pooled = std::move(found->second.pooled);
  dials_.erase(found);
  pooled->endpoint = endpoint;
  const backend::ServerInfo& server = pooled->connection->info();
  pooled->tidb_connection = look->tidb_connection;
  const sql::Handshake handshake{.collation_id = pooled->connection->profile().collation};
  pooled->model.actual = sql::SessionState(handshake, look->baseline);
  log::debug("backend opened", {{"pool", options_.name},
                                {"peer", server.peer},
                                {"tls", server.tls_version},
                                {"tidb_connection", pooled->tidb_connection}});
  if (const unsigned times = failed_dials_.end(); times > 0)
    log::info("dials succeed again", {{"pool", options_.name}, {"failures_not_logged", times}});
  broker_.set_info({server, look->baseline});
  admit_(dial, std::move(pooled));
}

void Dialler::fail(DialId dial, const Error& reason) {
  const Error error = explained(reason, options_);
  if (const auto times = failed_dials_.note(error.message, loop_.now())) {
    log::warn("dial failed", {{"pool", options_.name},
                              {"reason", to_string(error.code)},
                              {"error", error.message},
                              {"times", *times}});
  }
  using SystemClock = std::chrono::system_clock;
  broker_.stats().last_dial_error_time.set(SystemClock::to_time_t(SystemClock::now()));
  const auto found = dials_.find(dial);
  // None: the dial itself failed.
  std::unique_ptr<PooledConnection> pooled = std::move(found->second.pooled);
  dials_.erase(found);
  if (pooled != nullptr) pooled->connection->stream().set_sink(nullptr);
  loop_.retire(std::move(pooled));  // we may be in its callback
  broker_.with([&](Broker& broker, Orders& orders) {
    broker.dial_failed(dial, error, loop_.now(), orders);
  });
}

}  // namespace tidepool::pool
