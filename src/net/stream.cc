// How a stream waits. libuv's poll is set to `interest_`; changing it costs two system calls, so it
// follows what is wanted lazily: reading stays on through a pause until bytes really arrive, and
// only then is turned off.
//
//   on_poll ──► continue_handshake ──► on_tls_established / on_error
//          ├──► flush (queue_)     ──► on_drained / on_error
//          └──► sink.on_readable ──► owner calls read()
#include "tidepool/net/stream.h"

#include <cerrno>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <uv.h>

#include "tidepool/base/check.h"

namespace tidepool::net {
namespace {

constexpr std::uint8_t kRead = UV_READABLE;
constexpr std::uint8_t kWrite = UV_WRITABLE;

static_assert(static_cast<int>(Readiness::kReadable) == UV_READABLE);
static_assert(static_cast<int>(Readiness::kWritable) == UV_WRITABLE);

bool would_block(int number) {
  return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

}  // namespace

std::unique_ptr<Stream> Stream::own(Loop& loop, UniqueFd fd, StreamSink* sink) {
  std::unique_ptr<Stream> stream(new Stream(loop, fd.get(), sink));
  stream->owned_fd_ = std::move(fd);
  return stream;
}

std::unique_ptr<Stream> Stream::borrow(Loop& loop, int fd, ssl_st* tls, StreamSink* sink) {
  std::unique_ptr<Stream> stream(new Stream(loop, fd, sink));
  if (tls == nullptr) return stream;
  stream->tls_.borrow(tls);
  if (stream->has_buffered()) stream->deliver_soon();
  return stream;
}

Stream::Stream(Loop& loop, int fd, StreamSink* sink)
    : loop_(loop), fd_(fd), sink_(sink), soon_(loop) {
  TIDEPOOL_CHECK(loop.is_current_thread());
  auto* poll = new uv_poll_t;
  TIDEPOOL_CHECK(uv_poll_init(loop.raw(), poll, fd) == 0);  // also makes the socket nonblocking
  poll->data = this;
  poll_.reset(poll);
  update_interest();
}

Stream::~Stream() = default;

void Stream::set_sink(StreamSink* sink) {
  sink_ = sink;
  listen_again();
}

void Stream::pause(PauseReason reason) {
  paused_ = static_cast<std::uint8_t>(paused_ | static_cast<std::uint8_t>(reason));
}

void Stream::resume(PauseReason reason) {
  paused_ = static_cast<std::uint8_t>(paused_ & ~static_cast<std::uint8_t>(reason));
  if (paused_ == 0) listen_again();
}

void Stream::listen_again() {
  if (!wants_read()) return;
  if (has_unseen()) deliver_soon();
  update_interest();
}

bool Stream::wants_read() const {
  return paused_ == 0 && sink_ != nullptr && !failed_;
}

// What poll does not show: bytes in OpenSSL, or a handshake whose first bytes came early.
void Stream::deliver_soon() {
  if (!soon_.is_scheduled()) soon_.schedule([this] { deliver_buffered(); });
}

void Stream::deliver_buffered() {
  if (tls_.is_in_handshake()) return continue_handshake();
  if (!wants_read() || watch_.watcher) return;
  if (has_unseen()) notify_readable();
}

void Stream::notify_readable() {
  const uv_poll_t* handle = poll_.get();
  sink_->on_readable();
  if (handle->data == nullptr) return;  // the callback destroyed this stream
  if (wants_read() && has_unseen()) deliver_soon();
  update_interest();
}

bool Stream::has_unseen() const {
  return has_buffered() || (ended_ && !end_seen_) || late_error_;
}

void Stream::on_poll(int status, int events) {
  if (status < 0) {  // libuv stops polling a socket in error; reading and writing tell which error
    interest_ = 0;
    events = kRead | kWrite;
  }
  if (watch_.watcher) {
    const auto ready = static_cast<std::uint8_t>(events & static_cast<std::uint8_t>(watch_.wanted));
    if (ready == 0) return drop_interest(static_cast<std::uint8_t>(events));
    const std::function<void(Readiness)> watcher = watch_.watcher;  // may go while it runs
    return watcher(static_cast<Readiness>(ready));
  }
  if (tls_.is_in_handshake()) return continue_handshake();
  if ((events & kRead) != 0) drained_ = false;
  const bool may_write =
      (events & kWrite) != 0 || (tls_.write_awaits_readable() && (events & kRead) != 0);
  const bool may_read =
      (events & kRead) != 0 || (tls_.read_awaits_writable() && (events & kWrite) != 0);
  const uv_poll_t* handle = poll_.get();
  if (may_write) on_writable();
  if (handle->data == nullptr || failed_) return;
  if (!may_read) return update_interest();
  tls_.end_awaiting_writable();
  if (wants_read() && !(ended_ && end_seen_)) return notify_readable();
  drop_interest(kRead);
}

void Stream::on_writable() {
  if (queue_.is_empty()) return update_interest();
  if (const Result<void> flushed = flush(); !flushed) {
    end_writing();
    if (sink_ != nullptr) sink_->on_error(flushed.error());
    return;
  }
  update_interest();
  if (queue_.take_drained() && sink_ != nullptr) sink_->on_drained();
}

std::uint8_t Stream::wanted_interest() const {
  if (failed_) return 0;
  if (watch_.watcher) return static_cast<std::uint8_t>(watch_.wanted);
  std::uint8_t wanted = 0;
  const bool handshake = tls_.is_in_handshake();
  if (handshake || tls_.write_awaits_readable() || (wants_read() && !ended_)) wanted |= kRead;
  if (tls_.read_awaits_writable() ||
      (!handshake && !queue_.is_empty() && !tls_.write_awaits_readable()))
    wanted |= kWrite;
  return wanted;
}

void Stream::update_interest() {
  std::uint8_t wanted = wanted_interest();
  if (!failed_ && !ended_) wanted |= interest_ & kRead;  // lazily: see the top of this file
  set_interest(wanted);
}

void Stream::drop_interest(std::uint8_t unwanted) {
  set_interest(static_cast<std::uint8_t>((interest_ & ~unwanted) | wanted_interest()));
}

void Stream::set_interest(std::uint8_t wanted) {
  if (wanted == interest_) return;
  interest_ = wanted;
  if (wanted == 0) {
    uv_poll_stop(poll_.get());
    return;
  }
  uv_poll_start(poll_.get(), wanted, [](uv_poll_t* handle, int status, int events) noexcept {
    if (handle->data != nullptr) static_cast<Stream*>(handle->data)->on_poll(status, events);
  });
}

Result<ReadResult> Stream::read(std::span<char> buffer) {
  TIDEPOOL_CHECK(!watch_.watcher && !tls_.is_in_handshake() && !buffer.empty());
  if (ended_) {
    end_seen_ = true;
    return ReadResult{ReadResult::Status::kEnd, 0};
  }
  if (failed_ && !late_error_)
    return fail(Code::kClosed, "reading: the connection has failed before");
  if (late_error_) {
    failed_ = true;
    return tl::unexpected(*late_error_);
  }
  Result<ReadResult> got = tls_.is_used() ? read_tls(buffer) : read_plain(buffer);
  if (!got) failed_ = true;
  if (got && got->status == ReadResult::Status::kEnd) ended_ = end_seen_ = true;
  return got;
}

bool Stream::has_buffered() const {
  return tls_.is_established() && !failed_ && !drained_ && tls_.has_pending();
}

Result<void> Stream::start_tls(TlsContext& context, std::string_view early) {
  TIDEPOOL_CHECK(queue_.is_empty());
  Result<void> started = tls_.start(context, fd_, early);
  if (!started) return started;
  deliver_soon();
  update_interest();
  return {};
}

void Stream::continue_handshake() {
  const Result<TlsSession::Handshake> shaken = tls_.shake_hands();
  if (!shaken) return fail_handshake(shaken.error());
  if (*shaken == TlsSession::Handshake::kGoesOn) return drop_interest(kWrite);
  drained_ = false;
  const Result<void> flushed = flush();
  if (!flushed) return fail_handshake(flushed.error());
  if (has_buffered()) deliver_soon();
  update_interest();
  if (sink_ != nullptr) sink_->on_tls_established();
}

void Stream::fail_handshake(Error error) {
  failed_ = true;
  update_interest();
  if (sink_ != nullptr) sink_->on_error(std::move(error));
}

Result<ReadResult> Stream::read_tls(std::span<char> buffer) {
  TlsSession::Got got = tls_.read(buffer);
  drained_ = got.would_block;
  if (got.has_ended) ended_ = true;
  if (got.error && got.bytes == 0) return tl::unexpected(std::move(*got.error));
  if (got.error) late_error_ = std::make_unique<Error>(std::move(*got.error));
  if (got.bytes > 0) return ReadResult{ReadResult::Status::kData, got.bytes};
  return ReadResult{ended_ ? ReadResult::Status::kEnd : ReadResult::Status::kWouldBlock, 0};
}

Result<ReadResult> Stream::read_plain(std::span<char> buffer) {
  const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0) return ReadResult{ReadResult::Status::kData, static_cast<std::size_t>(got)};
  if (got == 0) return ReadResult{ReadResult::Status::kEnd, 0};
  if (would_block(errno)) return ReadResult{};
  return tl::unexpected(error_of_errno("reading", errno));
}

Result<void> Stream::write(std::string_view bytes) {
  const Result<std::size_t> done = write_at_once(bytes);
  if (!done) return tl::unexpected(done.error());
  if (*done == bytes.size()) return {};
  queue_.append(bytes.substr(*done));
  update_interest();
  return {};
}

Result<void> Stream::write_large(std::string bytes) {
  if (!queue_.is_empty()) return write(bytes);
  const Result<std::size_t> done = write_at_once(bytes);
  if (!done) return tl::unexpected(done.error());
  if (*done == bytes.size()) return {};
  queue_.adopt(std::move(bytes), *done);
  update_interest();
  return {};
}

// Answers how much the socket has taken; none while something is queued before it.
Result<std::size_t> Stream::write_at_once(std::string_view bytes) {
  TIDEPOOL_CHECK(!watch_.watcher);
  if (failed_ || write_failed_) {
    return fail(Code::kClosed, "writing: the connection has failed before");
  }
  std::size_t done = 0;
  const bool at_once = queue_.is_empty() && !tls_.is_in_handshake();
  while (at_once && done < bytes.size()) {
    const Result<std::size_t> sent = write_some(bytes.substr(done));
    if (!sent) {
      end_writing();
      return tl::unexpected(sent.error());
    }
    if (*sent == 0) break;
    done += *sent;
  }
  return done;
}

Result<void> Stream::flush() {
  while (!queue_.is_empty()) {
    const Result<std::size_t> sent = write_some(queue_.waiting());
    if (!sent) return tl::unexpected(sent.error());
    if (*sent == 0) break;
    queue_.take(*sent);
  }
  queue_.compact();
  return {};
}

void Stream::end_writing() {
  write_failed_ = true;
  tls_.end_awaiting_readable();
  queue_.clear();
  update_interest();
}

std::size_t Stream::untaken_bytes() const {
  int in_kernel = 0;
  if (::ioctl(fd_, SIOCOUTQ, &in_kernel) != 0) in_kernel = 0;
  return queued_bytes() + static_cast<std::size_t>(in_kernel);
}

std::size_t Stream::unread_bytes() const {
  int in_kernel = 0;
  if (::ioctl(fd_, FIONREAD, &in_kernel) != 0) in_kernel = 0;
  return static_cast<std::size_t>(in_kernel);
}

Result<std::size_t> Stream::write_some(std::string_view bytes) {
  return tls_.is_used() ? write_tls(bytes) : write_plain(bytes);
}

Result<std::size_t> Stream::write_plain(std::string_view bytes) {
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (would_block(errno)) return std::size_t{0};
  return tl::unexpected(error_of_errno("writing", errno));
}

Result<std::size_t> Stream::write_tls(std::string_view bytes) {
  Result<std::size_t> sent = tls_.write(bytes);
  if (!sent && tls_.has_given_up()) {  // reading must tell it too
    late_error_ = std::make_unique<Error>(sent.error());
    deliver_soon();
  }
  return sent;
}

void Stream::shutdown() {
  if (failed_ || write_failed_ || !queue_.is_empty()) return;
  if (tls_.is_established()) tls_.shut_down();
  ::shutdown(fd_, SHUT_WR);
}

void Stream::start_watching(std::function<void(Readiness)> watcher) {
  TIDEPOOL_CHECK(!watch_.watcher && queue_.is_empty());
  watch_.watcher = std::move(watcher);
  watch_.wanted = Readiness::kNone;
}

void Stream::watch_for(Readiness wanted) {
  TIDEPOOL_CHECK(static_cast<bool>(watch_.watcher));
  watch_.wanted = wanted;
  update_interest();
}

void Stream::abandon() {
  failed_ = true;
  soon_.cancel();
  update_interest();
}

void Stream::stop_watching() {
  watch_.watcher = nullptr;
  watch_.wanted = Readiness::kNone;
  drained_ = false;
  update_interest();
  listen_again();
}

}  // namespace tidepool::net
