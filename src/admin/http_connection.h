// One connection of the HTTP port, which is for one request.
//
//   reading ──► waiting ──► sending ──► (lingering) ──► end
//                     └───► streaming ──► sending
//
// Owned by the HttpService; on its loop's thread. Every phase but streaming has a deadline, and in
// reading, sending and lingering the connection may be ended for the sake of another one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "byte_budget.h"
#include "handler_threads.h"
#include "reply_line.h"
#include "request_parser.h"
#include "tidepool/net/fd.h"
#include "tidepool/net/stream.h"
#include "tidepool/net/timer.h"

namespace tidepool::admin {

class HttpConnection;

// What all connections share.
struct HttpCommons {
  net::Loop& loop;
  const std::vector<HttpRoute> routes;
  std::vector<std::string> hosts{};  // in lower case
  std::size_t busy = 0;              // connections that cannot be ended for others
  ByteBudget budget;                 // bodies that came, and answers that are not taken yet
  HandlerThreads work;               // the threads are last: they use what is above
  HandlerThreads probes;
};

class HttpConnectionOwner {
 public:
  HttpConnectionOwner() = default;
  HttpConnectionOwner(const HttpConnectionOwner&) = delete;
  HttpConnectionOwner& operator=(const HttpConnectionOwner&) = delete;
  virtual ~HttpConnectionOwner() = default;

  // It is of no further use; retires it.
  virtual void on_end(HttpConnection& connection) = 0;
  // Ends the one that has been sending for longest. Returns false if no other one is.
  virtual bool end_a_sender(const HttpConnection& except) = 0;
};

class HttpConnection final : private net::StreamSink, private ReplySink {
 public:
  enum class Phase : std::uint8_t { kReading, kWaiting, kStreaming, kSending, kLingering };

  HttpConnection(HttpCommons& commons, HttpConnectionOwner& owner, net::UniqueFd fd);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection() override;

  Phase phase() const { return phase_; }
  TimePoint since() const { return since_; }
  bool may_be_ended() const { return phase_ != Phase::kWaiting && phase_ != Phase::kStreaming; }
  // Whether there is something to be waited for when the server stops.
  bool has_begun() const { return phase_ != Phase::kReading || parser_.has_begun(); }

  // Whatever it is doing.
  void end();
  net::UniqueFd release_fd() { return std::move(fd_); }

 private:
  // net::StreamSink
  void on_readable() override;
  void on_drained() override;
  void on_error(Error error) override;
  // ReplySink
  void on_answer(HttpAnswer answer) override;
  void on_begin(HttpAnswer head) override;
  void on_piece(std::string_view piece) override;
  void on_end() override;
  void on_given_up() override;

  void enter(Phase phase, Duration limit);
  void on_deadline();
  void on_bytes(std::string_view bytes);
  void on_parsed(HttpResult<RequestParser::State> state);
  void on_head();
  void on_request();
  void run_on(HandlerThreads& threads, const HttpHandler& handler, const HttpReply& reply);
  void refuse(HttpRefusal refusal);
  void refuse_method(const HttpRoute& route);
  void give(HttpAnswer answer);
  bool write(std::string_view text);
  void send_rest(std::string_view text);
  void on_sent();

  HttpCommons& commons_;
  HttpConnectionOwner& owner_;
  net::UniqueFd fd_;
  std::unique_ptr<net::Stream> stream_;  // null: ended
  net::Timer deadline_;
  const TimePoint begun_;
  Phase phase_ = Phase::kReading;
  TimePoint since_;
  RequestParser parser_;
  const HttpRoute* route_ = nullptr;
  std::shared_ptr<ByteBudget::Share> body_share_;
  ByteBudget::Share answer_share_;
  ReplyLine::Self line_;  // while an answer is awaited
  bool is_head_only_ = false;
  bool is_whole_ = false;  // the request
  bool is_chunked_ = false;
  std::size_t ignored_bytes_ = 0;
};

}  // namespace tidepool::admin
