#include "config_support.h"

namespace tidepool::config {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

LoadResult start(Variables variables) {
  return from_environment(environment(std::move(variables)));
}

TEST(Environment, UrlAloneIsEnough) {
  const LoadResult result = start(
      {{"TIDB_URL", "mysql+pymysql://3pTAoNNegb47Uc8.root:p%40ss@gw.example:4000/app?ssl=true"}});

  Config wanted;
  Pool pool;
  pool.endpoints = {{"gw.example", 4000}};
  pool.user = "3pTAoNNegb47Uc8.root";
  pool.password = "p@ss";
  pool.database = "app";
  wanted.pools = {pool};
  wanted.users = {{"3pTAoNNegb47Uc8.root", "p@ss", "", "default", ""},
                  {"root", "p@ss", "", "default", ""}};
  EXPECT_EQ(config_of(result), wanted);
  EXPECT_THAT(result->warnings, ElementsAre());
}

TEST(Environment, ComponentsAreEnough) {
  const TemporaryFile ca("PEM");
  const Config config = config_of(start({{"TIDB_HOST", "gw.example"},
                                         {"TIDB_PORT", "4001"},
                                         {"TIDB_USER", "root"},
                                         {"TIDB_PASSWORD", "secret"},
                                         {"TIDB_DATABASE", "app"},
                                         {"TIDB_SSL_CA", ca.path()}}));

  ASSERT_EQ(config.pools.size(), 1U);
  const Pool& pool = config.pools.front();
  EXPECT_THAT(pool.endpoints, ElementsAre(Endpoint{"gw.example", 4001}));
  EXPECT_EQ(pool.user, "root");
  EXPECT_EQ(pool.password, "secret");
  EXPECT_EQ(pool.database, "app");
  EXPECT_EQ(pool.tls.ca, ca.path());
  EXPECT_EQ(pool.tls.mode, TlsMode::kVerifyIdentity);
  EXPECT_THAT(config.users, ElementsAre(User{"root", "secret", "", "default", ""}));
}

TEST(Environment, SidecarsTuneWhatTheyNeed) {
  const Config config = config_of(start({{"TIDB_URL", "mysql://u:p@h.example"},
                                         {"TIDEPOOL_LISTEN", ":7000"},
                                         {"TIDEPOOL_HTTP", "off"},
                                         {"TIDEPOOL_HTTP_HOSTS", "tidepool,a.example , b"},
                                         {"TIDEPOOL_POOL_SIZE", "7"},
                                         {"TIDEPOOL_MAX_OVERFLOW", "0"},
                                         {"TIDEPOOL_WORKERS", "auto"},
                                         {"TIDEPOOL_LOG_LEVEL", "debug"},
                                         {"TIDEPOOL_LOG_FORMAT", "json"}}));

  ASSERT_EQ(config.listeners.size(), 1U);
  EXPECT_EQ(config.listeners.front().host, "0.0.0.0");
  EXPECT_EQ(config.listeners.front().port, 7000);
  EXPECT_FALSE(config.http.enabled);
  EXPECT_THAT(config.http.hosts, ElementsAre("tidepool", "a.example", "b"));
  EXPECT_EQ(config.pools.front().size, 7);
  EXPECT_EQ(config.pools.front().max_overflow, 0);
  EXPECT_GE(config.workers, 1);
  EXPECT_EQ(config.log.level, log::Level::kDebug);
  EXPECT_EQ(config.log.format, log::Format::kJson);
}

TEST(Environment, ComponentsFillWhatTheUrlLeavesOut) {
  const LoadResult result = start({{"TIDB_URL", "mysql://u@h.example"},
                                   {"TIDB_HOST", "other.example"},
                                   {"TIDB_PASSWORD", "secret"},
                                   {"TIDB_DATABASE", "app"}});

  const Config config = config_of(result);
  EXPECT_EQ(config.pools.front().password, "secret");
  EXPECT_EQ(config.pools.front().database, "app");
  EXPECT_THAT(result->warnings, ElementsAre("TIDB_HOST: ignored, because TIDB_URL says it"));
}

TEST(Environment, PasswordMayComeFromAFile) {
  const TemporaryFile file("from file\n");
  const Config config =
      config_of(start({{"TIDB_URL", "mysql://u@h.example"}, {"TIDB_PASSWORD_FILE", file.path()}}));
  EXPECT_EQ(config.users.front().password, "from file");
}

TEST(Environment, LocalTidbNeedsNoPassword) {
  const LoadResult result = start({{"TIDB_URL", "mysql://root@127.0.0.1:4000/?ssl=false"}});

  EXPECT_EQ(config_of(result).pools.front().tls.mode, TlsMode::kDisabled);
  EXPECT_THAT(result->warnings, ElementsAre(HasSubstr("TIDB_URL: no password")));
}

TEST(Environment, OnlyTheFirstLabelOfTheUserIsAPrefix) {
  const Config config = config_of(start({{"TIDB_URL", "mysql://pre.a.b:p@h.example"}}));
  ASSERT_EQ(config.users.size(), 2U);
  EXPECT_EQ(config.users[1].name, "a.b");
}

TEST(Environment, ProblemsNameTheVariables) {
  const std::pair<Variables, std::string> all[] = {
      {{}, "TIDB_URL: found nothing, allowed: mysql://"},
      {{{"TIDB_URL", ""}}, "TIDB_URL: found nothing"},
      {{{"TIDB_URL", "http://h"}}, "TIDB_URL: found no scheme"},
      {{{"TIDB_URL", "mysql://u@h.example"}}, "TIDB_PASSWORD: found nothing, allowed: one of"},
      {{{"TIDB_HOST", "h.example"}, {"TIDB_PASSWORD", ""}}, "TIDB_USER: found nothing"},
      {{{"TIDB_HOST", "h:4000"}, {"TIDB_USER", "u"}, {"TIDB_PASSWORD", ""}},
       "TIDB_HOST: found \"h:4000\""},
      {{{"TIDB_URL", "mysql://u:p@h"}, {"TIDB_SSL_CA", "/no/such"}}, "TIDB_SSL_CA: found /no/such"},
      {{{"TIDB_URL", "mysql://u:p@h"}, {"TIDEPOOL_POOL_SIZE", "0"}},
       "TIDEPOOL_POOL_SIZE: found \"0\", allowed: a whole number from 1 to 100000"},
      {{{"TIDB_URL", "mysql://u:p@h?ssl=false"}},
       "TIDB_URL: found TLS disabled for h, allowed: verify_identity, verify_ca or required; "
       "disabled only to "
       "this machine, or with TIDEPOOL_ALLOW_PLAINTEXT true"},
  };
  for (const auto& [variables, wanted] : all) {
    EXPECT_THAT(problems_of(start(variables)), HasSubstr(wanted));
  }
}

TEST(Environment, PlaintextToAnotherMachineMustBeMeant) {
  const LoadResult result =
      start({{"TIDB_URL", "mysql://u:p@h?ssl=false"}, {"TIDEPOOL_ALLOW_PLAINTEXT", "true"}});
  EXPECT_EQ(config_of(result).pools.front().tls.mode, TlsMode::kDisabled);
  EXPECT_THAT(lines(result->warnings), HasSubstr("plaintext to h"));
}

TEST(Environment, HelpNamesEveryVariableOfTheStart) {
  for (const char* name : {"TIDB_URL", "TIDB_HOST", "TIDB_SSL_CA", "TIDEPOOL_LISTEN",
                           "TIDEPOOL_HTTP", "TIDEPOOL_POOL_SIZE", "TIDEPOOL_MAX_OVERFLOW",
                           "TIDEPOOL_WORKERS", "TIDEPOOL_LOG_LEVEL", "TIDEPOOL_LOG_FORMAT"}) {
    EXPECT_THAT(environment_help(), HasSubstr(name));
  }
}

}  // namespace
}  // namespace tidepool::config
