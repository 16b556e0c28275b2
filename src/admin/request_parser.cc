#include "request_parser.h"

#include <algorithm>
#include <limits>
#include <ostream>  // Boost 1.74 forgets it

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace tidepool::admin {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

// Of a chunk's header, or of the trailers: what must be there at once.
constexpr std::size_t kMaxPiece = 16'384;

std::string text_of(string_view text) {
  return {text.data(), text.size()};
}

std::string lower(string_view text) {
  std::string copy = text_of(text);
  std::transform(copy.begin(), copy.end(), copy.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return copy;
}

}  // namespace

const std::string* HttpRequest::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [name](const auto& one) { return one.first == name; });
  return found == headers.end() ? nullptr : &found->second;
}

// What Beast finds, collected.
class RequestParser::Grammar final : public http::basic_parser<true> {
 public:
  Grammar() {
    header_limit(2 * kMaxHead);  // ours is less
    // Until the route is known; without a limit this version of Beast would refuse every body.
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  HttpRequest request;
  error_code error{};
  bool has_request_line = false;
  bool has_too_many_headers = false;
  bool is_origin_form = false;

  // How many bytes were taken.
  std::size_t take(std::string_view bytes) {
    return put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  }

 private:
  void on_request_impl(http::verb /*method*/, string_view method, string_view target, int version,
                       error_code& /*error*/) override {
    has_request_line = true;
    request.method = text_of(method);
    request.minor_version = version % 10;
    const std::string text = text_of(target);
    const std::size_t mark = text.find('?');
    request.path = text.substr(0, mark);
    if (mark != std::string::npos) request.query = text.substr(mark + 1);
    is_origin_form = !text.empty() && text.front() == '/';
  }

  void on_field_impl(http::field /*name*/, string_view name, string_view value,
                     error_code& failed) override {
    if (++fields_ > kMaxHeaders) {
      has_too_many_headers = true;
      failed = http::error::bad_field;
    } else if (!is_header_done()) {  // trailers mean nothing to anybody
      request.headers.emplace_back(lower(name), text_of(value));
    }
  }

  std::size_t on_body_impl(string_view body, error_code& /*error*/) override {
    request.body.append(body.data(), body.size());
    return body.size();
  }
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, string_view body,
                                 error_code& /*error*/) override {
    request.body.append(body.data(), body.size());
    return body.size();
  }

  void on_response_impl(int /*code*/, string_view /*reason*/, int /*version*/,
                        error_code& /*error*/) override {}
  void on_header_impl(error_code& /*error*/) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         error_code& /*error*/) override {}
  void on_chunk_header_impl(std::uint64_t /*size*/, string_view /*extensions*/,
                            error_code& /*error*/) override {}
  void on_finish_impl(error_code& /*error*/) override {}

  std::size_t fields_ = 0;
};

RequestParser::RequestParser() : grammar_(std::make_unique<Grammar>()) {}

RequestParser::~RequestParser() = default;

RequestParser::State RequestParser::state() const {
  return state_;
}

HttpRequest& RequestParser::request() {
  return grammar_->request;
}

bool RequestParser::has_begun() const {
  return head_bytes_ > 0 || !buffer_.empty();
}

bool RequestParser::has_extra() const {
  return used_ < buffer_.size();
}

std::size_t RequestParser::held_bytes() const {
  return buffer_.capacity() + grammar_->request.body.capacity();
}

HttpResult<RequestParser::State> RequestParser::put(std::string_view bytes) {
  buffer_.append(bytes);
  return go_on();
}

HttpResult<RequestParser::State> RequestParser::take_body(std::size_t limit) {
  limit_ = limit;
  const std::uint64_t rest = limit - std::min(limit, head_bytes_);
  grammar_->body_limit(rest);
  if (grammar_->content_length().value_or(0) > rest) {
    grammar_->error = http::error::body_limit;
    return tl::unexpected(explain());
  }
  state_ = State::kBody;
  return go_on();
}

HttpResult<RequestParser::State> RequestParser::go_on() {
  if (state_ == State::kHead || state_ == State::kDone) return state_;
  while (used_ < buffer_.size() && !grammar_->is_done()) {
    const std::size_t taken = grammar_->take(std::string_view(buffer_).substr(used_));
    used_ += taken;
    if (state_ == State::kBegin) head_bytes_ += taken;
    if (grammar_->error == http::error::need_more) break;
    if (grammar_->error || head_bytes_ > kMaxHead) return tl::unexpected(explain());
    if (state_ == State::kBegin && grammar_->is_header_done()) return on_head();
    if (taken == 0) break;
  }
  if (grammar_->is_done()) return state_ = State::kDone;
  buffer_.erase(0, used_);
  used_ = 0;
  const std::size_t allowed = state_ == State::kBegin ? kMaxHead - head_bytes_ : kMaxPiece;
  if (buffer_.size() >= allowed) {
    grammar_->error = http::error::header_limit;
    return tl::unexpected(explain());
  }
  return state_;
}

HttpResult<RequestParser::State> RequestParser::on_head() {
  if (!grammar_->is_origin_form) {
    return tl::unexpected(HttpRefusal{400, "the path of a request begins with /"});
  }
  const std::string* coding = grammar_->request.header("transfer-encoding");
  if (coding != nullptr && !boost::beast::iequals(*coding, "chunked")) {
    return tl::unexpected(HttpRefusal{501, "the one Transfer-Encoding known is chunked"});
  }
  return state_ = State::kHead;
}

HttpRefusal RequestParser::explain() const {
  const auto number = [](std::size_t value) { return std::to_string(value); };
  if (grammar_->has_too_many_headers) {
    return {431, "a request has at most " + number(kMaxHeaders) + " headers"};
  }
  if (grammar_->error == http::error::body_limit) {
    return {413, "a request of this path has at most " + number(limit_) + " bytes"};
  }
  const bool is_long = grammar_->error == http::error::header_limit || head_bytes_ > kMaxHead;
  if (is_long && !grammar_->has_request_line) {
    return {414, "a request's first line has at most " + number(kMaxHead) + " bytes"};
  }
  if (is_long) return {431, "a request's head has at most " + number(kMaxHead) + " bytes"};
  return {400, "not a request of HTTP/1.1: " + grammar_->error.message()};
}

}  // namespace tidepool::admin
