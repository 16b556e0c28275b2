#include "families.h"

namespace tidepool::metrics {

using session::SessionStats;

namespace {

using session::CommandKind;
using session::Outcome;

void add_queries(Family family, const Parts<SessionStats>& parts, CommandKind command) {
  for (const Outcome outcome : {Outcome::kOk, Outcome::kError}) {
    const double total = sum(parts, [&](const SessionStats& s) -> const Counter& {
      return s.queries[command][outcome];
    });
    family.value(
        {{"pool", parts.pool}, {"command", to_string(command)}, {"outcome", to_string(outcome)}},
        total);
  }
}

void add_queries(Family family, const AllParts<SessionStats>& pools) {
  using Commands = decltype(SessionStats::queries);
  for (const auto& parts : pools) {
    for (std::size_t i = 0; i < Commands::size(); ++i)
      add_queries(family, parts, Commands::key(i));
  }
}

void add_traffic(Family family, const AllParts<SessionStats>& pools,
                 session::Traffic SessionStats::*side) {
  for (const auto& parts : pools) {
    const double received =
        sum(parts, [&](const SessionStats& s) -> const Counter& { return (s.*side).received; });
    const double sent =
        sum(parts, [&](const SessionStats& s) -> const Counter& { return (s.*side).sent; });
    family.value({{"pool", parts.pool}, {"direction", "received"}}, received);
    family.value({{"pool", parts.pool}, {"direction", "sent"}}, sent);
  }
}

void add_refused(Family family, const AllParts<SessionStats>& pools, const char* limit,
                 Counter SessionStats::*member) {
  for (const auto& parts : pools) {
    const double total =
        sum(parts, [&](const SessionStats& s) -> const Counter& { return s.*member; });
    family.value({{"pool", parts.pool}, {"limit", limit}}, total);
  }
}

}  // namespace

void add_session_families(Page& page, const AllParts<SessionStats>& pools) {
  by_enum(
      page.gauge("tidepool_sessions", "Clients past their login, by what their session is doing."),
      pools, "state", &SessionStats::sessions);
  by_pool(page.counter("tidepool_sessions_opened_total", "Logins that succeeded."), pools,
          &SessionStats::opened);
  by_pool(page.counter("tidepool_sessions_closed_total", "Sessions that ended."), pools,
          &SessionStats::closed);
  by_enum(
      page.counter("tidepool_pins_total", "Times that a session had to keep its lease, by reason."),
      pools, "reason", &SessionStats::pins);
  by_enum(page.gauge("tidepool_pinned_sessions",
                     "Sessions that keep their lease now; one may have several reasons."),
          pools, "reason", &SessionStats::pinned);

  add_queries(page.counter("tidepool_queries_total",
                           "Commands answered, by kind and by what the client was told."),
              pools);
  by_pool(
      page.counter("tidepool_queries_answered_locally_total", "Commands that needed no backend."),
      pools, &SessionStats::answered_locally);
  by_enum(page.counter("tidepool_prepares_total", "COM_STMT_PREPAREs answered, by who knew."),
          pools, "source", &SessionStats::prepares);
  Family refused = page.counter("tidepool_prepares_refused_total",
                                "Prepares refused for what statements take, by limit.");
  add_refused(refused, pools, "session", &SessionStats::prepares_refused_by_session);
  add_refused(refused, pools, "pool", &SessionStats::prepares_refused_by_pool);
  by_pool(page.histogram("tidepool_query_duration_seconds",
                         "Command received to answer sent, waits included."),
          pools, &SessionStats::query_duration);
  by_pool(page.histogram("tidepool_query_backend_duration_seconds",
                         "Command sent to TiDB to its answer complete."),
          pools, &SessionStats::backend_duration);
  by_enum(page.counter("tidepool_retries_total",
                       "Commands run again because their first run surely had no effect."),
          pools, "reason", &SessionStats::retries);
  by_enum(page.counter("tidepool_replays_total",
                       "Transactions that were to be replayed after their backend was lost."),
          pools, "result", &SessionStats::replays);
  by_pool(page.counter("tidepool_unknown_outcomes_total",
                       "Statements of which nobody knows whether they were executed."),
          pools, &SessionStats::unknown_outcomes);
  by_enum(page.counter("tidepool_timeouts_total",
                       "Statements stopped, and connections ended, by the limit that had passed."),
          pools, "kind", &SessionStats::timeouts);
  add_traffic(page.counter("tidepool_client_bytes_total",
                           "Bytes exchanged with clients, without TLS and TCP overhead."),
              pools, &SessionStats::client);
  add_traffic(page.counter("tidepool_backend_bytes_total",
                           "Bytes exchanged with TiDB, without TLS and TCP overhead."),
              pools, &SessionStats::backend);
}

void add_login_families(Page& page, const session::LoginStats& logins) {
  page.counter("tidepool_client_connections_total",
               "Client connections accepted, whatever became of them.")
      .value({}, static_cast<double>(logins.accepted.value()));
  Family failures = page.counter("tidepool_login_failures_total",
                                 "Clients that did not get past their login, by reason.");
  using Failures = decltype(session::LoginStats::failures);
  for (std::size_t i = 0; i < Failures::size(); ++i) {
    const auto failure = Failures::key(i);
    failures.value({{"reason", to_string(failure)}},
                   static_cast<double>(logins.failures[failure].value()));
  }
  Family let_in = page.counter("tidepool_logins_total",
                               "Clients that proved to be a user, by what they proved it.");
  logins.users.for_each([&](const std::string& user, auto proof, const Counter& count) {
    let_in.value({{"user", user}, {"proof", to_string(proof)}}, static_cast<double>(count.value()));
  });
  page.gauge("tidepool_pending_logins", "Client connections open that have not logged in yet.")
      .value({}, static_cast<double>(logins.pending.value()));
  page.gauge("tidepool_pending_logins_max", "Such connections allowed.")
      .value({}, static_cast<double>(logins.max_pending.value()));
  page.counter("tidepool_login_refusals_delayed_total",
               "Wrong passwords whose refusal waited, as there had been others of late.")
      .value({}, static_cast<double>(logins.delayed.value()));
}

void add_proof_families(Page& page, const session::ProofStats& proofs) {
  Family results = page.counter("tidepool_passthrough_proofs_total",
                                "Passwords of users that TiDB was to judge, by what came of it.");
  using Results = decltype(session::ProofStats::proofs);
  for (std::size_t i = 0; i < Results::size(); ++i) {
    const auto result = Results::key(i);
    results.value({{"result", to_string(result)}},
                  static_cast<double>(proofs.proofs[result].value()));
  }
  page.gauge("tidepool_passthrough_users", "Users that are not listed and have a pool now.")
      .value({}, static_cast<double>(proofs.users.value()));
}

void add_command_families(Page& page, const session::CommandStats& commands) {
  page.gauge("tidepool_command_bytes", "Memory that large commands on their way take.")
      .value({}, static_cast<double>(commands.bytes.value()));
  page.gauge("tidepool_commands_waiting", "Clients whose large command waits for memory.")
      .value({}, static_cast<double>(commands.waiting.value()));
  page.counter("tidepool_command_waits_total", "Times that a large command had to wait for memory.")
      .value({}, static_cast<double>(commands.waits.value()));
  Family refused = page.counter("tidepool_commands_refused_total",
                                "Large commands refused for the memory that they take, by reason.");
  using Refused = decltype(session::CommandStats::refused);
  for (std::size_t i = 0; i < Refused::size(); ++i) {
    const auto why = Refused::key(i);
    refused.value({{"reason", to_string(why)}}, static_cast<double>(commands.refused[why].value()));
  }
}

}  // namespace tidepool::metrics
