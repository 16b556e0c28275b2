// The backend layer against a real TiDB with TLS, which somebody else has started:
// TIDEPOOL_TIDB_PORT (on localhost), TIDEPOOL_TIDB_CA (of a certificate for localhost); root
// without a password. Skipped without them.
#include <cstdlib>

#include <gtest/gtest.h>

#include "../component/dial_helper.h"
#include "../component/stream_pair.h"
#include "tidepool/backend/connection.h"

namespace tidepool::backend {
namespace {

using std::chrono::seconds;
using testing::dial_to;
using testing::RecordingSink;
using testing::run_until;

const char* from_environment(const char* name) {
  return std::getenv(name);
}

class TidbTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* port = from_environment("TIDEPOOL_TIDB_PORT");
    const char* ca = from_environment("TIDEPOOL_TIDB_CA");
    if (port == nullptr || ca == nullptr) {
      GTEST_SKIP() << "TIDEPOOL_TIDB_PORT and TIDEPOOL_TIDB_CA name no TiDB";
    }
    options_.endpoints = {{"localhost", static_cast<std::uint16_t>(std::atoi(port))}};
    options_.ca_file = ca;
    options_.user = "root";
  }
  std::unique_ptr<Connection> connect(const DialOptions& options) {
    auto connection = dial_to(loop_, options);
    EXPECT_TRUE(connection) << connection.error().message;
    if (!connection) return nullptr;
    sink_.stream = &(*connection)->attach(loop_, &sink_);
    return std::move(*connection);
  }
  Result<QueryResult> query(Connection& connection, const std::string& sql) {
    std::optional<Result<QueryResult>> outcome;
    const ControlCall call = connection.query(
        sql, seconds(10), [&](Result<QueryResult> got) { outcome = std::move(got); });
    EXPECT_TRUE(run_until(loop_, [&] { return outcome.has_value(); }));
    return outcome ? std::move(*outcome) : fail(Code::kInternal, "no outcome");
  }
  std::string value(Connection& connection, const std::string& sql) {
    const Result<QueryResult> result = query(connection, sql);
    if (!result) return "error: " + result.error().message;
    return result->rows.empty() ? "no row" : result->rows[0][0].value_or("NULL");
  }

  net::Loop loop_;
  DialOptions options_;
  RecordingSink sink_;
};

TEST_F(TidbTest, LogsInOverVerifiedTlsAndAnswersControlCalls) {
  const auto connection = connect(options_);
  ASSERT_TRUE(connection);
  EXPECT_EQ(connection->info().tls_version, "TLSv1.3");
  EXPECT_NE(connection->info().version.find("TiDB"), std::string::npos);
  EXPECT_EQ(value(*connection, "select connection_id()"),
            std::to_string(connection->info().connection_id));
  EXPECT_EQ(value(*connection, "select @@collation_connection"), "utf8mb4_general_ci");
  EXPECT_EQ(value(*connection,
                  "select attr_value from performance_schema.session_connect_attrs where "
                  "attr_name = 'program_name' and processlist_id = connection_id()"),
            "tidepool");
}

TEST_F(TidbTest, TakesTurnsBetweenRawPacketsAndControlCalls) {
  const auto connection = connect(options_);
  ASSERT_TRUE(connection);
  for (int i = 0; i < 3; ++i) {
    sink_.received.clear();
    const std::string sql = "\x03select 'raw'";
    ASSERT_TRUE(
        connection->stream().write(std::string{static_cast<char>(sql.size()), 0, 0, 0} + sql));
    EXPECT_TRUE(
        run_until(loop_, [&] { return sink_.received.find("\x03raw") != std::string::npos; }));
    bool reset = false;
    const ControlCall call =
        connection->reset(seconds(5), [&](const Result<void>& got) { reset = got.has_value(); });
    EXPECT_TRUE(run_until(loop_, [&] { return reset; }));
  }
}

TEST_F(TidbTest, LogsInWithEveryPluginThatBothSidesHave) {
  const auto root = connect(options_);
  ASSERT_TRUE(root);
  for (const std::string plugin : {"mysql_native_password", "caching_sha2_password"}) {
    for (const std::string password : {"s3cret", ""}) {
      const std::string user = "net_" + plugin;
      ASSERT_TRUE(query(*root, "drop user if exists " + user));
      ASSERT_TRUE(query(*root, "create user " + user + " identified with " + plugin +
                                   (password.empty() ? "" : " by '" + password + "'")));
      DialOptions options = options_;
      options.user = user;
      options.password = password;
      for (const std::uint8_t collation : {std::uint8_t{45}, std::uint8_t{46}}) {
        options.profile.collation = collation;
        const auto connection = connect(options);
        ASSERT_TRUE(connection) << plugin;
        EXPECT_EQ(value(*connection, "select current_user()"), user + "@%");
        EXPECT_EQ(value(*connection, "select @@collation_connection"),
                  collation == 46 ? "utf8mb4_bin" : "utf8mb4_general_ci");
      }
      options.password = "wrong";
      const auto refused = dial_to(loop_, options);
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, Code::kAuth) << refused.error().message;
      EXPECT_EQ(refused.error().mysql_errno, 1045);
      ASSERT_TRUE(query(*root, "drop user " + user));
    }
  }
}

TEST_F(TidbTest, RefusesAnotherNameInTheCertificate) {
  options_.endpoints[0].host = "ip6-localhost";
  const auto refused = dial_to(loop_, options_);
  ASSERT_FALSE(refused);
  // Either the name is unknown here, or nobody listens on ::1, or the certificate is for another
  // name.
  EXPECT_TRUE(refused.error().code == Code::kTls || refused.error().code == Code::kRefused)
      << refused.error().message;
}

TEST_F(TidbTest, SaysWhichDatabaseIsUnknown) {
  options_.database = "no_such_database";
  const auto refused = dial_to(loop_, options_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kAuth) << refused.error().message;
  EXPECT_EQ(refused.error().mysql_errno, 1049);
}

TEST_F(TidbTest, HasTheFlagsOfItsVariant) {
  options_.profile.found_rows = true;
  options_.profile.multi_statements = true;
  const auto connection = connect(options_);
  ASSERT_TRUE(connection);
  ASSERT_TRUE(query(*connection,
                    "create table if not exists test.net_variant (id int primary key, v int)"));
  ASSERT_TRUE(query(*connection, "replace into test.net_variant values (1, 1)"));
  const auto updated = query(*connection, "update test.net_variant set v = 1 where id = 1");
  ASSERT_TRUE(updated);
  EXPECT_EQ(updated->affected_rows, 1U);
  ASSERT_TRUE(query(*connection, "drop table test.net_variant"));
}

TEST_F(TidbTest, SeesAtOnceThatAnIdleConnectionWasKilled) {
  const auto victim = connect(options_);
  ASSERT_TRUE(victim);
  // TiDB 8.5 answers a KILL of a connection that has run no statement yet with a "runtime error" of
  // its own.
  EXPECT_EQ(value(*victim, "select 1"), "1");
  const auto root = connect(options_);
  ASSERT_TRUE(root);
  RecordingSink sink;
  sink.stream = &victim->stream();
  victim->stream().set_sink(&sink);
  const auto killed = query(*root, "kill " + std::to_string(victim->info().connection_id));
  ASSERT_TRUE(killed) << killed.error().message;
  EXPECT_TRUE(run_until(loop_, [&] { return sink.ended || sink.error; }));
}

}  // namespace
}  // namespace tidepool::backend
