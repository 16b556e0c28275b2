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
constexpr std::size_t kCompactBytes = std::size_t{64} * 1024;

static_assert(static_cast<int>(Readiness::kReadable) == UV_READABLE);
static_assert(static_cast<int>(Readiness::kWritable) == UV_WRITABLE);

bool would_block(int number) {
  return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

}  // namespace

std::unique_ptr<Stream> Stream::own(Loop& loop, UniqueFd fd, StreamSink* sink) {
  std::unique_ptr<Stream> stream(new Stream(loop, fd.get(), nullptr, sink));
  stream->owned_fd_ = std::move(fd);
  return stream;
}

std::unique_ptr<Stream> Stream::borrow(Loop& loop, int fd, ssl_st* tls, StreamSink* sink) {
  std::unique_ptr<Stream> stream(new Stream(loop, fd, tls, sink));
  if (tls != nullptr) stream->adopt_tls();
  return stream;
}

Stream::Stream(Loop& loop, int fd, ssl_st* tls, StreamSink* sink)
    : loop_(loop), fd_(fd), tls_(tls), sink_(sink), soon_(loop) {
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
  if (tls_phase_ == TlsPhase::kHandshake) return continue_handshake();
  if (!wants_read() || watcher_) return;
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
  if (watcher_) {
    const auto ready = static_cast<std::uint8_t>(events & static_cast<std::uint8_t>(watched_));
    if (ready == 0) return drop_interest(static_cast<std::uint8_t>(events));
    const std::function<void(Readiness)> watcher = watcher_;  // may go while it runs
    return watcher(static_cast<Readiness>(ready));
  }
  if (tls_phase_ == TlsPhase::kHandshake) return continue_handshake();
  if ((events & kRead) != 0) drained_ = false;
  const bool may_write = (events & kWrite) != 0 || (write_wants_read_ && (events & kRead) != 0);
  const bool may_read = (events & kRead) != 0 || (read_wants_write_ && (events & kWrite) != 0);
  const uv_poll_t* handle = poll_.get();
  if (may_write) on_writable();
  if (handle->data == nullptr || failed_) return;
  if (!may_read) return update_interest();
  read_wants_write_ = false;
  if (wants_read() && !(ended_ && end_seen_)) return notify_readable();
  drop_interest(kRead);
}

void Stream::on_writable() {
  if (queue_.empty()) return update_interest();
  if (const Result<void> flushed = flush(); !flushed) {
    end_writing();
    if (sink_ != nullptr) sink_->on_error(flushed.error());
    return;
  }
  update_interest();
  if (above_low_ && queued_bytes() <= low_watermark_) {
    above_low_ = false;
    if (sink_ != nullptr) sink_->on_drained();
  }
}

std::uint8_t Stream::wanted_interest() const {
  if (failed_) return 0;
  if (watcher_) return static_cast<std::uint8_t>(watched_);
  std::uint8_t wanted = 0;
  const bool handshake = tls_phase_ == TlsPhase::kHandshake;
  if (handshake || write_wants_read_ || (wants_read() && !ended_)) wanted |= kRead;
  if (read_wants_write_ || (!handshake && !queue_.empty() && !write_wants_read_)) wanted |= kWrite;
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
  TIDEPOOL_CHECK(!watcher_ && tls_phase_ != TlsPhase::kHandshake && !buffer.empty());
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
  Result<ReadResult> got = tls_ != nullptr ? read_tls(buffer) : read_plain(buffer);
  if (!got) failed_ = true;
  if (got && got->status == ReadResult::Status::kEnd) ended_ = end_seen_ = true;
  return got;
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
  note_queued();
  return {};
}

Result<void> Stream::write_large(std::string bytes) {
  if (!queue_.empty()) return write(bytes);
  const Result<std::size_t> done = write_at_once(bytes);
  if (!done) return tl::unexpected(done.error());
  if (*done == bytes.size()) return {};
  queue_.swap(bytes);
  queue_head_ = *done;
  note_queued();
  return {};
}

// Answers how much the socket has taken; none while something is queued before it.
Result<std::size_t> Stream::write_at_once(std::string_view bytes) {
  TIDEPOOL_CHECK(!watcher_);
  if (failed_ || write_failed_) {
    return fail(Code::kClosed, "writing: the connection has failed before");
  }
  std::size_t done = 0;
  const bool at_once = queue_.empty() && tls_phase_ != TlsPhase::kHandshake;
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

void Stream::note_queued() {
  if (queued_bytes() > low_watermark_) above_low_ = true;
  update_interest();
}

Result<void> Stream::flush() {
  while (queue_head_ < queue_.size()) {
    const Result<std::size_t> sent = write_some(std::string_view(queue_).substr(queue_head_));
    if (!sent) return tl::unexpected(sent.error());
    if (*sent == 0) break;
    queue_head_ += *sent;
  }
  if (queue_head_ == queue_.size()) {
    std::string().swap(queue_);  // an idle stream holds no buffer; an assignment might keep it
    queue_head_ = 0;
  } else if (queue_head_ >= kCompactBytes && queue_head_ > queue_.size() / 2) {
    queue_.erase(0, queue_head_);
    queue_head_ = 0;
  }
  return {};
}

void Stream::end_writing() {
  write_failed_ = true;
  write_wants_read_ = false;
  above_low_ = false;
  std::string().swap(queue_);
  queue_head_ = 0;
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
  return tls_ != nullptr ? write_tls(bytes) : write_plain(bytes);
}

Result<std::size_t> Stream::write_plain(std::string_view bytes) {
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (would_block(errno)) return std::size_t{0};
  return tl::unexpected(error_of_errno("writing", errno));
}

void Stream::start_watching(std::function<void(Readiness)> watcher) {
  TIDEPOOL_CHECK(!watcher_ && queue_.empty());
  watcher_ = std::move(watcher);
  watched_ = Readiness::kNone;
}

void Stream::watch_for(Readiness wanted) {
  TIDEPOOL_CHECK(static_cast<bool>(watcher_));
  watched_ = wanted;
  update_interest();
}

void Stream::abandon() {
  failed_ = true;
  soon_.cancel();
  update_interest();
}

void Stream::stop_watching() {
  watcher_ = nullptr;
  watched_ = Readiness::kNone;
  drained_ = false;
  update_interest();
  listen_again();
}

}  // namespace tidepool::net
