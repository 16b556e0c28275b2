// What a worker takes from the configuration, at the start and again after a reload.
#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "tidepool/base/check.h"
#include "tidepool/base/stream_hash.h"
#include "worker.h"

namespace tidepool::proxy {
namespace {

protocol::Credential credential_of(const Secret& password, const std::string& hash) {
  if (hash.empty()) return protocol::Credential::plaintext(password);
  auto made = hash.front() == '*' ? protocol::Credential::native_hash(hash)
                                  : protocol::Credential::sha2_hash(hash);
  TIDEPOOL_CHECK(made);  // the configuration was checked; no password in its place
  return *std::move(made);
}

std::optional<protocol::Passwords> passwords_of(const config::User& user) {
  if (!user.has_password) return std::nullopt;
  protocol::Credential primary = credential_of(user.password, user.password_hash);
  if (!user.has_secondary_password) return protocol::Passwords(std::move(primary));
  return protocol::Passwords(std::move(primary),
                             credential_of(user.secondary_password, user.secondary_password_hash));
}

protocol::Decoys decoys_of(const session::Environment& environment) {
  std::vector<protocol::Passwords> in_use;
  for (const auto& [name, account] : environment.accounts) {
    if (account.passwords) in_use.push_back(*account.passwords);
  }
  return protocol::Decoys(in_use);
}

// What was learnt of a password stays, also when it becomes the secondary one.
void fill_passwords(session::Account& account, const config::User& user) {
  std::optional<protocol::Passwords> passwords = passwords_of(user);
  const std::optional<protocol::Passwords>& before = account.passwords;
  if (passwords && before) {
    if (passwords->same_as(*before)) return;
    passwords->learn_from(*before);
  }
  account.passwords = std::move(passwords);
  ++account.passwords_version;
}

void fill(session::Account& account, const config::User& user, const config::Pool& pool) {
  fill_passwords(account, user);
  account.is_passed_through = user.is_passed_through;
  account.key = keyed_number(user.name);
  account.max_sessions = static_cast<unsigned>(user.max_sessions);
  account.max_leases = static_cast<unsigned>(user.max_leases);
  account.may_kill = user.may_kill;
  account.networks = user.networks;
  account.timeouts = {.query = user.timeouts.query,
                      .idle_transaction = user.timeouts.idle_transaction,
                      .client_idle = user.timeouts.client_idle};
  account.max_prepared_memory = user.max_prepared_memory;
  account.retries = user.retry;
  const bool replays = user.retry && user.replay;
  account.replay_bytes = replays ? static_cast<std::size_t>(user.replay_memory) : 0;
  account.database = user.database.empty() ? pool.database : user.database;
}

session::Trusted trusted_by(const config::User& user, const UnixUsers& unix_users) {
  const auto found = unix_users.find(user.name);
  return {user.certificate_names, found != unix_users.end() ? found->second : std::vector<uid_t>()};
}

// Without TLS no certificate is shown.
bool requires_tls(const config::ClientTls& tls) {
  return tls.mode == config::ClientTlsMode::kRequired ||
         tls.verify_client == config::VerifyClient::kRequired;
}

}  // namespace

void Worker::call(const std::function<void()>& task) {
  // The promise lives until both sides are done with it.
  const auto done = std::make_shared<std::promise<void>>();
  std::future<void> answer = done->get_future();
  loop_.post([&task, done] {
    task();
    done->set_value();
  });
  answer.wait();
}

void Worker::add_pools() {
  for (std::size_t i = pools_.size(); i < shared_.pools.size(); ++i) {
    PoolState& pool = *shared_.pools[i];
    pools_.push_back(
        std::make_unique<pool::WorkerPool>(loop_, index_, pool.broker, pool_options(pool.config)));
    auto access = std::make_unique<session::PoolAccess>();
    access->name = pool.config.name;
    access->pool = pools_.back().get();
    access->stats = pool.sessions[index_].get();
    access->prepares = &pool.prepares;
    access->prepared_bytes = &pool.prepared_bytes;
    environment_.pools.push_back(std::move(access));
  }
}

void Worker::apply(const config::Config& config, const ListenerTls& tls,
                   const std::vector<std::size_t>& replaced) {
  tls_ = tls;
  demands_.clear();
  for (const config::Listener& listener : config.listeners)
    demands_.push_back(
        {requires_tls(listener.tls), listener.clear_password, listener.proxy_protocol_networks});
  for (const auto& access : environment_.pools) {
    const config::Pool* pool = config.find_pool(access->name);
    if (pool == nullptr) continue;
    access->pool->set_options(pool_options(*pool));
    access->timeout = pool->timeout;
    access->retry_budget = pool->retry_budget;
    access->control_timeout = pool->control_timeout;
    access->limits_leases_by_database = pool->max_leases_per_database > 0;
    access->max_sessions_per_database = static_cast<unsigned>(pool->max_sessions_per_database);
  }
  for (const std::size_t number : replaced)
    environment_.pools[number]->databases = {};
  set_users(config);
  environment_.decoys = decoys_of(environment_);
  environment_.passes_through = config.passes_through;
  environment_.login_timeout = config.login_timeout;
  environment_.failed_login_delay = config.failed_login_delay;
  environment_.client_stall_timeout = config.client_stall_timeout;
  client_keepalive_ = config.client_keepalive;
  for (const Listening& one : listeners_)
    one.listener->set_keep_alive(client_keepalive_);
  environment_.disconnect_grace = config.disconnect_grace;
}

// A user that is still there keeps its Account, to which its sessions refer, unless it has another
// pool: then its sessions end when they can, as if the user were gone.
void Worker::set_users(const config::Config& config) {
  std::unordered_map<std::string, session::Account> before = std::move(environment_.accounts);
  environment_.accounts.clear();
  for (const config::User& user : config.users) {
    const auto access = std::find_if(environment_.pools.begin(), environment_.pools.end(),
                                     [&user](const auto& one) { return one->name == user.pool; });
    TIDEPOOL_CHECK(access != environment_.pools.end());
    const auto old = before.find(user.name);
    if (old != before.end() && old->second.pool == access->get()) {
      environment_.accounts.insert(before.extract(old));
    }
    session::Account& account = environment_.accounts[user.name];
    account.pool = access->get();
    if (!user.is_passed_through) account.logins = &shared_.logins.users.of(user.name);
    account.trusted = trusted_by(user, shared_.unix_users);
    fill(account, user, *config.find_pool(user.pool));
  }
  const bool in_use = std::any_of(sessions_.begin(), sessions_.end(), [](const auto& one) {
    return one.second->knows_removed_account();
  });
  // A session that has closed in this turn has its account until the next one.
  if (!in_use)
    loop_.post([gone = std::make_shared<RemovedAccounts>(std::move(removed_accounts_))] {});
  if (!in_use) removed_accounts_.clear();
  for (auto& [name, account] : before)
    account.is_removed = true;
  if (!before.empty()) removed_accounts_.push_back(std::move(before));
  std::vector<session::Session*> all;
  for (const auto& [id, session] : sessions_)
    all.push_back(session.get());
  for (session::Session* session : all)
    session->evict_if_removed();
}

void Worker::start_pools(std::size_t from) {
  for (std::size_t i = from; i < pools_.size(); ++i)
    pools_[i]->start_clock();
}

}  // namespace tidepool::proxy
