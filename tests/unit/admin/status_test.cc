#include "tidepool/admin/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tidepool::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

Status example() {
  Status status;
  status.version = "1.2.3";
  status.uptime = std::chrono::hours(25) + std::chrono::seconds(61);
  status.readiness = {false, "draining"};
  status.workers = 2;
  status.clients = 40;
  status.max_clients = 10000;
  PoolStatus pool;
  pool.figures.pool = "app<b>";
  pool.figures.cap = 15;
  pool.figures.size = 5;
  pool.figures.waiters = 3;
  pool.figures.backends = {{"idle", 0}, {"leased", 15}};
  pool.figures.sessions = {{"idle", 22}, {"waiting", 3}};
  pool.figures.pinned = {{"lock", 1}};
  pool.figures.last_dial_error_time = 1'000'000'000;
  pool.address = "db.example:4000";
  pool.last_dial_error = "bad \"certificate\" \xff <script>";
  status.pools = {pool};
  return status;
}

TEST(StatusJson, HoldsTheSameFacts) {
  const auto json = nlohmann::json::parse(to_json(example()));

  EXPECT_EQ(json["version"], "1.2.3");
  EXPECT_EQ(json["uptime_seconds"], 90061);
  EXPECT_EQ(json["ready"], false);
  EXPECT_EQ(json["reason"], "draining");
  EXPECT_EQ(json["clients"], 40);
  const auto& pool = json["pools"].at(0);
  EXPECT_EQ(pool["name"], "app<b>");
  EXPECT_EQ(pool["cap"], 15);
  EXPECT_EQ(pool["backends"]["leased"], 15);
  EXPECT_EQ(pool["sessions"]["waiting"], 3);
  EXPECT_EQ(pool["pinned"]["lock"], 1);
  EXPECT_EQ(pool["last_dial_error"]["unix_time"], 1'000'000'000);
}

TEST(StatusJson, SaysNullWhenNoDialHasFailed) {
  Status status = example();
  status.pools[0].last_dial_error.clear();

  EXPECT_TRUE(nlohmann::json::parse(to_json(status))["pools"][0]["last_dial_error"].is_null());
}

TEST(StatusHtml, ShowsPoolsAndEscapesTheirTexts) {
  const std::string page = to_html(example());

  EXPECT_THAT(page, HasSubstr("not ready: draining"));
  EXPECT_THAT(page, HasSubstr("1 d 01:01:01"));
  EXPECT_THAT(page, HasSubstr("5, at most 15"));
  EXPECT_THAT(page, HasSubstr("<td>15 leased</td>"));
  EXPECT_THAT(page, HasSubstr("22 idle · 3 waiting"));
  EXPECT_THAT(page, HasSubstr("1 lock"));
  EXPECT_THAT(page, HasSubstr("2001-09-09 01:46:40 UTC"));
  EXPECT_THAT(page, HasSubstr("app&lt;b&gt;"));
  EXPECT_THAT(page, HasSubstr("bad &quot;certificate&quot;"));
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
}

TEST(StatusHtml, NamesNoExternalResource) {
  const std::string page = to_html(example());

  EXPECT_THAT(page, Not(HasSubstr("http:")));
  EXPECT_THAT(page, Not(HasSubstr("https:")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
}

TEST(StatusHtml, IsCompleteWithoutAnyPool) {
  const std::string page = to_html(Status{});

  EXPECT_THAT(page, testing::StartsWith("<!doctype html>"));
  EXPECT_THAT(page, testing::EndsWith("</html>\n"));
}

}  // namespace
}  // namespace tidepool::admin
