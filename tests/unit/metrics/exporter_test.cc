#include "tidepool/metrics/exporter.h"

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidepool::metrics {
namespace {

using pool::BackendState;
using pool::DialResult;
using session::PinReason;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

class ExporterTest : public testing::Test {
 protected:
  ProcessStats process;
  session::LoginStats logins;
  session::ProofStats proofs;
  session::CommandStats commands;
  pool::PoolStats pool;
  session::SessionStats worker_one;
  session::SessionStats worker_two;
  Exporter exporter{{.version = "1.2.3",
                     .process = &process,
                     .logins = &logins,
                     .proofs = &proofs,
                     .commands = &commands}};

  void add_pool() {
    exporter.set_certificates(
        {{.key = "tls.certificate", .listener = "127.0.0.1:6033", .expires = 4'000'000'000},
         {.key = "tls.ca", .pool = "other", .expires = 4'000'000'000}});
    pool.endpoints.push_back(std::make_unique<pool::EndpointStats>("[::1]:4000"));
    exporter.add_pool({.pool = "app", .stats = &pool, .sessions = {&worker_one, &worker_two}});
  }
};

// What one line of a scrape says: "name type labels…", with label names but without their values.
using Shape = std::set<std::string>;

Shape shape_of(const std::string& text) {
  const std::regex type_line("# TYPE (\\w+) (\\w+)");
  const std::regex sample("(\\w+?)(?:_bucket|_sum|_count)?(?:\\{(.*)\\})? [^ ]+");
  std::map<std::string, std::string> types;
  std::map<std::string, std::set<std::string>> labels;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, type_line)) types[match[1]] = match[2];
    if (line.starts_with("#") || !std::regex_match(line, match, sample)) continue;
    const std::string name = match[1];
    const std::string inside = match[2];
    const std::regex label("(\\w+)=\"[^\"]*\"");
    for (std::sregex_iterator it(inside.begin(), inside.end(), label), end; it != end; ++it) {
      if ((*it)[1] != "le") labels[name].insert((*it)[1]);
    }
  }
  Shape shape;
  for (const auto& [name, type] : types) {
    std::string entry = name + " " + type;
    for (const std::string& label : labels[name])
      entry += " " + label;
    shape.insert(entry);
  }
  return shape;
}

// The same from the tables of docs/metrics.md: | `name` | type | `label`, `label` | meaning |
Shape documented() {
  std::ifstream file(TIDEPOOL_SOURCE_DIR "/docs/metrics.md");
  const std::regex row("\\| `(tidepool_\\w+)` \\| (\\w+) \\| ([^|]*) \\| [^|]+ \\|");
  const std::regex label("`(\\w+)`");
  Shape shape;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    const std::string inside = match[3];
    std::set<std::string> labels;
    for (std::sregex_iterator it(inside.begin(), inside.end(), label), end; it != end; ++it) {
      labels.insert((*it)[1]);
    }
    std::string entry = match[1].str() + " " + match[2].str();
    for (const std::string& name : labels)
      entry += " " + name;
    shape.insert(entry);
  }
  return shape;
}

// What docs/metrics.md lists as the values of the labels, so that no reason is left unexplained.
std::string documentation() {
  std::ifstream file(TIDEPOOL_SOURCE_DIR "/docs/metrics.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(ExporterTest, NamesExactlyWhatIsDocumented) {
  add_pool();
  logins.users.show({{"app", {protocol::Proof::kPrimary}}});

  EXPECT_THAT(shape_of(exporter.render()), testing::ContainerEq(documented()));
}

TEST_F(ExporterTest, EveryLabelValueIsDocumented) {
  add_pool();
  using protocol::Proof;
  logins.users.show(
      {{"app", {Proof::kPrimary, Proof::kSecondary, Proof::kCertificate, Proof::kUnixUser}}});
  const std::string text = exporter.render();
  const std::string docs = documentation();

  const std::regex value(
      "(state|result|reason|command|outcome|direction|proof|limit|kind|source)=\"(\\w+)\"");
  for (std::sregex_iterator it(text.begin(), text.end(), value), end; it != end; ++it) {
    EXPECT_THAT(docs, HasSubstr("`" + (*it)[2].str() + "`"));
  }
}

TEST_F(ExporterTest, NamesKeepToTheConventionsOfPrometheus) {
  add_pool();

  for (const std::string& entry : shape_of(exporter.render())) {
    EXPECT_THAT(entry, testing::StartsWith("tidepool_"));
    const std::string name = entry.substr(0, entry.find(' '));
    EXPECT_EQ(name.ends_with("_total"), entry.find(" counter") != std::string::npos) << entry;
    const bool is_histogram = entry.find(" histogram") != std::string::npos;
    EXPECT_TRUE(!is_histogram || name.ends_with("_seconds")) << entry;
  }
}

TEST_F(ExporterTest, WritesWhatThePoolCounted) {
  add_pool();
  pool.cap.set(15);
  pool.backends[BackendState::kIdle].add();
  pool.dials[pool::DialResult::kTls].add(2);
  pool.dial_duration.observe(std::chrono::milliseconds(3));

  const std::string text = exporter.render();

  EXPECT_THAT(text, HasSubstr("tidepool_pool_cap{pool=\"app\"} 15\n"));
  EXPECT_THAT(text, HasSubstr("tidepool_backends{pool=\"app\",state=\"dialling\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("tidepool_backends{pool=\"app\",state=\"idle\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("tidepool_dials_total{pool=\"app\",result=\"tls\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr("tidepool_dial_duration_seconds_bucket{pool=\"app\",le=\"0.0025\"} 0\n"));
  EXPECT_THAT(text,
              HasSubstr("tidepool_dial_duration_seconds_bucket{pool=\"app\",le=\"0.005\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("tidepool_dial_duration_seconds_bucket{pool=\"app\",le=\"+Inf\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("tidepool_dial_duration_seconds_sum{pool=\"app\"} 0.003\n"));
}

TEST_F(ExporterTest, AFormerNameHasTheFigureOfTheNewOne) {
  add_pool();
  pool.unavailable.set(1);
  const std::string text = exporter.render();

  EXPECT_THAT(text, HasSubstr("\ntidepool_tidb_unavailable{pool=\"app\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\ntidepool_tidb_away{pool=\"app\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("# HELP tidepool_tidb_away Deprecated: the old name of "
                              "tidepool_tidb_unavailable.\n"));
}

TEST_F(ExporterTest, AddsUpTheWorkersOfAPool) {
  add_pool();
  worker_one.queries[session::CommandKind::kQuery][session::Outcome::kOk].add(3);
  worker_two.queries[session::CommandKind::kQuery][session::Outcome::kOk].add(4);
  worker_one.query_duration.observe(std::chrono::microseconds(70));
  worker_two.query_duration.observe(std::chrono::microseconds(80));
  // Opened on one worker and closed on the other, should a session ever move: only the sum counts.
  worker_one.sessions[session::SessionActivity::kIdle].add();
  worker_two.sessions[session::SessionActivity::kIdle].sub();

  const std::string text = exporter.render();

  EXPECT_THAT(
      text, HasSubstr("tidepool_queries_total{pool=\"app\",command=\"query\",outcome=\"ok\"} 7\n"));
  EXPECT_THAT(text,
              HasSubstr("tidepool_query_duration_seconds_bucket{pool=\"app\",le=\"0.0001\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("tidepool_sessions{pool=\"app\",state=\"idle\"} 0\n"));
}

TEST_F(ExporterTest, SaysWhatTheProcessIs) {
  process.clients.set(7);
  process.ready.set(1);
  logins.failures[session::LoginFailure::kPassword].add();

  const std::string text = exporter.render();

  EXPECT_THAT(text, HasSubstr("tidepool_build_info{version=\"1.2.3\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("tidepool_clients 7\n"));
  EXPECT_THAT(text, HasSubstr("tidepool_ready 1\n"));
  EXPECT_THAT(text, HasSubstr("tidepool_login_failures_total{reason=\"password\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("tidepool_process_open_fds 0\n")));
  EXPECT_THAT(text, Not(HasSubstr("tidepool_process_resident_memory_bytes 0\n")));
}

TEST_F(ExporterTest, ShowsWhoLogsInByWhat) {
  using protocol::Proof;
  logins.users.show({{"app", {Proof::kPrimary, Proof::kSecondary}}, {"cron", {Proof::kUnixUser}}});
  logins.users.of("app")[Proof::kPrimary].add(3);

  const std::string text = exporter.render();

  EXPECT_THAT(text, HasSubstr("tidepool_logins_total{user=\"app\",proof=\"primary\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("tidepool_logins_total{user=\"app\",proof=\"secondary\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("tidepool_logins_total{user=\"cron\",proof=\"unix_user\"} 0\n"));
  logins.users.show({{"app", {Proof::kPrimary}}});
  EXPECT_THAT(exporter.render(), Not(HasSubstr("secondary")));
  EXPECT_THAT(exporter.render(), Not(HasSubstr("cron")));
}

TEST_F(ExporterTest, TellsWhenTheCertificatesInUseExpire) {
  exporter.set_certificates(
      {{.key = "tls.certificate", .listener = "127.0.0.1:6033", .expires = 1'800'000'000},
       {.key = "tls.certificate", .listener = "/run/tidepool.sock", .expires = 5}});
  exporter.set_certificates(
      {{.key = "tls.client_ca", .listener = "[::1]:6033", .expires = 1'900'000'000},
       {.key = "tls.ca", .pool = "app", .expires = 2'000'000'000}});

  const std::string text = exporter.render();

  EXPECT_THAT(text, HasSubstr("tidepool_certificate_expiry_timestamp_seconds"
                              "{listener=\"[::1]:6033\",key=\"tls.client_ca\"} 1900000000\n"));
  EXPECT_THAT(text, HasSubstr("tidepool_certificate_expiry_timestamp_seconds"
                              "{pool=\"app\",key=\"tls.ca\"} 2000000000\n"));
  EXPECT_THAT(text, Not(HasSubstr("127.0.0.1:6033")));
}

TEST_F(ExporterTest, ForgetsAPoolThatIsRemoved) {
  add_pool();
  exporter.remove_pool("app");
  exporter.remove_pool("no such pool");

  EXPECT_THAT(exporter.render(), Not(HasSubstr("pool=\"app\"")));
  EXPECT_TRUE(exporter.summaries().empty());
}

TEST_F(ExporterTest, SummarisesAPoolForTheStatusPage) {
  add_pool();
  pool.cap.set(15);
  pool.size.set(5);
  pool.backends[BackendState::kLeased].add(2);
  worker_two.pin(PinReason::kLock);
  worker_one.pin(PinReason::kTransaction);
  worker_one.unpin(PinReason::kTransaction);

  const auto summaries = exporter.summaries();

  ASSERT_EQ(summaries.size(), 1U);
  EXPECT_EQ(summaries[0].pool, "app");
  EXPECT_EQ(summaries[0].cap, 15);
  EXPECT_EQ(summaries[0].size, 5);
  EXPECT_THAT(summaries[0].backends,
              ElementsAre(Pair("dialling", 0), Pair("idle", 0), Pair("leased", 2),
                          Pair("parked", 0), Pair("resetting", 0), Pair("closing", 0)));
  EXPECT_THAT(summaries[0].pinned, ElementsAre(Pair("lock", 1)));
}

}  // namespace
}  // namespace tidepool::metrics
