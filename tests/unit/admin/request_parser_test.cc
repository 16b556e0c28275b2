#include "request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidepool::admin {
namespace {

using State = RequestParser::State;
using testing::HasSubstr;

constexpr std::string_view kPost =
    "POST /a/b?c=d&e HTTP/1.1\r\nHost: x\r\nX-Some:  Thing \r\nTransfer-Encoding: Chunked\r\n\r\n";
constexpr std::string_view kBody = "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nLate: 1\r\n\r\n";

// The whole text, `piece` bytes at a time.
HttpResult<State> put_all(RequestParser& parser, std::string_view text, std::size_t piece,
                          std::size_t limit = RequestParser::kMaxHead) {
  HttpResult<State> state = State::kBegin;
  while (!text.empty()) {
    state = parser.put(text.substr(0, piece));
    if (state && *state == State::kHead) state = parser.take_body(limit);
    if (!state) return state;
    text.remove_prefix(std::min(piece, text.size()));
  }
  return state;
}

int status_of(std::string_view text, std::size_t limit = RequestParser::kMaxHead) {
  RequestParser parser;
  const auto state = put_all(parser, text, 1'000, limit);
  return state ? 0 : state.error().status;
}

TEST(RequestParser, TakesARequestInPiecesOfAnySize) {
  const std::string text = std::string(kPost) + std::string(kBody);
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    RequestParser parser;
    const auto state = put_all(parser, text, piece);
    ASSERT_TRUE(state) << state.error().text;
    ASSERT_EQ(*state, State::kDone) << piece;
    const HttpRequest& request = parser.request();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/a/b");
    EXPECT_EQ(request.query, "c=d&e");
    EXPECT_EQ(*request.header("x-some"), "Thing");
    EXPECT_EQ(request.header("late"), nullptr) << "a trailer is no header";
    EXPECT_EQ(request.body, "abcde");
    EXPECT_FALSE(parser.has_extra());
  }
}

TEST(RequestParser, WaitsWithTheBodyUntilItMayGoOn) {
  RequestParser parser;
  EXPECT_EQ(parser.put("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nabc"), State::kHead);
  EXPECT_EQ(parser.request().body, "");
  EXPECT_EQ(parser.request().minor_version, 0);

  EXPECT_EQ(parser.take_body(1'000), State::kDone);

  EXPECT_EQ(parser.request().body, "ab");
  EXPECT_TRUE(parser.has_extra());
}

TEST(RequestParser, KeepsWithinItsLimits) {
  const std::string begin = "POST / HTTP/1.1\r\n";
  EXPECT_EQ(status_of("GET /" + std::string(16'500, 'x')), 414);
  EXPECT_EQ(status_of(begin + "X: " + std::string(16'500, 'x')), 431);
  EXPECT_EQ(status_of(begin + "X: " + std::string(16'300, 'x') + "\r\nY: " + std::string(100, 'y') +
                      "\r\n\r\n"),
            431);
  std::string many = begin;
  for (int i = 0; i < 66; ++i)
    many += "a: b\r\n";
  EXPECT_EQ(status_of(many), 431);
  EXPECT_EQ(status_of(begin + "Content-Length: 1000\r\n\r\n", 1'000), 413);
  EXPECT_EQ(status_of(begin + "Content-Length: 99999999999999999999\r\n\r\n"), 400);
  EXPECT_EQ(status_of(begin + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"), 413);
  EXPECT_EQ(status_of(begin + "Transfer-Encoding: chunked\r\n\r\n1ffffffffffffffff\r\n"), 400);
  EXPECT_EQ(status_of(begin + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(17'000, 'x')),
            431);
  EXPECT_EQ(
      status_of(begin + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(17'000, 'x')),
      431);
}

TEST(RequestParser, RefusesWhatTwoReadersMayTakeForTwoRequests) {
  const std::string begin = "POST / HTTP/1.1\r\n";
  for (const char* headers :
       {"Content-Length: 1\r\nContent-Length: 2\r\n", "Content-Length: 1, 2\r\n",
        "Content-Length: +1\r\n", "Content-Length: 0x1\r\n", "Content-Length:\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Content-Length : 1\r\n",
        "X: a\nContent-Length: 1\r\n"}) {
    EXPECT_EQ(status_of(begin + headers + "\r\n"), 400) << headers;
  }
  EXPECT_EQ(status_of(begin + "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501);
  EXPECT_EQ(status_of(begin + "Transfer-Encoding: identity\r\n\r\n"), 501);
}

TEST(RequestParser, RefusesOtherFormsOfATarget) {
  for (const char* target : {"*", "http://x/", "x:1", ""})
    EXPECT_EQ(status_of("GET " + std::string(target) + " HTTP/1.1\r\n\r\n"), 400) << target;
}

}  // namespace
}  // namespace tidepool::admin
