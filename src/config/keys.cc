#include "keys.h"

#include <array>

namespace tidepool::config {
namespace {

constexpr double kSecond = 1'000;
constexpr double kMinute = 60 * kSecond;
constexpr double kHour = 60 * kMinute;

constexpr Form kText{Kind::kText};
constexpr Form kSecret{Kind::kSecret};
constexpr Form kPath{Kind::kPath};
constexpr Form kYesNo{Kind::kBool};

constexpr Form count(double low, double high) {
  return {Kind::kCount, low, high};
}
constexpr Form duration(double low, double high) {
  return {Kind::kDuration, low, high};
}
constexpr Form word(std::span<const std::string_view> words) {
  return {Kind::kWord, 0, 0, words};
}

// The member at the end of a path of member pointers.
template <class Owner, auto... Path>
constexpr Key<Owner> key(KeyText text) {
  return {text,
          [](const std::string& value, const Form& form, Owner& into) {
            return parse(value, form, (into.*....*Path));
          },
          [](const Form& form, const Owner& from) { return show(form, (from.*....*Path)); }};
}
template <auto... Path>
constexpr Key<Config> global(KeyText text) {
  return key<Config, Path...>(text);
}
template <auto... Path>
constexpr Key<ListenerDraft> listener(KeyText text) {
  return key<ListenerDraft, &ListenerDraft::listener, Path...>(text);
}
template <auto... Path>
constexpr Key<PoolDraft> pool(KeyText text) {
  return key<PoolDraft, &PoolDraft::pool, Path...>(text);
}
template <auto... Path>
constexpr Key<UserDraft> user(KeyText text) {
  return key<UserDraft, &UserDraft::user, Path...>(text);
}

// clang-format off
constexpr auto kGlobalKeys = std::to_array<Key<Config>>({
  global<&Config::workers>({"workers", {Kind::kCount, 1, 256, kAutoWord},
    "Event loops, each a thread with clients of its own; auto: one for each core", ""}),
  global<&Config::max_clients>({"max_clients", count(1, 1'000'000),
    "Clients that may be logged in at once; the next one is refused with error 1040", ""}),
  global<&Config::memory_limit>({"memory_limit", {Kind::kSize},
    "Resident memory beyond which new clients wait until it is a tenth less; 0: no limit", ""}),
  global<&Config::command_memory>({"command_memory", {Kind::kSize},
    "Bytes of commands that clients are sending, and of what is kept of their statements, all together; beyond it the "
    "next ones wait, and if none can end, the largest is refused with error 1153. Below 132MiB, which the largest may "
    "need, large ones come one by one; 0: no limit", ""}),
  global<&Config::login_timeout>({"login_timeout", duration(100, 10 * kMinute),
    "From a client's connect to the end of its authentication", ""}),
  global<&Config::failed_login_delay>({"failed_login_delay", duration(0, kMinute),
    "The longest that the refusal of a wrong password waits: of one user from one address the first three within a minute "
    "are answered at once, each further one twice as late; a right password never waits; 0: none does", ""}),
  global<&Config::max_pending_logins>({"max_pending_logins", count(1, 1'000'000),
    "Clients that may be connected and not logged in yet, besides max_clients; when half of these places are taken, "
    "a silent one has 2 s for its login, and when all are, the one that came first goes", ""}),
  global<&Config::max_pending_logins_per_address>({"max_pending_logins_per_address", count(1, 1'000'000),
    "Of those, how many may come from one address (IPv6: one /64); those of this machine are not counted", ""}),
  global<&Config::client_keepalive>({"client_keepalive", duration(0, 24 * kHour),
    "How long a client's TCP connection may be silent before its host is asked whether it is still there; after three "
    "questions, 10 s apart, the connection ends; 0: never asked. Whole seconds count", ""}),
  global<&Config::client_stall_timeout>({"client_stall_timeout", duration(0, 24 * kHour),
    "How long a client may take nothing of its answer, or send nothing of its LOCAL INFILE file, before its connection "
    "ends; 0: as long as it likes", ""}),
  global<&Config::disconnect_grace>({"disconnect_grace", duration(0, kHour),
    "How long TiDB may go on with a statement whose client has closed its connection, or its side of it; then it is "
    "killed, unless it begins or ends a transaction. What the client had sent before is executed all the same", ""}),
  global<&Config::drain_timeout>({"drain_timeout", duration(0, kHour),
    "After SIGTERM: how long running statements and transactions may take to finish", ""}),
  global<&Config::takeover_timeout>({"takeover_timeout", duration(0, 24 * kHour),
    "After SIGUSR2: how long the sessions of the old process go on before it drains", ""}),
  global<&Config::timeouts, &Timeouts::query>({"query_timeout", duration(0, 24 * kHour),
    "How long TiDB may take for a statement; then it is stopped there, and the client gets error 3024; 0: as long as "
    "it takes", ""}),
  global<&Config::timeouts, &Timeouts::idle_transaction>({"idle_transaction_timeout", duration(0, 24 * kHour),
    "How long a client may be silent in a transaction; then its connection ends and the transaction is rolled back; "
    "0: as long as it likes", ""}),
  global<&Config::timeouts, &Timeouts::client_idle>({"client_idle_timeout", duration(0, 24 * kHour),
    "How long a client may be silent, in a transaction or not; then its connection ends; 0: as long as it likes", ""}),
  global<&Config::reload_on_change>({"reload_on_change", kYesNo,
    "Whether this file is read again when it, or a certificate of a listener, has changed; SIGHUP always does that", ""}),
  global<&Config::core_dumps>({"core_dumps", kYesNo,
    "Whether a crash may leave a core dump, and a debugger of the same user may look in: both hold passwords and rows", ""}),
  global<&Config::http>({"http.address", {Kind::kAddressOrOff},
    "Where /metrics, /healthz and /readyz are served", ""}),
  global<&Config::http, &Http::hosts>({"http.hosts", {Kind::kHosts},
    "Names by which browsers and scrapers may call that address, besides IP addresses, localhost and the name in "
    "http.address; a request by any other name is refused, since a web page can give itself a name that leads here",
    "[tidepool.example.com]", true}),
  global<&Config::log, &Log::level>({"log.level", word(kLevelWords),
    "The least important lines that are written", ""}),
  global<&Config::log, &Log::format>({"log.format", word(kFormatWords),
    "Lines for people, or one JSON object a line", ""}),
});

constexpr auto kListenerKeys = std::to_array<Key<ListenerDraft>>({
  key<ListenerDraft, &ListenerDraft::address>({"address", {Kind::kAddress},
    "The TCP address that clients connect to", ""}),
  listener<&Listener::socket_path>({"socket", kPath,
    "A Unix socket that clients connect to, instead of an address", "/run/tidepool/tidepool.sock", true}),
  listener<&Listener::socket_mode>({"socket_mode", {Kind::kMode},
    "Who may connect to the Unix socket", "", true}),
  listener<&Listener::tls, &ClientTls::mode>({"tls.mode", word(kClientTlsWords),
    "Whether clients may or must use TLS", ""}),
  listener<&Listener::tls, &ClientTls::certificate>({"tls.certificate", kPath,
    "The certificate shown to clients and its chain, in PEM; needed unless tls.mode is off",
    "/etc/tidepool/server.crt", true}),
  listener<&Listener::tls, &ClientTls::key>({"tls.key", kPath,
    "The certificate's private key, in PEM; needed unless tls.mode is off", "/etc/tidepool/server.key", true}),
  listener<&Listener::tls, &ClientTls::client_ca>({"tls.client_ca", kPath,
    "The CA certificates of clients' own certificates, in PEM", "/etc/tidepool/clients.crt", true}),
  listener<&Listener::tls, &ClientTls::verify_client>({"tls.verify_client", word(kVerifyClientWords),
    "Whether a client must show a certificate of tls.client_ca, which is what is meant where that is given, or may",
    "required", true}),
  listener<&Listener::clear_password>({"clear_password", kYesNo,
    "Whether clients are asked for the password itself (mysql_clear_password), over TLS or on the Unix socket; those "
    "that offer it are taken at their word there in any case", ""}),
  listener<&Listener::proxy_protocol_networks>({"proxy_protocol_networks", {Kind::kNetworks},
    "Where load balancers are that begin each connection with a PROXY header (version 1 or 2), which says who the "
    "client is; connections from there without one are refused", "[10.0.0.0/8]", true}),
});

constexpr auto kPoolKeys = std::to_array<Key<PoolDraft>>({
  pool<&Pool::name>({"name", kText,
    "What users, logs and metrics call the pool; unique", ""}),
  key<PoolDraft, &PoolDraft::url>({"url", {Kind::kUrl},
    "Host, account, database and TLS at once, as TIDB_URL gives them, instead of the keys below",
    "${TIDB_URL}", true}),
  key<PoolDraft, &PoolDraft::host>({"host", kText,
    "The host name or IP address of TiDB", "gateway01.us-east-1.prod.aws.tidbcloud.com"}),
  key<PoolDraft, &PoolDraft::port>({"port", count(1, 65535),
    "The port of TiDB", ""}),
  pool<&Pool::endpoints>({"endpoints", {Kind::kAddresses},
    "Several addresses of one TiDB in order of preference, instead of host and port: the first one that answers is used, "
    "and returned to when it answers again",
    "[tidb-0.example.com:4000, tidb-1.example.com:4000]", true}),
  pool<&Pool::user>({"user", kText,
    "The TiDB account, with the cluster prefix where TiDB Cloud gives one", "3pTAoNNegb47Uc8.root"}),
  pool<&Pool::password>({"password", kSecret,
    "The account's password; \"\" for an account without one", "${TIDB_PASSWORD}"}),
  key<PoolDraft, &PoolDraft::password_file>({"password_file", kPath,
    "A file that holds the password, instead of password; a newline at its end does not count",
    "/run/secrets/tidb_password", true}),
  pool<&Pool::database>({"database", kText,
    "The database of clients that name none and whose user has none; \"\": none", "\"\""}),
  pool<&Pool::tls, &Tls::mode>({"tls.mode", word(kTlsWords),
    "What TiDB must prove: that its certificate is trusted and for this host (verify_identity), that it is trusted "
    "(verify_ca), or nothing (required: encrypted only; disabled: plaintext)", ""}),
  pool<&Pool::tls, &Tls::ca>({"tls.ca", kPath,
    "The CA certificates to trust, in PEM; \"\": those of the system", "\"\""}),
  pool<&Pool::tls, &Tls::min_version>({"tls.min_version", word(kTlsVersionWords),
    "The oldest TLS version to accept", ""}),
  pool<&Pool::tls, &Tls::allow_plaintext>({"tls.allow_plaintext", kYesNo,
    "Whether tls.mode disabled is meant even though TiDB is not on this machine", ""}),
  pool<&Pool::tls, &Tls::server_public_key>({"tls.server_public_key", kPath,
    "The public key that TiDB's certificate must have, in PEM; makes tls.mode required safe against others who answer",
    "/etc/tidepool/tidb.pub", true}),
  pool<&Pool::size>({"size", count(1, 100'000),
    "Backends that are opened on demand and kept", ""}),
  pool<&Pool::max_overflow>({"max_overflow", count(0, 100'000),
    "Backends beyond size, opened under load and closed afterwards; size + max_overflow is the cap", ""}),
  pool<&Pool::timeout>({"timeout", duration(0, kHour),
    "How long a client waits for a backend before it gets an error", ""}),
  pool<&Pool::recycle>({"recycle", duration(0, 24 * kHour),
    "The age at which a backend is replaced: first the new one is opened, then the old one closed; 0: never", ""}),
  pool<&Pool::recycle_jitter>({"recycle_jitter", {Kind::kFraction, 0, 0.9},
    "The fraction of recycle by which that age is shortened at random; besides, backends that were opened together are "
    "replaced one after the other", ""}),
  pool<&Pool::idle_timeout>({"idle_timeout", duration(0, 24 * kHour),
    "How long a backend may be idle before it is closed, down to min_idle; 0: for ever. TiDB Cloud's public "
    "endpoints cut at 340 s", ""}),
  pool<&Pool::min_idle>({"min_idle", count(0, 100'000),
    "Idle backends that are kept ready, opened in advance and after losses, as far as size allows; 0 lets a cluster "
    "scale to zero", ""}),
  pool<&Pool::ping_interval>({"ping_interval", duration(0, kHour),
    "How often an idle backend is pinged; 0: never. Pings keep a cluster from scaling to zero", ""}),
  pool<&Pool::connect_timeout>({"connect_timeout", duration(kSecond, 10 * kMinute),
    "One dial: name, connect, TLS and login; a cluster that wakes up takes seconds", ""}),
  pool<&Pool::max_dials>({"max_dials", count(1, 1'000),
    "Dials that may be under way at once", ""}),
  pool<&Pool::dial_rate>({"dial_rate", count(1, 10'000),
    "Dials that may begin within any second, also after a loss of all backends", ""}),
  pool<&Pool::max_waiters>({"max_waiters", count(0, 1'000'000),
    "Clients that may wait for a backend at once, besides those for whom one may be opened; the next one gets error "
    "1040; 0: as many as come", ""}),
  pool<&Pool::max_leases_per_database>({"max_leases_per_database", count(0, 100'000),
    "Backends that the clients in one database may have at once, the others wait; 0: all", ""}),
  pool<&Pool::max_sessions_per_database>({"max_sessions_per_database", count(0, 1'000'000),
    "Clients that may be logged in to one database at once; the next one is refused with error 1040; 0: any number",
    ""}),
  pool<&Pool::backoff, &Backoff::initial>({"backoff.initial", duration(1, kHour),
    "The pause after the first failed dial; it doubles with each further one, with full jitter", ""}),
  pool<&Pool::backoff, &Backoff::max>({"backoff.max", duration(1, kHour),
    "The longest pause between failing dials", ""}),
  pool<&Pool::backoff, &Backoff::refused>({"backoff.refused", duration(1, kHour),
    "The longest pause after TiDB has refused the account (password, quota, certificate); clients are told its error at "
    "once meanwhile, so an account that is made or mended in TiDB works after that time at the latest", ""}),
  pool<&Pool::retry_budget>({"retry_budget", duration(0, kHour),
    "How long after its arrival a statement that failed, and surely had no effect, may be run again; 0: never", ""}),
  pool<&Pool::control_timeout>({"control_timeout", duration(100, 10 * kMinute),
    "How long TiDB may take for one answer to what Tidepool asks by itself: a reset, the state that a session needs or "
    "leaves, a prepare again, a ping after an error; then the backend is closed", ""}),
  pool<&Pool::max_prepared>({"max_prepared", count(1, 1'000'000),
    "Prepared statements kept on one backend; the one unused for longest goes first", ""}),
  pool<&Pool::prepare_cache_ttl>({"prepare_cache_ttl", duration(0, kHour),
    "How long TiDB's answer to COM_STMT_PREPARE is given again for the same text; DDL that passes through ends it at "
    "once, other DDL shows after this time; 0: each is asked", "", false, "prepare_memory"}),
  pool<&Pool::max_prepared_memory>({"max_prepared_memory", {Kind::kSize},
    "Bytes of the prepared statements of all clients of the pool; the next one is refused with error 1461; 0: no limit",
    ""}),
  pool<&Pool::passthrough>({"passthrough", kYesNo,
    "Whether clients whose user is not in users log in with an account of TiDB: over TLS or a Unix socket, with TiDB's "
    "password, to backends of their own beside those of this pool; one pool at most", ""}),
  pool<&Pool::max_passthrough_users>({"max_passthrough_users", count(1, 10'000),
    "Such users at once, each with up to size + max_overflow backends; the next one is refused with error 1040", ""}),
  pool<&Pool::passthrough_lifetime>({"passthrough_lifetime", duration(kSecond, 24 * kHour),
    "How long TiDB's word that a password is right counts, and how long such a user without clients keeps its backends",
    ""}),
});

constexpr auto kUserKeys = std::to_array<Key<UserDraft>>({
  user<&User::name>({"name", kText,
    "The name that clients log in with; unique", "app"}),
  user<&User::password>({"password", kSecret,
    "The password that clients log in with; \"\": none", "${APP_PASSWORD}"}),
  key<UserDraft, &UserDraft::password_file>({"password_file", kPath,
    "A file that holds the password, instead of password", "/run/secrets/app_password", true}),
  user<&User::password_hash>({"password_hash", kSecret,
    "The password as MySQL stores it, instead of password: * and 40 hex digits (mysql_native_password) or "
    "$A$005$... (caching_sha2_password), also in hex after 0x, as SHOW CREATE USER prints it", "\"*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19\"", true}),
  user<&User::secondary_password>({"secondary_password", kSecret,
    "A second password, as good as the first, while clients change from one to the other", "${APP_OLD_PASSWORD}", true}),
  key<UserDraft, &UserDraft::secondary_password_file>({"secondary_password_file", kPath,
    "A file that holds it, instead of secondary_password", "/run/secrets/app_old_password", true}),
  user<&User::secondary_password_hash>({"secondary_password_hash", kSecret,
    "It as MySQL stores it, instead of secondary_password", "\"*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19\"", true}),
  user<&User::certificate_names>({"certificate_names", {Kind::kNames},
    "Names (common name, or DNS, mail or URI name) in a client's certificate that log this user in without a password; "
    "with them the user may have none", "[app.example.com]", true}),
  user<&User::unix_users>({"unix_users", {Kind::kNames},
    "Unix users, by name or number, whose processes log in as this user at a Unix socket without a password; with them "
    "the user may have none", "[www-data]", true}),
  user<&User::networks>({"networks", {Kind::kNetworks},
    "Where this user may log in from over TCP; left out: from anywhere", "[10.0.0.0/8, 127.0.0.1]", true}),
  user<&User::pool>({"pool", kText,
    "The pool that serves this user; may be left out if there is only one", "default"}),
  user<&User::database>({"database", kText,
    "The database of clients that name none; \"\": that of the pool", "\"\""}),
  user<&User::retry>({"retry", kYesNo,
    "Whether what failed and surely had no effect is run again, unseen by the client", ""}),
  key<UserDraft, &UserDraft::query_timeout>({"query_timeout", duration(0, 24 * kHour),
    "In place of the query_timeout of the top level", "30s", true}),
  key<UserDraft, &UserDraft::idle_transaction_timeout>({"idle_transaction_timeout", duration(0, 24 * kHour),
    "In place of the idle_transaction_timeout of the top level", "1m", true}),
  key<UserDraft, &UserDraft::client_idle_timeout>({"client_idle_timeout", duration(0, 24 * kHour),
    "In place of the client_idle_timeout of the top level", "1h", true}),
  user<&User::replay>({"replay", kYesNo,
    "Whether a transaction whose backend is lost before COMMIT is run again on another one, unseen by the client if all "
    "answers are the same; needs retry", ""}),
  user<&User::replay_memory>({"replay_memory", count(1'024, 1'073'741'824),
    "Bytes kept of one transaction to replay it; a larger one is not replayed", ""}),
  user<&User::max_sessions>({"max_sessions", count(0, 1'000'000),
    "Clients that may be logged in as this user at once; the next one is refused with error 1203; 0: any number", ""}),
  user<&User::max_leases>({"max_leases", count(0, 100'000),
    "Backends that this user's clients may have at once, the others wait; 0: all. Without it, users who wait get equal "
    "shares of a pool", ""}),
  user<&User::max_prepared_memory>({"max_prepared_memory", {Kind::kSize},
    "Bytes of the prepared statements of one client; the next one is refused with error 1461; 0: no limit", ""}),
  user<&User::may_kill>({"may_kill", kYesNo,
    "Whether KILL may end what other users of the pool run", ""}),
});

constexpr auto kLists = std::to_array<ListText>({
  {"listeners", "Where clients connect"},
  {"pools", "The TiDB accounts that are used, each with backends of its own"},
  {"users", "Who may log in, and to which pool that leads. Left out, with a single pool: its account, with or "
            "without the cluster prefix, and the same password"},
});
// clang-format on

}  // namespace

std::span<const Key<Config>> global_keys() {
  return kGlobalKeys;
}
std::span<const Key<ListenerDraft>> listener_keys() {
  return kListenerKeys;
}
std::span<const Key<PoolDraft>> pool_keys() {
  return kPoolKeys;
}
std::span<const Key<UserDraft>> user_keys() {
  return kUserKeys;
}
std::span<const ListText> lists() {
  return kLists;
}

}  // namespace tidepool::config
