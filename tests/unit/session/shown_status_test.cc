#include "tidepool/session/shown_status.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tidepool/protocol/codec.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/text_result.h"

namespace tidepool::session {
namespace {

using protocol::Row;
using Rows = std::vector<Row>;

const net::Encryption kNone;
const net::Encryption kOwn{"TLS_OWN", "A:B:", "TLSv1.2"};

const Rows kBackends = {{"Ssl_cipher", "TLS_THEIRS"},
                        {"Ssl_cipher_list", std::string(500, 'x')},
                        {"Ssl_verify_mode", "5"},
                        {"Ssl_version", "TLSv1.3"},
                        {"Uptime", "17"},
                        {"ssl_cipher", "of another name"}};

std::vector<protocol::Column> columns() {
  auto name = protocol::string_column("Variable_name");
  auto value = protocol::string_column("Value");
  value.length = 2000;
  return {name, value};
}

std::string status_result(const Rows& rows) {
  return protocol::make_text_result(columns(), rows, 2, 0);
}

// `answer` in pieces of that size.
std::string shown(const net::Encryption& own, std::string_view answer, std::size_t piece) {
  ShownStatus status(own);
  std::string out;
  for (std::size_t at = 0; at < answer.size(); at += piece)
    out += status.feed(answer.substr(at, piece));
  return out;
}

// The rows of a result of text as those of the binary protocol.
std::string as_binary(const std::string& text_result) {
  std::string out;
  int eofs = 0;
  protocol::PacketAssembler packets;
  packets.ignore_sequence();
  std::string_view rest = text_result;
  while (const auto packet = packets.next(rest).value_or(std::nullopt)) {
    const bool is_eof = packet->payload.size() == 5 && packet->payload[0] == '\xfe';
    const bool is_row = eofs == 1 && !is_eof;
    eofs += is_eof ? 1 : 0;
    auto sequence = static_cast<std::uint8_t>(packet->frame[3]);
    const std::string prefix(is_row ? 2 : 0, '\0');
    protocol::append_packet(out, sequence, prefix + std::string(packet->payload));
  }
  return out;
}

TEST(ShownStatus, TellsAClientOfItsOwnConnection) {
  const Rows none = {{"Ssl_cipher", ""},       {"Ssl_cipher_list", ""},
                     {"Ssl_verify_mode", "0"}, {"Ssl_version", ""},
                     {"Uptime", "17"},         {"ssl_cipher", "of another name"}};
  const Rows own = {{"Ssl_cipher", "TLS_OWN"}, {"Ssl_cipher_list", "A:B:"},
                    {"Ssl_verify_mode", "5"},  {"Ssl_version", "TLSv1.2"},
                    {"Uptime", "17"},          {"ssl_cipher", "of another name"}};
  auto expected = columns();
  expected[1].length = 144;
  for (const std::size_t piece : {1U, 7U, 100000U}) {
    EXPECT_EQ(shown(kNone, status_result(kBackends), piece),
              protocol::make_text_result(expected, none, 2, 0));
    EXPECT_EQ(shown(kOwn, status_result(kBackends), piece),
              protocol::make_text_result(expected, own, 2, 0));
    EXPECT_EQ(shown(kOwn, as_binary(status_result(kBackends)), piece),
              as_binary(protocol::make_text_result(expected, own, 2, 0)));
  }
}

TEST(ShownStatus, ValueIsAsWideAsTheListOfCiphersThatLikeLeavesOut) {
  net::Encryption own = kOwn;
  own.ciphers = std::string(300, 'c');
  auto expected = columns();
  expected[1].length = 1200;

  EXPECT_EQ(shown(own, status_result({{"Uptime", "17"}}), 100000),
            protocol::make_text_result(expected, {{"Uptime", "17"}}, 2, 0));
}

TEST(ShownStatus, ValueIsNoWiderThanTheOthersOfABackendWithoutTls) {
  auto narrow = columns();
  narrow[1].length = 40;
  const std::string answer = protocol::make_text_result(narrow, {{"Ssl_cipher", ""}}, 2, 0);

  EXPECT_EQ(shown(kNone, answer, 100000), answer);
}

TEST(ShownStatus, LeavesEverythingElse) {
  const Rows rows = {{"Ssl_cipher", "x"}};
  const std::vector<protocol::Column> other = {protocol::string_column("name"),
                                               protocol::string_column("Value")};
  std::string error = protocol::make_text_result(other, rows, 2, 0);
  error.resize(error.size() - 9);
  auto sequence = std::uint8_t{6};
  protocol::append_packet(error, sequence, "\xff\x25\x05#70100Query execution was interrupted");
  const std::string ok = protocol::ok_packet({}, 1);
  for (const std::string& answer :
       {protocol::make_text_result(other, rows, 2, 0), ok, error, ok + error,
        protocol::make_text_result({protocol::string_column("Variable_name")}, {{"Ssl_cipher"}}, 2,
                                   0)}) {
    for (const std::size_t piece : {1U, 100000U})
      EXPECT_EQ(shown(kNone, answer, piece), answer);
  }
}

TEST(ShownStatus, FindsTheStatusBehindOtherResults) {
  const std::string before =
      protocol::ok_packet({}, 1) +
      protocol::make_text_result({protocol::string_column("a")}, {{"Ssl_cipher"}, {"\xfe"}}, 10, 0);
  auto expected = columns();
  expected[1].length = 144;

  EXPECT_EQ(shown(kNone, before + status_result({{"Ssl_cipher", "x"}}), 3),
            before + protocol::make_text_result(expected, {{"Ssl_cipher", ""}}, 2, 0));
}

}  // namespace
}  // namespace tidepool::session
