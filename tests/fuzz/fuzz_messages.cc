// Every decoder on its own; what decodes must encode to something that decodes to the same.
#include "fuzz_input.h"
#include "tidepool/base/check.h"
#include "tidepool/protocol/messages.h"

using namespace tidepool::protocol;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = tidepool::fuzz::as_view(data, size);
  const std::uint8_t choice = tidepool::fuzz::take_byte(input);
  if (const auto ok = parse_ok(input)) TIDEPOOL_CHECK(*parse_ok(encode_ok(*ok)) == *ok);
  if (const auto eof = parse_eof(input)) TIDEPOOL_CHECK(*parse_eof(encode_eof(*eof)) == *eof);
  if (const auto err = parse_err(input)) TIDEPOOL_CHECK(parse_err(encode_err(*err)).has_value());
  if (const auto prepare = parse_stmt_prepare_ok(input)) {
    TIDEPOOL_CHECK(*parse_stmt_prepare_ok(encode_stmt_prepare_ok(*prepare)) == *prepare);
  }
  if (const auto execute = parse_stmt_execute(input, choice)) {
    TIDEPOOL_CHECK(parse_stmt_execute(encode_stmt_execute(*execute), choice).has_value());
  }
  if (const auto greeting = parse_greeting(input)) {
    TIDEPOOL_CHECK(parse_greeting(encode_greeting(*greeting)).has_value());
  }
  if (const auto request = parse_change_user(input, choice * 0x10101U)) {
    TIDEPOOL_CHECK(parse_change_user(encode_change_user(*request, 0), 0).has_value());
  }
  static_cast<void>(parse_auth_switch_request(input));
  static_cast<void>(parse_text_result(input));
  static_cast<void>(parse_column(input));
  return 0;
}
