// What an HTTP server answers: a table of paths, each with its limits and who answers it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tidepool/admin/http_message.h"
#include "tidepool/base/clock.h"

namespace tidepool::admin {

struct HttpLimits {
  std::size_t bytes = 16'384;  // of a whole request; its head has 16 KiB at most anyway
  Duration whole{std::chrono::seconds(3)};   // from the connection to the whole request
  Duration answer{std::chrono::seconds(3)};  // from there until the answer begins; 0: any time
};

// The way to the peer of one request, for a handler that answers later or piece by piece. Copies
// mean the same peer. Any thread, also after the peer or the server is gone. When the last copy
// goes, an answer that was begun ends in the middle, and one that was not is an error 500.
class HttpReply {
 public:
  class Target;
  explicit HttpReply(std::shared_ptr<Target> target) : target_(std::move(target)) {}

  // All of it.
  void answer(HttpAnswer answer) const;
  // The beginning; what follows comes with send() until end().
  void begin(HttpAnswer head) const;
  // Returns false if the peer has gone, or has left more than 256 KiB untaken, which ends its
  // connection.
  bool send(std::string piece) const;
  void end() const;

  bool is_gone() const;
  // Runs once on the server's thread if the peer goes before end(), or now if it is gone already.
  void on_gone(std::function<void()> callback) const;

 private:
  std::shared_ptr<Target> target_;
};

// Runs on one of a few threads of the server's, and may take its time: up to HttpLimits::answer.
using HttpHandler = std::function<HttpAnswer(const HttpRequest&)>;
// Runs on the server's only thread: must not wait for anything.
using HttpReplyHandler = std::function<void(HttpRequest, HttpReply)>;

// kProbe: on a thread of its own, which nothing else can hold up. kLoop: at once, on the server's
// thread: must not wait for anything.
enum class HttpRank : std::uint8_t { kWork, kProbe, kLoop };

struct HttpRoute {
  std::string path;
  std::variant<HttpHandler, HttpReplyHandler> handler;
  std::vector<std::string> methods = {"GET"};  // HEAD is answered wherever GET is
  HttpRank rank = HttpRank::kWork;             // of an HttpHandler
  HttpLimits limits{};
};

}  // namespace tidepool::admin
