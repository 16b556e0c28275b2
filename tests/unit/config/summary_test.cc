#include "config_support.h"

namespace tidepool::config {
namespace {

TEST(Summary, SaysWhatIsListenedOnWhichTidbHowVerifiedAndHowLarge) {
  const Config config = config_of(load(R"(
listeners:
  - address: 0.0.0.0:6033
  - socket: /run/t.sock
pools:
  - {name: a, host: gw.example, user: p.root, password: hush, database: app, min_idle: 2}
  - {name: b, endpoints: ["127.0.0.1:4000", "[::1]:4001"], user: root, password: hush,
     tls: {mode: disabled}, recycle: 0, size: 1, max_overflow: 0}
users:
  - {name: x, password: hush, pool: a}
  - {name: y, password: hush, pool: b}
)"));

  EXPECT_EQ(lines(summary(config)),
            R"(listening on 0.0.0.0:6033, TLS off
listening on /run/t.sock, mode 0660
metrics and health on http://127.0.0.1:6034
workers 1, at most 10000 clients
pool a: TiDB at gw.example:4000 as p.root, TLS 1.2 or newer, certificate and host name verified by the system's CAs; at most 15 backends (size 5, max_overflow 10, min_idle 2), waiting 30s, recycled after 5m
pool b: TiDB at 127.0.0.1:4000, then [::1]:4001 as root, plaintext; at most 1 backends (size 1, max_overflow 0), waiting 30s, never recycled
user x: pool a, database app
user y: pool b, no default database
)");
}

TEST(Summary, SaysHowMuchIsVerified) {
  Config config;
  config.http.enabled = false;
  Pool pool;
  pool.endpoints = {{"h", 4000}};
  pool.tls.ca = "/ca.pem";
  config.pools = {pool, pool, pool};
  config.pools[1].tls.mode = TlsMode::kVerifyCa;
  config.pools[2].tls.mode = TlsMode::kRequired;

  const std::string text = lines(summary(config));

  EXPECT_THAT(text, testing::HasSubstr("metrics and health off"));
  EXPECT_THAT(text, testing::HasSubstr("certificate and host name verified by /ca.pem"));
  EXPECT_THAT(text, testing::HasSubstr("certificate verified by /ca.pem, host name not"));
  EXPECT_THAT(text, testing::HasSubstr("nothing verified"));
}

TEST(Summary, SaysWhichListenersWantCertificates) {
  Config config;
  config.listeners[0].tls = {ClientTlsMode::kRequired, "/s.crt", "/s.key", "/c.pem",
                             VerifyClient::kOptional};
  EXPECT_THAT(lines(summary(config)),
              testing::HasSubstr("TLS required, certificates of clients optional, verified by "
                                 "/c.pem\n"));
}

}  // namespace
}  // namespace tidepool::config
