#include "config_support.h"

namespace tidepool::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ReloadableTest : public testing::Test {
 protected:
  ReloadableTest() {
    current_.pools = {pool("app", "a.example")};
    current_.users.resize(1);
    next_ = current_;
  }
  static Pool pool(const std::string& name, const std::string& host) {
    Pool pool;
    pool.name = name;
    pool.endpoints = {{host, 4000}};
    return pool;
  }
  Config apply() { return reloadable(current_, next_, kept_); }

  Config current_;
  Config next_;
  std::vector<std::string> kept_;
};

TEST_F(ReloadableTest, TakesWhatARunningProcessCanChange) {
  next_.log.level = log::Level::kDebug;
  next_.max_clients = 7;
  next_.http.hosts = {"tidepool"};
  next_.listeners[0].tls = {ClientTlsMode::kRequired, "c.pem", "k.pem"};
  next_.pools[0].size = 9;
  next_.pools[0].password = "new";
  next_.pools.push_back(pool("other", "b.example"));
  next_.users.clear();

  EXPECT_EQ(apply(), next_);
  EXPECT_THAT(kept_, IsEmpty());
}

TEST_F(ReloadableTest, KeepsAndNamesWhatNeedsARestart) {
  next_.workers = 8;
  next_.http.port = 1;
  next_.listeners[0].port = 2;
  next_.pools[0].endpoints = {{"b.example", 4000}};
  next_.pools[0].prepare_cache_ttl = Milliseconds(1);

  EXPECT_EQ(apply(), current_);
  EXPECT_THAT(kept_, ElementsAre("workers", "http.address", "listeners", "endpoints of pool app",
                                 "prepare_cache_ttl of pool app"));
}

TEST_F(ReloadableTest, TakesTheListenersAsAWhole) {
  next_.listeners.emplace_back().socket_path = "/s";
  next_.listeners[0].tls.mode = ClientTlsMode::kRequired;

  EXPECT_EQ(apply().listeners, current_.listeners);
  EXPECT_THAT(kept_, ElementsAre("listeners"));
}

}  // namespace
}  // namespace tidepool::config
