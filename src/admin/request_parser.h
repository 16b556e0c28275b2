// Cuts an HTTP request out of bytes as they come, within limits. Boost.Beast's parser reads the
// grammar, and is named here only; no I/O.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "tidepool/admin/http_message.h"

namespace tidepool::admin {

// Why a request is not answered: an HTTP status, and a sentence for a human.
struct HttpRefusal {
  int status = 400;
  std::string text;
};
template <class T>
using HttpResult = tl::expected<T, HttpRefusal>;

class RequestParser {
 public:
  static constexpr std::size_t kMaxHead = 16'384;
  static constexpr std::size_t kMaxHeaders = 64;

  // kHead: the head is there, and nothing goes on before take_body().
  enum class State { kBegin, kHead, kBody, kDone };

  RequestParser();
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // After a refusal there is nothing more to be put.
  HttpResult<State> put(std::string_view bytes);
  // In kHead: goes on, and takes a request of at most so many bytes, its head included.
  HttpResult<State> take_body(std::size_t limit);

  State state() const;
  // Whole with kDone; from kHead on without its body.
  HttpRequest& request();
  bool has_begun() const;  // any byte has come
  bool has_extra() const;  // bytes behind the request have come
  std::size_t held_bytes() const;

 private:
  class Grammar;

  HttpResult<State> go_on();
  HttpResult<State> on_head();
  HttpRefusal explain() const;

  std::unique_ptr<Grammar> grammar_;
  State state_ = State::kBegin;
  std::string buffer_;  // not parsed yet, from used_ on
  std::size_t used_ = 0;
  std::size_t head_bytes_ = 0;
  std::size_t limit_ = kMaxHead;
};

}  // namespace tidepool::admin
