// Any bytes as an HTTP request, whole and in pieces: both are taken for the same, what is taken
// keeps within the limits, and what is refused has a status and a reason. Its Host is judged too.
#include <algorithm>
#include <optional>
#include <string>

#include "fuzz_input.h"
#include "host_check.h"
#include "request_parser.h"
#include "tidepool/base/check.h"

using namespace tidepool::admin;  // NOLINT(google-build-using-namespace)

namespace {

using State = RequestParser::State;

constexpr std::size_t kLimit = 4'096;

struct Outcome {
  State state = State::kBegin;
  int refused = 0;
  HttpRequest request;
};

Outcome read(std::string_view bytes, std::size_t piece) {
  RequestParser parser;
  HttpResult<State> state = State::kBegin;
  while (!bytes.empty() && state && *state != State::kDone) {
    state = parser.put(tidepool::fuzz::take_piece(bytes, piece));
    if (state && *state == State::kHead) state = parser.take_body(kLimit);
    TIDEPOOL_CHECK(!state || *state != State::kHead);
    TIDEPOOL_CHECK(parser.request().body.size() <= kLimit);
    TIDEPOOL_CHECK(parser.request().headers.size() <= RequestParser::kMaxHeaders);
  }
  if (state) return {*state, 0, std::move(parser.request())};
  TIDEPOOL_CHECK(state.error().status >= 400 && state.error().status <= 501);
  TIDEPOOL_CHECK(!state.error().text.empty());
  return {parser.state(), state.error().status, {}};
}

void check_request(const HttpRequest& request) {
  TIDEPOOL_CHECK(request.path.starts_with('/') && !request.method.empty());
  TIDEPOOL_CHECK(request.path.find_first_of("\r\n ?") == std::string::npos);
  for (const auto& [name, value] : request.headers) {
    TIDEPOOL_CHECK(!name.empty() && name.find_first_of("\r\n: ") == std::string::npos);
    TIDEPOOL_CHECK(value.find_first_of("\r\n") == std::string::npos);
  }
  const auto refusal = check_host(request, {"pool.example"});
  TIDEPOOL_CHECK(!refusal || refusal->text.find_first_of("\r\n") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = tidepool::fuzz::as_view(data, size);
  const std::size_t piece = tidepool::fuzz::take_byte(input);
  const Outcome whole = read(input, input.size() + 1);
  const Outcome pieces = read(input, piece);
  // What is refused at once may be waited for in pieces; what is taken is taken either way, but for
  // a limit that a large piece passes before it is looked at.
  const bool is_whole = whole.refused == 0 && whole.state == State::kDone;
  const bool is_done = pieces.refused == 0 && pieces.state == State::kDone;
  TIDEPOOL_CHECK(is_whole == is_done || input.size() > kLimit);
  if (!is_whole || !is_done) return 0;
  TIDEPOOL_CHECK(whole.request.headers == pieces.request.headers);
  TIDEPOOL_CHECK(whole.request.body == pieces.request.body);
  TIDEPOOL_CHECK(whole.request.path == pieces.request.path);
  check_request(whole.request);
  return 0;
}
