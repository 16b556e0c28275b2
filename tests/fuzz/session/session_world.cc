#include "session_world.h"

#include <algorithm>
#include <charconv>
#include <sys/socket.h>
#include <utility>

#include "tidepool/base/check.h"

namespace tidepool::fuzz {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr const char* kReplaying = "rep";  // the user whose transactions are replayed
constexpr std::size_t kReplayBytes = 4096;
constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

// Made once, and awaited, so that no session has to.
session::LoginKey& login_key() {
  static session::LoginKey key;
  if (key.get() != nullptr) return key;
  net::Loop loop;
  const auto wait = key.wait(loop, [&loop] { loop.stop(); });
  loop.run();
  TIDEPOOL_CHECK(key.get() != nullptr);
  return key;
}

std::pair<net::UniqueFd, net::UniqueFd> socket_pair() {
  std::array<int, 2> ends{};
  TIDEPOOL_CHECK(
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
  return {net::UniqueFd(ends[0]), net::UniqueFd(ends[1])};
}

pool::WorkerPoolOptions options_of(const Settings& settings) {
  pool::WorkerPoolOptions options;
  options.name = "main";
  options.max_prepared = settings.max_prepared;
  options.dial.endpoints = {{"tidb", 4000}};
  options.dial.user = "app";
  options.dial.tls = backend::TlsMode::kDisabled;
  return options;
}

}  // namespace

SessionWorld::SessionWorld(const Settings& settings)
    : settings_(settings),
      greatest_cap_(settings.limits.cap()),
      prepares_({.life = settings.prepare_cache_ttl}),
      broker_(settings.limits, kSeed, pool_stats_),
      dialler_([this](net::UniqueFd server) { take_server(std::move(server)); }),
      environment_(loop_),
      pool_(std::make_unique<pool::WorkerPool>(loop_, 0, broker_, options_of(settings))),
      script_(std::make_unique<net::Deferred>(loop_)) {
  environment_.logins = &logins_;
  environment_.registry = &registry_;
  environment_.global_settings = &global_settings_;
  environment_.login_key = &login_key();
  environment_.password_checks = &password_checks_;
  environment_.random.seed(kSeed);
  auto access = std::make_unique<session::PoolAccess>();
  access->name = "main";
  access->pool = pool_.get();
  access->stats = &stats_;
  access->prepares = &prepares_;
  access->timeout = settings.timeout;
  access->limits_leases_by_database = settings.limits_leases_by_database;
  environment_.pools.push_back(std::move(access));
  registry_.join(0, [this](std::uint32_t id, session::KillKind kind) {
    loop_.post([this, id, kind] {
      const auto found = sessions_.find(id);
      if (found != sessions_.end()) found->second->on_kill(kind);
    });
  });
  for (const char* name : {"app", kReplaying})
    add_user(name);
}

SessionWorld::~SessionWorld() {
  sessions_.clear();
  pool_.reset();
}

void SessionWorld::add_user(const std::string& name) {
  session::Account& account = environment_.accounts[name];
  account.passwords = protocol::Passwords(protocol::Credential::plaintext("pw"));
  account.pool = environment_.pools.front().get();
  account.retries = settings_.retries;
  account.replay_bytes = name == kReplaying ? kReplayBytes : 0;
  account.key = std::hash<std::string>()(name);
  account.timeouts = settings_.timeouts;
  account.max_leases = settings_.max_leases;
  account.max_sessions = settings_.max_sessions;
}

// As a reload does.
void SessionWorld::remove_user(const std::string& name) {
  const auto found = environment_.accounts.find(name);
  if (found == environment_.accounts.end()) return;
  found->second.is_removed = true;
  removed_.emplace_back().insert(environment_.accounts.extract(found));
  std::vector<session::Session*> all;
  for (const auto& [id, session] : sessions_)
    all.push_back(session.get());
  for (session::Session* session : all)
    session->evict_if_removed();
}

void SessionWorld::set_size(unsigned size) {
  pool::Limits limits = settings_.limits;
  limits.size = size;
  greatest_cap_ = std::max(greatest_cap_, limits.cap());
  broker_.set_limits(limits);
}

void SessionWorld::drain_sessions() {
  environment_.draining = true;
  std::vector<session::Session*> all;
  for (const auto& [id, session] : sessions_)
    all.push_back(session.get());
  for (session::Session* session : all)
    session->drain();
}

void SessionWorld::connect(std::size_t slot, const LoginOptions& options, bool is_unix) {
  auto [client, proxy] = socket_pair();
  const std::uint32_t id = next_session_++;
  clients_[slot] =
      std::make_unique<ScriptedClient>(std::move(client), kLetters[id % kLetters.size()], options);
  session::AcceptedClient arrival;
  arrival.fd = std::move(proxy);
  arrival.peer = is_unix ? "unix" : "192.0.2.1:4000";
  arrival.is_unix = is_unix;
  auto made = std::make_unique<session::Session>(environment_, id, std::move(arrival),
                                                 [this](std::uint32_t gone) { on_closed(gone); });
  session::Session& session = *made;
  sessions_[id] = std::move(made);
  session.start();
}

void SessionWorld::on_closed(std::uint32_t id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  loop_.retire(std::move(found->second));  // we are in its callback
  sessions_.erase(found);
}

session::Session* SessionWorld::session_of(std::size_t slot) {
  const auto found = sessions_.find(clients_[slot] ? clients_[slot]->session() : 0);
  return found == sessions_.end() ? nullptr : found->second.get();
}

ScriptedBackend* SessionWorld::backend(std::size_t number) {
  return backends_.empty() ? nullptr : backends_[number % backends_.size()].get();
}

void SessionWorld::take_server(net::UniqueFd server) {
  backends_.push_back(std::make_unique<ScriptedBackend>(std::move(server), next_backend_++));
}

void SessionWorld::run(std::function<bool()> next) {
  next_ = std::move(next);
  pool_->start_clock();
  script_->schedule([this] { turn(); });
  loop_.run();
}

void SessionWorld::turn() {
  dialler_.run();
  serve_backends();
  for (const auto& client : clients_) {
    if (client) client->receive();
  }
  TIDEPOOL_CHECK(broker_.counts().total() <= greatest_cap_);
  if (!next_()) return loop_.stop();
  script_->schedule([this] { turn(); });
}

void SessionWorld::serve_backends() {
  for (std::size_t i = 0; i < backends_.size(); ++i) {
    ScriptedBackend& backend = *backends_[i];
    backend.send();
    backend.receive();
    while (!is_held_ && backend.is_open() && backend.has_command())
      answer_one(i);
  }
  std::erase_if(backends_, [](const auto& backend) { return !backend->is_open(); });
}

void SessionWorld::answer_one(std::size_t number) {
  ScriptedBackend* backend = this->backend(number);
  if (backend == nullptr || !backend->has_command()) return;
  if (const auto killed = backend->kills()) {
    for (const auto& one : backends_) {
      if (one->connection() == *killed) one->interrupt();
    }
  }
  Answer answer;
  if (!plans_.empty()) {
    answer = std::move(plans_.front());
    plans_.pop_front();
  }
  backend->answer(answer);
}

void SessionWorld::let_go() {
  is_held_ = false;
  plans_.clear();
  dialler_.forget_plans();
  for (const auto& backend : backends_)
    backend->end_silence();
}

void SessionWorld::restore() {
  environment_.draining = false;
  pool_->resume();
  set_size(settings_.limits.size);
}

std::uint64_t SessionWorld::commands_done() const {
  std::uint64_t done = 0;
  for (std::size_t kind = 0; kind < session::kCommandKinds; ++kind) {
    const auto& outcomes = stats_.queries[static_cast<session::CommandKind>(kind)];
    for (std::size_t i = 0; i < session::kOutcomes; ++i)
      done += outcomes[static_cast<session::Outcome>(i)].value();
  }
  return done;
}

void SessionWorld::check_gauges() const {
  for (std::size_t i = 0; i < session::kSessionActivities; ++i)
    TIDEPOOL_CHECK(stats_.sessions[static_cast<session::SessionActivity>(i)].value() == 0);
  for (std::size_t i = 0; i < session::kPinReasons; ++i)
    TIDEPOOL_CHECK(stats_.pinned[static_cast<session::PinReason>(i)].value() == 0);
}

}  // namespace tidepool::fuzz
