#include "http_connection.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "answer_text.h"
#include "host_check.h"
#include "tidepool/base/log.h"

namespace tidepool::admin {
namespace {

constexpr std::size_t kReadAtOnce = 16'384;
constexpr std::size_t kMaxIgnored = 16'384;     // behind a request whose answer goes on
constexpr std::size_t kMaxDrained = 1'048'576;  // of a request that was refused
constexpr std::size_t kMaxBusy = 64;
constexpr Duration kSendingLimit = std::chrono::seconds(10);
constexpr Duration kLingeringLimit = std::chrono::seconds(1);
constexpr Duration kNoLimit = Duration::zero();

bool is_busy(HttpConnection::Phase phase) {
  return phase == HttpConnection::Phase::kWaiting || phase == HttpConnection::Phase::kStreaming;
}

bool has(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// An exception would end the process: it is caught nowhere above.
HttpAnswer answer_of(const HttpHandler& handler, const HttpRequest& request) {
  try {
    return packed(handler(request), request);
  } catch (const std::exception& error) {
    log::error("an HTTP request failed", {{"path", request.path}, {"error", error.what()}});
    return {.status = 500, .body = "it failed; the log says why\n"};
  }
}

// As above; who has let go of its reply has answered with 500.
void start(const HttpReplyHandler& handler, HttpRequest request, const HttpReply& reply) {
  const std::string path = request.path;
  try {
    handler(std::move(request), reply);
  } catch (const std::exception& error) {
    log::error("an HTTP request failed", {{"path", path}, {"error", error.what()}});
  }
}

std::string paths_of(const std::vector<HttpRoute>& routes) {
  std::string text;
  for (const HttpRoute& route : routes)
    text += (text.empty() ? "" : ", ") + route.path;
  return text;
}

}  // namespace

HttpConnection::HttpConnection(HttpCommons& commons, HttpConnectionOwner& owner, net::UniqueFd fd)
    : commons_(commons),
      owner_(owner),
      fd_(std::move(fd)),
      stream_(net::Stream::borrow(commons.loop, fd_.get(), nullptr, this)),
      deadline_(commons.loop),
      begun_(commons.loop.now()),
      since_(begun_),
      body_share_(std::make_shared<ByteBudget::Share>(commons.budget)),
      answer_share_(commons.budget) {
  stream_->set_low_watermark(0);
  enter(Phase::kReading, HttpLimits{}.whole);
}

// An ended one may outlive what all share.
HttpConnection::~HttpConnection() {
  if (line_) line_->cut();
}

void HttpConnection::enter(Phase phase, Duration limit) {
  if (is_busy(phase) && !is_busy(phase_)) ++commons_.busy;
  if (!is_busy(phase) && is_busy(phase_)) --commons_.busy;
  phase_ = phase;
  since_ = commons_.loop.now();
  if (limit == kNoLimit) return deadline_.stop();
  deadline_.start(limit, [this] { on_deadline(); });
}

void HttpConnection::end() {
  if (!stream_) return;
  stream_.reset();
  deadline_.stop();
  if (is_busy(phase_)) --commons_.busy;
  body_share_.reset();
  answer_share_.release();
  if (line_) std::exchange(line_, nullptr)->cut();
  owner_.on_end(*this);
}

void HttpConnection::on_deadline() {
  if (phase_ == Phase::kReading && parser_.has_begun()) {
    return refuse({408, "the request did not come in time"});
  }
  if (phase_ == Phase::kWaiting) return refuse({503, "the answer takes too long"});
  end();
}

void HttpConnection::on_error(Error /*error*/) {
  end();
}

void HttpConnection::on_readable() {
  const auto got = stream_->read(commons_.loop.scratch().first(kReadAtOnce));
  if (!got) return end();
  if (got->status == net::ReadResult::Status::kWouldBlock) return;
  const bool is_end = got->status == net::ReadResult::Status::kEnd;
  switch (phase_) {
    case Phase::kReading:
      if (is_end) return end();
      return on_bytes({commons_.loop.scratch().data(), got->bytes});
    case Phase::kWaiting:
    case Phase::kStreaming:
      ignored_bytes_ += got->bytes;
      if (is_end || ignored_bytes_ > kMaxIgnored) end();
      return;
    case Phase::kLingering:
      ignored_bytes_ += got->bytes;
      if (is_end || ignored_bytes_ > kMaxDrained) end();
      return;
    case Phase::kSending: return;
  }
}

void HttpConnection::on_bytes(std::string_view bytes) {
  on_parsed(parser_.put(bytes));
}

void HttpConnection::on_parsed(HttpResult<RequestParser::State> state) {
  if (!state) return refuse(state.error());
  if (*state == RequestParser::State::kHead) return on_head();
  const std::size_t held = parser_.held_bytes();
  if (held > 2 * RequestParser::kMaxHead && !body_share_->grow_to(held)) {
    return refuse({503, "too many requests at once"});
  }
  if (*state == RequestParser::State::kDone) on_request();
}

void HttpConnection::on_head() {
  const HttpRequest& request = parser_.request();
  is_head_only_ = request.method == "HEAD";
  if (const auto refusal = check_host(request, commons_.hosts)) return refuse(*refusal);
  const auto found = std::find_if(commons_.routes.begin(), commons_.routes.end(),
                                  [&](const HttpRoute& one) { return one.path == request.path; });
  if (found == commons_.routes.end()) {
    return refuse({404, "not found; there are " + paths_of(commons_.routes)});
  }
  if (!has(found->methods, is_head_only_ ? "GET" : request.method)) return refuse_method(*found);
  route_ = &*found;
  auto state = parser_.take_body(route_->limits.bytes);
  const std::string* expected = request.header("expect");
  const bool is_awaited = state && *state == RequestParser::State::kBody && expected != nullptr;
  if (is_awaited && !write("HTTP/1.1 100 Continue\r\n\r\n")) return end();
  if (route_->limits.whole != HttpLimits{}.whole) {
    enter(Phase::kReading, std::max(Duration(1), begun_ + route_->limits.whole - since_));
  }
  on_parsed(std::move(state));
}

void HttpConnection::on_request() {
  is_whole_ = !parser_.has_extra();
  line_ = std::make_shared<ReplyLine>(commons_.loop, static_cast<ReplySink&>(*this));
  const HttpReply reply(std::make_shared<HttpReply::Target>(line_));
  const auto* handler = std::get_if<HttpHandler>(&route_->handler);
  if (handler != nullptr) stream_->pause(net::PauseReason::kBusy);
  if (handler != nullptr && route_->rank == HttpRank::kLoop) {
    return give(answer_of(*handler, parser_.request()));
  }
  if (handler != nullptr && route_->rank == HttpRank::kProbe) {
    return run_on(commons_.probes, *handler, reply);
  }
  if (commons_.busy >= kMaxBusy) return refuse({503, "too many requests at once"});
  if (handler != nullptr) return run_on(commons_.work, *handler, reply);
  enter(Phase::kWaiting, route_->limits.answer);
  start(std::get<HttpReplyHandler>(route_->handler), std::move(parser_.request()), reply);
}

// What the request holds counts until the handler has returned, even where the peer is gone.
void HttpConnection::run_on(HandlerThreads& threads, const HttpHandler& handler,
                            const HttpReply& reply) {
  const auto request = std::make_shared<const HttpRequest>(std::move(parser_.request()));
  const bool is_queued = threads.run([handler = &handler, request, reply, share = body_share_] {
    if (!reply.is_gone()) reply.answer(answer_of(*handler, *request));
  });
  if (!is_queued) return refuse({503, "too many requests at once"});
  enter(Phase::kWaiting, route_->limits.answer);
}

void HttpConnection::on_answer(HttpAnswer answer) {
  if (phase_ == Phase::kWaiting) give(std::move(answer));
}

void HttpConnection::on_begin(HttpAnswer head) {
  if (phase_ != Phase::kWaiting) return;
  is_chunked_ = parser_.request().minor_version > 0;
  std::string text = head_text(head, is_chunked_ ? Framing::kChunks : Framing::kClose);
  if (is_head_only_) return send_rest(text);
  enter(Phase::kStreaming, kNoLimit);
  if (!write(text)) return end();
  if (!head.body.empty()) on_piece(head.body);
}

void HttpConnection::on_piece(std::string_view piece) {
  if (phase_ != Phase::kStreaming || piece.empty()) return;
  if (!write(is_chunked_ ? chunk_text(piece) : std::string(piece))) return end();
  line_->set_unsent(stream_->queued_bytes());
}

void HttpConnection::on_end() {
  if (phase_ == Phase::kStreaming) send_rest(is_chunked_ ? chunk_text("") : "");
}

void HttpConnection::on_given_up() {
  if (phase_ == Phase::kWaiting) return refuse({500, "nobody has answered"});
  if (phase_ == Phase::kStreaming) end();
}

void HttpConnection::refuse(HttpRefusal refusal) {
  HttpAnswer answer{.status = refusal.status, .body = std::move(refusal.text) + "\n"};
  if (answer.status == 503) answer.headers.emplace_back("Retry-After", "1");
  give(std::move(answer));
}

void HttpConnection::refuse_method(const HttpRoute& route) {
  std::string allowed;
  for (const std::string& method : route.methods)
    allowed += (allowed.empty() ? "" : ", ") + method + (method == "GET" ? ", HEAD" : "");
  give({.status = 405, .body = "only " + allowed + "\n", .headers = {{"Allow", allowed}}});
}

void HttpConnection::give(HttpAnswer answer) {
  body_share_.reset();
  while (!answer_share_.grow_to(answer.body.size()) && owner_.end_a_sender(*this)) {
  }
  if (answer_share_.bytes() < answer.body.size()) {
    answer = {.status = 503, .body = "too many answers at once\n"};
  }
  std::string text = head_text(answer, Framing::kLength);
  if (!is_head_only_) text += answer.body;
  send_rest(text);
}

bool HttpConnection::write(std::string_view text) {
  return stream_->write(text).has_value();
}

void HttpConnection::send_rest(std::string_view text) {
  if (line_) std::exchange(line_, nullptr)->cut();
  stream_->pause(net::PauseReason::kBusy);
  enter(Phase::kSending, kSendingLimit);
  if (!write(text)) return end();
  if (stream_->queued_bytes() == 0) on_sent();
}

void HttpConnection::on_drained() {
  if (phase_ == Phase::kSending) return on_sent();
  if (line_) line_->set_unsent(0);
}

// To close with bytes unread would take back what the peer has not read yet.
void HttpConnection::on_sent() {
  answer_share_.release();
  if (is_whole_) return end();
  stream_->shutdown();
  enter(Phase::kLingering, kLingeringLimit);
  stream_->resume(net::PauseReason::kBusy);
}

}  // namespace tidepool::admin
