#include "tidepool/proxy/handover.h"

#include <gtest/gtest.h>

namespace tidepool::proxy {
namespace {

TEST(Handover, ReadsEveryWordThatItWrites) {
  const Word words[] = {{Word::Kind::kSockets, 3, "tcp 127.0.0.1 6033"},
                        {Word::Kind::kHeld, 15, "a pool with spaces"},
                        {Word::Kind::kHeld, 0, ""},
                        {Word::Kind::kUnavailable, 0, "app"},
                        {Word::Kind::kBegin, kHandoverVersion, {}},
                        {Word::Kind::kReady, 0, {}},
                        {Word::Kind::kGo, 4'294'967'295, {}},
                        {Word::Kind::kDrain, 0, {}}};
  for (const Word& word : words)
    EXPECT_EQ(decode(encode(word)), word) << encode(word);
}

TEST(Handover, TakesNothingElseForAWord) {
  for (const char* text : {"", "ready", "held x app", "held -1 app", "held 1x app", "hold 1 app"})
    EXPECT_FALSE(decode(text)) << text;
}

TEST(Handover, FindsAPlaceByItsAddress) {
  config::Listener tcp{.host = "::1", .port = 6033};
  config::Listener other = tcp;
  other.port = 6034;
  const config::Listener socket{.socket_path = "/run/tidepool/s"};
  EXPECT_NE(key_of(tcp), key_of(other));
  EXPECT_NE(key_of(tcp), key_of(socket));
  EXPECT_NE(key_of(tcp), key_of(config::Http{.host = "::1", .port = 6033}));
  tcp.tls.mode = config::ClientTlsMode::kRequired;
  EXPECT_EQ(key_of(tcp), key_of(config::Listener{.host = "::1", .port = 6033}));
}

TEST(Handover, TheOldProcessKeepsHalfAndNoMoreThanItsSessionsCanUse) {
  EXPECT_EQ(kept_backends(15, {.sessions = 1000}), 7U);
  EXPECT_EQ(kept_backends(15, {.sessions = 3}), 4U) << "one more, to kill what one of them runs";
  EXPECT_EQ(kept_backends(4, {.sessions = 1}), 2U);
  EXPECT_EQ(kept_backends(15, {}), 0U);
  EXPECT_EQ(kept_backends(1, {.sessions = 2}), 1U);
  EXPECT_EQ(kept_backends(0, {.sessions = 2}), 0U);
}

TEST(Handover, TheOldProcessKeepsMoreForThoseWhoKeepTheirs) {
  EXPECT_EQ(kept_backends(15, {.sessions = 1000, .pinned = 4}), 11U);
  EXPECT_EQ(kept_backends(15, {.sessions = 4, .pinned = 4}), 5U);
  EXPECT_EQ(kept_backends(15, {.sessions = 1000, .pinned = 100}), 14U) << "one is the new one's";
  EXPECT_EQ(kept_backends(3, {.sessions = 2, .pinned = 1}), 2U);
  EXPECT_EQ(kept_backends(1, {.sessions = 2, .pinned = 1}), 1U);
}

TEST(Handover, OneBackendIsForTheNewProcessToTry) {
  EXPECT_EQ(offered_cap(15), 14U);
  EXPECT_EQ(offered_cap(2), 1U);
  EXPECT_EQ(offered_cap(1), 1U);
  EXPECT_EQ(offered_cap(0), 0U);
}

}  // namespace
}  // namespace tidepool::proxy
