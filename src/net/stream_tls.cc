// The TLS half of a stream: OpenSSL reads ahead, so that a record costs one system call instead of
// two; what it holds afterwards is invisible to poll and is what has_buffered() tells.
#include <cerrno>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "early_bio.h"
#include "tidepool/base/check.h"
#include "tidepool/net/client_certificate.h"
#include "tidepool/net/stream.h"
#include "tidepool/net/tls_context.h"
#include "tls_error.h"

namespace tidepool::net {
namespace {

// Several records a system call where an answer is long.
constexpr std::size_t kReadAheadBytes = std::size_t{64} * 1024;
constexpr auto kWritable = static_cast<std::uint8_t>(Readiness::kWritable);

bool is_end(int kind) {
  if (kind == SSL_ERROR_ZERO_RETURN) return true;
  // A peer that hangs up without a close_notify: as good as one with, MySQL's packets have lengths.
  if (kind == SSL_ERROR_SYSCALL) return errno == 0 && ERR_peek_error() == 0;
  return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

}  // namespace

void Stream::TlsFree::operator()(ssl_st* tls) const noexcept {
  SSL_free(tls);
}

void Stream::adopt_tls() {
  SSL_set_mode(tls_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                         SSL_MODE_RELEASE_BUFFERS);
  SSL_set_read_ahead(tls_, 1);
  SSL_set_default_read_buffer_len(tls_, kReadAheadBytes);
  tls_phase_ = TlsPhase::kEstablished;
  if (has_buffered()) deliver_soon();
}

bool Stream::has_buffered() const {
  return tls_phase_ == TlsPhase::kEstablished && !failed_ && !drained_ &&
         SSL_has_pending(tls_) == 1;
}

Result<void> Stream::start_tls(TlsContext& context, std::string_view early) {
  TIDEPOOL_CHECK(tls_ == nullptr && queue_.empty());
  ERR_clear_error();
  std::unique_ptr<ssl_st, TlsFree> tls(SSL_new(context.raw()));
  bio_st* bio = tls ? make_early_bio(tls.get(), fd_, early) : nullptr;
  if (bio == nullptr) return fail(Code::kInternal, "cannot start TLS: " + take_tls_reason());
  SSL_set_bio(tls.get(), bio, bio);
  SSL_set_accept_state(tls.get());
  SSL_set_read_ahead(tls.get(), 1);
  SSL_set_options(tls.get(), SSL_OP_CLEANSE_PLAINTEXT);
  owned_tls_ = std::move(tls);
  tls_ = owned_tls_.get();
  tls_phase_ = TlsPhase::kHandshake;
  deliver_soon();
  update_interest();
  return {};
}

void Stream::wipe_after_reading(bool is_secret) {
  if (tls_ == nullptr) return;
  if (is_secret) {
    SSL_set_options(tls_, SSL_OP_CLEANSE_PLAINTEXT);
  } else {
    SSL_clear_options(tls_, SSL_OP_CLEANSE_PLAINTEXT);
  }
}

void Stream::continue_handshake() {
  ERR_clear_error();
  errno = 0;
  read_wants_write_ = false;
  const int result = SSL_accept(tls_);
  if (result == 1) {
    if (has_stale_certificate(tls_))
      return fail_handshake({Code::kTls,
                             "TLS handshake with the client: its certificate is not "
                             "valid any more"});
    tls_phase_ = TlsPhase::kEstablished;
    drained_ = false;
    const Result<void> flushed = flush();
    if (!flushed) return fail_handshake(flushed.error());
    if (has_buffered()) deliver_soon();
    update_interest();
    if (sink_ != nullptr) sink_->on_tls_established();
    return;
  }
  const int kind = SSL_get_error(tls_, result);
  read_wants_write_ = kind == SSL_ERROR_WANT_WRITE;
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return drop_interest(kWritable);
  fail_handshake(error_of_tls("TLS handshake with the client", kind, errno));
}

void Stream::fail_handshake(Error error) {
  failed_ = true;
  update_interest();
  if (sink_ != nullptr) sink_->on_error(std::move(error));
}

Result<ReadResult> Stream::read_tls(std::span<char> buffer) {
  std::size_t total = 0;
  drained_ = false;
  do {
    std::size_t got = 0;
    ERR_clear_error();
    errno = 0;
    const int result = SSL_read_ex(tls_, buffer.data() + total, buffer.size() - total, &got);
    if (result == 1) {
      total += got;
      continue;
    }
    const int kind = SSL_get_error(tls_, result);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
      drained_ = true;
      read_wants_write_ = kind == SSL_ERROR_WANT_WRITE;
      break;
    }
    if (is_end(kind)) {
      ended_ = true;
      break;
    }
    Error error = error_of_tls("reading", kind, errno);
    if (total == 0) return tl::unexpected(std::move(error));
    late_error_ = std::make_unique<Error>(std::move(error));
    break;
  } while (total < buffer.size() && SSL_has_pending(tls_) == 1);
  if (total > 0) return ReadResult{ReadResult::Status::kData, total};
  return ReadResult{ended_ ? ReadResult::Status::kEnd : ReadResult::Status::kWouldBlock, 0};
}

Result<std::size_t> Stream::write_tls(std::string_view bytes) {
  std::size_t sent = 0;
  ERR_clear_error();
  errno = 0;
  write_wants_read_ = false;
  const int result = SSL_write_ex(tls_, bytes.data(), bytes.size(), &sent);
  if (result == 1) return sent;
  const int kind = SSL_get_error(tls_, result);
  write_wants_read_ = kind == SSL_ERROR_WANT_READ;
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return std::size_t{0};
  Error error = error_of_tls("writing", kind, errno);
  // OpenSSL itself has given up, with a peer that is perhaps still there: reading must tell it too.
  if (kind == SSL_ERROR_SSL) {
    late_error_ = std::make_unique<Error>(error);
    deliver_soon();
  }
  return tl::unexpected(std::move(error));
}

void Stream::shutdown() {
  if (failed_ || write_failed_ || !queue_.empty()) return;
  if (tls_phase_ == TlsPhase::kEstablished) SSL_shutdown(tls_);
  ::shutdown(fd_, SHUT_WR);
}

}  // namespace tidepool::net
