// Serves the real exporter and HTTP server over statistics that look like a busy Tidepool, for
// tests of what reads them: the dashboard, the alert rules, the status page. Prints the port, then
// keeps counting until its standard input ends.
#include <chrono>
#include <iostream>
#include <poll.h>
#include <unistd.h>

#include "tidepool/admin/http_server.h"
#include "tidepool/admin/status_routes.h"
#include "tidepool/metrics/exporter.h"

namespace {

using namespace tidepool;
using std::chrono::microseconds;
using std::chrono::milliseconds;

struct Pool {
  pool::PoolStats pool;
  session::SessionStats sessions;
};

void set_up(Pool& pool) {
  using pool::BackendState;
  pool.pool.endpoints.push_back(std::make_unique<pool::EndpointStats>("127.0.0.1:4000"));
  pool.pool.endpoints.front()->backends.set(14);
  pool.pool.endpoints.front()->up.set(1);
  pool.pool.unavailable.set(1);
  pool.pool.cap.set(15);
  pool.pool.size.set(5);
  pool.pool.backends[BackendState::kIdle].set(2);
  pool.pool.backends[BackendState::kLeased].set(12);
  pool.pool.backends[BackendState::kDialling].set(1);
  pool.pool.waiters.set(4);
  pool.pool.prepared_bytes.set(3 << 20);
  pool.pool.last_dial_error_time.set(1'700'000'000);
  pool.sessions.opened.add(40);
  pool.sessions.sessions[session::SessionActivity::kIdle].set(24);
  pool.sessions.sessions[session::SessionActivity::kWaiting].set(4);
  pool.sessions.sessions[session::SessionActivity::kExecuting].set(10);
  pool.sessions.sessions[session::SessionActivity::kPinned].set(2);
  pool.sessions.pinned[session::PinReason::kTransaction].set(2);
}

// One turn of work: everything that counts grows, so that every rate is above zero.
void turn(Pool& pool) {
  using session::CommandKind;
  using session::Outcome;
  for (std::size_t i = 0; i < pool::kDialResults; ++i) {
    pool.pool.dials[decltype(pool.pool.dials)::key(i)].add();
    pool.pool.endpoints.front()->dials[decltype(pool.pool.dials)::key(i)].add();
  }
  for (std::size_t i = 0; i < pool::kRetireReasons; ++i) {
    pool.pool.retired[decltype(pool.pool.retired)::key(i)].add();
  }
  for (std::size_t i = 0; i < session::kPinReasons; ++i) {
    pool.sessions.pins[decltype(pool.sessions.pins)::key(i)].add();
  }
  for (int i = 0; i < 100; ++i) {
    pool.pool.leases.add();
    pool.pool.lease_wait.observe(microseconds(30 + i * i));
    pool.sessions.query_duration.observe(microseconds(400 + i * 20));
    pool.sessions.backend_duration.observe(microseconds(300 + i * 20));
  }
  pool.pool.lease_timeouts.add();
  pool.pool.waiters_refused.add();
  pool.pool.dial_duration.observe(milliseconds(12));
  pool.pool.restores.add(5);
  pool.pool.restore_statements.add(7);
  pool.pool.captures.add(2);
  pool.sessions.queries[CommandKind::kQuery][Outcome::kOk].add(60);
  pool.sessions.queries[CommandKind::kExecute][Outcome::kOk].add(30);
  pool.sessions.queries[CommandKind::kPrepare][Outcome::kOk].add(9);
  pool.sessions.queries[CommandKind::kQuery][Outcome::kError].add(1);
  pool.sessions.opened.add();
  pool.sessions.closed.add();
  pool.sessions.answered_locally.add(8);
  pool.sessions.retries[session::RetryReason::kLost].add(2);
  pool.sessions.timeouts[session::TimeoutKind::kQuery].add();
  for (std::size_t i = 0; i < session::kReplayResults; ++i) {
    pool.sessions.replays[decltype(pool.sessions.replays)::key(i)].add();
  }
  pool.sessions.unknown_outcomes.add();
  pool.sessions.prepares[session::PrepareSource::kMemory].add(3);
  pool.sessions.prepares_refused_by_session.add();
  pool.sessions.prepares_refused_by_pool.add();
  pool.sessions.client.received.add(12'000);
  pool.sessions.client.sent.add(90'000);
  pool.sessions.backend.received.add(90'000);
  pool.sessions.backend.sent.add(12'500);
}

bool input_has_ended() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char byte = 0;
  return poll(&input, 1, 100) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

}  // namespace

int main() {
  metrics::ProcessStats process;
  session::LoginStats logins;
  session::ProofStats proofs;
  Pool app;
  Pool reports;
  session::CommandStats commands;
  metrics::Exporter exporter{{.version = "fixture",
                              .process = &process,
                              .logins = &logins,
                              .proofs = &proofs,
                              .commands = &commands}};
  exporter.add_pool({.pool = "app", .stats = &app.pool, .sessions = {&app.sessions}});
  exporter.add_pool({.pool = "reports", .stats = &reports.pool, .sessions = {&reports.sessions}});
  exporter.set_certificates(
      {{.key = "tls.certificate", .listener = "0.0.0.0:6033", .expires = 4'000'000'000}});
  set_up(app);
  set_up(reports);
  process.workers.set(2);
  process.clients.set(80);
  process.max_clients.set(10'000);
  logins.pending.set(3);
  proofs.users.set(2);
  logins.max_pending.set(2'000);
  logins.users.show({{"app", {protocol::Proof::kPrimary, protocol::Proof::kSecondary}}});
  commands.bytes.set(40 << 20);
  commands.waiting.set(2);

  const auto status = [&] {
    admin::Status facts{.version = "fixture",
                        .readiness = {false, "this is the fixture of a test"}};
    for (auto& figures : exporter.summaries()) {
      facts.pools.push_back({std::move(figures), "db.example:4000", "certificate has expired"});
    }
    return facts;
  };
  auto server = admin::HttpServer::listen(
      {"127.0.0.1", 0}, admin::status_routes({[&] { return exporter.render(); },
                                              [&] { return status().readiness; }, status}));
  if (!server) {
    std::cerr << server.error().message << '\n';
    return 1;
  }
  (*server)->serve();
  std::cout << (*server)->port() << std::endl;
  while (!input_has_ended()) {
    logins.accepted.add();
    logins.failures[session::LoginFailure::kPassword].add();
    logins.delayed.add();
    logins.users.of("app")[protocol::Proof::kPrimary].add();
    proofs.proofs[session::ProofResult::kRight].add();
    proofs.proofs[session::ProofResult::kWrong].add();
    commands.waits.add();
    commands.refused[session::CommandRefusal::kStalled].add();
    process.memory_trims.add();
    turn(app);
    turn(reports);
  }
  return 0;
}
