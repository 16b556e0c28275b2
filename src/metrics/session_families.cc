#include "families.h"

namespace tidepool::metrics {
namespace {

using session::CommandStats;
using session::LoginStats;
using session::ProofStats;
using session::SessionStats;

// clang-format off
constexpr auto kSessionFamilies = std::to_array<FamilyRow<SessionStats>>({
  gauge<&SessionStats::sessions>({"tidepool_sessions",
    "Clients past their login, by what their session is doing"}, "state"),
  counter<&SessionStats::opened>({"tidepool_sessions_opened_total",
    "Logins that succeeded"}),
  counter<&SessionStats::closed>({"tidepool_sessions_closed_total",
    "Sessions that ended"}),
  counter<&SessionStats::pins>({"tidepool_pins_total",
    "Times that a session had to keep its lease, by reason"}, "reason"),
  gauge<&SessionStats::pinned>({"tidepool_pinned_sessions",
    "Sessions that keep their lease now; one may have several reasons"}, "reason"),
  counter<&SessionStats::queries>({"tidepool_queries_total",
    "Commands answered, by kind and by what the client was told"}, "command", "outcome"),
  counter<&SessionStats::answered_locally>({"tidepool_queries_answered_locally_total",
    "Commands that needed no backend"}),
  counter<&SessionStats::prepares>({"tidepool_prepares_total",
    "COM_STMT_PREPAREs answered, by who knew"}, "source"),
  counters<&SessionStats::prepares_refused_by_session, &SessionStats::prepares_refused_by_pool>({
    "tidepool_prepares_refused_total",
    "Prepares, as text too, refused with error 1461 for what the statements take, by limit"}, "limit", {"session", "pool"}),
  histogram<&SessionStats::query_duration>({"tidepool_query_duration_seconds",
    "Command received to answer sent, waits for a lease included"}),
  histogram<&SessionStats::backend_duration>({"tidepool_query_backend_duration_seconds",
    "Command sent to TiDB to its answer complete"}),
  counter<&SessionStats::retries>({"tidepool_retries_total",
    "Commands run again because their first run surely had no effect"}, "reason"),
  counter<&SessionStats::replays>({"tidepool_replays_total",
    "Transactions that were to be replayed after their backend was lost",
    "Only of users with `replay`"}, "result"),
  counter<&SessionStats::unknown_outcomes>({"tidepool_unknown_outcomes_total",
    "Statements of which nobody knows whether they were executed"}),
  counter<&SessionStats::timeouts>({"tidepool_timeouts_total",
    "Statements stopped, and connections ended, by the limit that had passed"}, "kind"),
  counter<&SessionStats::client>({"tidepool_client_bytes_total",
    "Bytes exchanged with clients, without TLS and TCP overhead"}, "direction"),
  counter<&SessionStats::backend>({"tidepool_backend_bytes_total",
    "Bytes exchanged with TiDB, without TLS and TCP overhead"}, "direction"),
});

constexpr auto kLoginFamilies = std::to_array<FamilyRow<LoginStats>>({
  counter<&LoginStats::accepted>({"tidepool_client_connections_total",
    "Client connections accepted, whatever became of them"}),
  counter<&LoginStats::failures>({"tidepool_login_failures_total",
    "Clients that did not get past their login, and COM_CHANGE_USERs that were denied, by reason"}, "reason"),
  counter<&LoginStats::users>({"tidepool_logins_total",
    "Clients that proved to be a user of the configuration, COM_CHANGE_USERs too, by what they proved it"}, "user", "proof"),
  gauge<&LoginStats::pending>({"tidepool_pending_logins",
    "Client connections open that have not logged in yet"}),
  gauge<&LoginStats::max_pending>({"tidepool_pending_logins_max",
    "Client connections allowed that have not logged in yet",
    "See `max_pending_logins`"}),
  counter<&LoginStats::delayed>({"tidepool_login_refusals_delayed_total",
    "Wrong passwords whose refusal waited, as there had been others of late",
    "See `failed_login_delay`"}),
});

constexpr auto kProofFamilies = std::to_array<FamilyRow<ProofStats>>({
  counter<&ProofStats::proofs>({"tidepool_passthrough_proofs_total",
    "Passwords of users that are not listed, which TiDB was to judge, by what came of it",
    "See `passthrough`: `right`, `wrong`, `failed` (TiDB could not be asked), `busy` (too many "
    "waited), `remembered` (it was not asked again)"}, "result"),
  gauge<&ProofStats::users>({"tidepool_passthrough_users",
    "Users that are not listed and have a pool now"}),
});

constexpr auto kCommandFamilies = std::to_array<FamilyRow<CommandStats>>({
  gauge<&CommandStats::bytes>({"tidepool_command_bytes",
    "Memory that large commands on their way take, of all clients",
    "See `command_memory`"}),
  gauge<&CommandStats::waiting>({"tidepool_commands_waiting",
    "Clients whose large command waits for memory"}),
  counter<&CommandStats::waits>({"tidepool_command_waits_total",
    "Times that a large command had to wait for memory"}),
  counter<&CommandStats::refused>({"tidepool_commands_refused_total",
    "Large commands refused with error 1153 for the memory that they take, or with 1105 for that of their statements, by "
    "reason"}, "reason"),
});
// clang-format on

}  // namespace

FamilyRows<SessionStats> session_families() {
  return kSessionFamilies;
}

FamilyRows<LoginStats> login_families() {
  return kLoginFamilies;
}

FamilyRows<ProofStats> proof_families() {
  return kProofFamilies;
}

FamilyRows<CommandStats> command_families() {
  return kCommandFamilies;
}

}  // namespace tidepool::metrics
