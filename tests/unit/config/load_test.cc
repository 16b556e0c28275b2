#include "config_support.h"

namespace tidepool::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kPool = "pools: [{host: h.example, user: u, password: p}]\n";

TEST(Load, ThreeServicesHaveAnAccountAndADatabaseEach) {
  const Config config = config_of(load(R"(
pools:
  - {name: user, host: h.example, user: p.user_rw, password: a, database: user_db}
  - {name: project, host: h.example, user: p.project_rw, password: b}
users:
  - {name: user_app, password: x, pool: user}
  - {name: project_app, password: y, pool: project, database: project_db}
)"));

  ASSERT_EQ(config.pools.size(), 2U);
  EXPECT_EQ(config.find_pool("project")->user, "p.project_rw");
  EXPECT_EQ(config.find_pool("knowledge"), nullptr);
  EXPECT_THAT(config.users, ElementsAre(User{"user_app", "x", "", "user", ""},
                                        User{"project_app", "y", "", "project", "project_db"}));
}

TEST(Load, EveryKeyReachesItsMember) {
  const TemporaryFile pem("PEM");
  const Config config = config_of(load(
      R"(
workers: 3
max_clients: 20
login_timeout: 1s
drain_timeout: 2m
http: {address: "[::1]:9000", hosts: [tidepool, a.example]}
log: {level: warn, format: json}
listeners:
  - address: "[::1]:7000"
    tls: {mode: required, certificate: "${PEM}", key: "${PEM}"}
  - {socket: /tmp/t.sock, socket_mode: 0600}
pools:
  - name: main
    endpoints: ["a.example:4001", b.example, "[::1]:4002", "::1"]
    user: u
    password: p
    database: d
    tls: {mode: verify_ca, ca: "${PEM}", min_version: 1.3, allow_plaintext: true}
    size: 6
    max_overflow: 7
    timeout: 1500ms
    recycle: 1h
    recycle_jitter: 0.5
    idle_timeout: 90s
    min_idle: 2
    connect_timeout: 3s
    max_dials: 8
    backoff: {initial: 10ms, max: 20s}
    max_prepared: 9
    prepare_cache_ttl: 7s
users:
  - {name: a, password_hash: "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"}
)",
      {{"PEM", pem.path()}}));

  Config wanted;
  wanted.workers = 3;
  wanted.max_clients = 20;
  wanted.login_timeout = seconds(1);
  wanted.drain_timeout = minutes(2);
  wanted.http = {true, "::1", 9000, {"tidepool", "a.example"}};
  wanted.log = {log::Level::kWarn, log::Format::kJson};
  Listener tcp{"::1", 7000, "", 0660, {ClientTlsMode::kRequired, pem.path(), pem.path()}};
  Listener socket;
  socket.socket_path = "/tmp/t.sock";
  socket.socket_mode = 0600;
  wanted.listeners = {tcp, socket};
  Pool pool;
  pool.name = "main";
  pool.endpoints = {{"a.example", 4001}, {"b.example", 4000}, {"::1", 4002}, {"::1", 4000}};
  pool.user = "u";
  pool.password = "p";
  pool.database = "d";
  pool.tls = {TlsMode::kVerifyCa, pem.path(), TlsVersion::k13, true};
  pool.size = 6;
  pool.max_overflow = 7;
  pool.timeout = milliseconds(1500);
  pool.recycle = hours(1);
  pool.recycle_jitter = 0.5;
  pool.idle_timeout = seconds(90);
  pool.min_idle = 2;
  pool.connect_timeout = seconds(3);
  pool.max_dials = 8;
  pool.backoff = {milliseconds(10), seconds(20)};
  pool.max_prepared = 9;
  pool.prepare_cache_ttl = seconds(7);
  wanted.pools = {pool};
  wanted.users = {{"a", "", "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "main", ""}};
  EXPECT_EQ(config, wanted);
}

TEST(Load, VariablesStandInValues) {
  const std::pair<std::string, std::string> all[] = {
      {"${DB}", "app"},
      {"x_${DB}_${DB}", "x_app_app"},
      {"${NONE:-fallback}", "fallback"},
      {"${EMPTY:-full}", "full"},
      {"${EMPTY}", ""},
      {"${NONE:-}", ""},
      {"$${DB}", "${DB}"},
      {"$DB", "$DB"},
      {"a$", "a$"},
      {"$${${DB}}", "${app}"},
  };
  for (const auto& [text, wanted] : all) {
    const Config config = config_of(
        load("pools:\n  - {host: h.example, user: u, password: p, database: '" + text + "'}",
             {{"DB", "app"}, {"EMPTY", ""}}));
    EXPECT_EQ(config.pools.front().database, wanted) << text;
  }
}

TEST(Load, ValuesOfVariablesAreNotReadAsYaml) {
  const Config config = config_of(load("pools:\n  - {host: h.example, user: u, password: \"${P}\"}",
                                       {{"P", "a: [b] # c ${D} \"'"}}));
  EXPECT_EQ(config.pools.front().password, "a: [b] # c ${D} \"'");
}

TEST(Load, PasswordFilesLoseOneNewline) {
  const std::pair<std::string, std::string> all[] = {{"secret\n", "secret"},
                                                     {"secret\r\n", "secret"},
                                                     {"secret", "secret"},
                                                     {" s \n", " s "},
                                                     {"", ""}};
  for (const auto& [text, wanted] : all) {
    const TemporaryFile file(text);
    const LoadResult result =
        load("pools:\n  - {host: h.example, user: u, password_file: " + file.path() + "}");
    EXPECT_EQ(config_of(result).pools.front().password, wanted);
    EXPECT_THAT(result->warnings, ElementsAre());
  }
}

TEST(Load, PoolMayBeGivenAsUrl) {
  const Config config = config_of(
      load("pools:\n  - {url: 'mysql://p.root:x@h.example/app', size: 2, tls: {mode: verify_ca}}"));
  const Pool& pool = config.pools.front();
  EXPECT_EQ(pool.database, "app");
  EXPECT_EQ(pool.size, 2);
  EXPECT_EQ(pool.tls.mode, TlsMode::kVerifyCa);
  EXPECT_EQ(config.users.size(), 2U);
}

TEST(Load, BothKindsOfPasswordHashAreTaken) {
  const std::string sha2 = "$A$005$" + std::string(20, '!') + std::string(43, 'x');
  const Config config =
      config_of(load(kPool + "users: [{name: a, password_hash: '" + sha2 + "'}]"));
  EXPECT_EQ(config.users.front().password_hash, sha2);
}

TEST(Load, DoubtfulChoicesAreWarnedOf) {
  const std::pair<std::string, std::string> all[] = {
      {"pools: [{host: h.example, user: u, password: p, tls: {mode: verify_ca}}]",
       "t.yaml:1:61: pools[0].tls.mode: TLS mode verify_ca: the host name of TiDB is not verified"},
      {"pools: [{host: h, user: u, password: p, tls: {mode: required}}]", "is not verified"},
      {"pools: [{host: h, user: u, password: p, tls: {mode: disabled, allow_plaintext: true}}]",
       "plaintext to h"},
      {"http: {address: ':6034'}\n" + kPool, "http.address: metrics are readable"},
      {"pools: [{host: gw.tidbcloud.com, user: p.u, password: p, idle_timeout: 340s}]", "340s"},
      {"pools: [{host: gw.tidbcloud.com, user: p.u, password: p, idle_timeout: 0}]", "340s"},
      {"pools: [{host: gw.tidbcloud.com, user: p.u, password: p, recycle: 31m}]", "30m"},
      {"pools: [{host: gw.tidbcloud.com, user: u, password: p}]", "cluster prefix"},
      {"pools: [{url: 'mysql://u:p@h?autocommit=1'}]", "pools[0].url: parameter autocommit"},
  };
  for (const auto& [text, wanted] : all) {
    const LoadResult result = load(text);
    ASSERT_TRUE(result) << problems_of(result);
    EXPECT_THAT(result->warnings, ElementsAre(HasSubstr(wanted))) << text;
  }
}

TEST(Load, OrdinaryChoicesAreNot) {
  for (const std::string text :
       {"pools: [{host: gw.tidbcloud.com, user: p.u, password: p}]",
        "pools: [{host: h.example, user: u, password: p, idle_timeout: 1h, recycle: 0}]",
        "pools: [{host: localhost, user: u, password: p, tls: {mode: disabled}}]",
        "pools: [{host: 127.9.9.9, user: u, password: p, tls: {mode: disabled}}]",
        "pools: [{host: '::1', user: u, password: p, tls: {mode: disabled}}]"}) {
    const LoadResult result = load(text);
    ASSERT_TRUE(result) << problems_of(result);
    EXPECT_EQ(lines(result->warnings), "") << text;
  }
}

TEST(Load, SecretsInFilesThatEverybodyReadsAreWarnedOf) {
  const TemporaryFile open_file(kPool, 0644);
  const TemporaryFile closed_file(kPool, 0600);
  const TemporaryFile no_secret("pools: [{host: h, user: u, password: \"${P}\"}]", 0644);
  const TemporaryFile secret_file("s", 0644);
  const TemporaryFile indirect("pools: [{host: h, user: u, password_file: " + secret_file.path() +
                               "}]");
  const auto warnings = [](const TemporaryFile& file) {
    return lines(load_file(file.path(), environment({{"P", "x"}}))->warnings);
  };

  EXPECT_THAT(warnings(open_file), HasSubstr("pools[0].password: a secret in a file"));
  EXPECT_EQ(warnings(closed_file), "");
  EXPECT_EQ(warnings(no_secret), "");
  EXPECT_THAT(warnings(indirect), HasSubstr("can read " + secret_file.path()));
}

TEST(Load, AFormerNameOfAKeyIsAcceptedAndWarnedOf) {
  const LoadResult result =
      load("pools: [{host: h.example, user: u, password: p, prepare_memory: 7s}]");
  EXPECT_EQ(config_of(result).pools.front().prepare_cache_ttl, std::chrono::seconds(7));
  EXPECT_THAT(result->warnings,
              ElementsAre("t.yaml:1:49: pools[0].prepare_memory: deprecated, now called "
                          "prepare_cache_ttl"));
}

TEST(Load, MissingFileIsOneProblem) {
  EXPECT_EQ(problems_of(load_file("/no/such.yaml", environment({}))),
            "/no/such.yaml: cannot be read: No such file or directory\n");
  EXPECT_THAT(problems_of(load_file("/tmp", environment({}))), HasSubstr("Is a directory"));
}

TEST(Load, AUrlBringsItsCa) {
  const TemporaryFile pem("PEM");
  const Config config =
      config_of(load("pools:\n  - {url: 'mysql://u:p@h.example/app?ssl_ca=" + pem.path() + "'}"));
  EXPECT_EQ(config.pools.front().tls.ca, pem.path());
  EXPECT_EQ(config.pools.front().tls.mode, TlsMode::kVerifyIdentity);
}

TEST(Load, ACaThatNothingVerifiesIsWarnedOf) {
  const TemporaryFile pem("PEM");
  const LoadResult result = load(
      "pools: [{host: h.example, user: u, password: p, tls: {mode: required, ca: " + pem.path() +
      "}}]");
  ASSERT_TRUE(result) << problems_of(result);
  EXPECT_THAT(result->warnings,
              testing::UnorderedElementsAre(HasSubstr("the CA is not used"),
                                            HasSubstr("who answers as TiDB is not verified")));
}

}  // namespace
}  // namespace tidepool::config
