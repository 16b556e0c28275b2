#include "tidepool/net/tls_session.h"

#include <cerrno>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "early_bio.h"
#include "tidepool/base/check.h"
#include "tidepool/net/client_certificate.h"
#include "tidepool/net/tls_context.h"
#include "tls_error.h"

namespace tidepool::net {
namespace {

// Several records a system call where an answer is long.
constexpr std::size_t kReadAheadBytes = std::size_t{64} * 1024;

bool is_end(int kind) {
  if (kind == SSL_ERROR_ZERO_RETURN) return true;
  // A peer that hangs up without a close_notify: as good as one with, MySQL's packets have lengths.
  if (kind == SSL_ERROR_SYSCALL) return errno == 0 && ERR_peek_error() == 0;
  return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

}  // namespace

void TlsSession::Free::operator()(ssl_st* tls) const noexcept {
  SSL_free(tls);
}

void TlsSession::borrow(ssl_st* tls) {
  tls_ = tls;
  SSL_set_mode(tls_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                         SSL_MODE_RELEASE_BUFFERS);
  SSL_set_read_ahead(tls_, 1);
  SSL_set_default_read_buffer_len(tls_, kReadAheadBytes);
  phase_ = Phase::kEstablished;
}

Result<void> TlsSession::start(TlsContext& context, int fd, std::string_view early) {
  TIDEPOOL_CHECK(tls_ == nullptr);
  ERR_clear_error();
  std::unique_ptr<ssl_st, Free> tls(SSL_new(context.raw()));
  bio_st* bio = tls ? make_early_bio(tls.get(), fd, early) : nullptr;
  if (bio == nullptr) return fail(Code::kInternal, "cannot start TLS: " + take_tls_reason());
  SSL_set_bio(tls.get(), bio, bio);
  SSL_set_accept_state(tls.get());
  SSL_set_read_ahead(tls.get(), 1);
  SSL_set_options(tls.get(), SSL_OP_CLEANSE_PLAINTEXT);
  owned_ = std::move(tls);
  tls_ = owned_.get();
  phase_ = Phase::kHandshake;
  return {};
}

bool TlsSession::has_pending() const {
  return SSL_has_pending(tls_) == 1;
}

void TlsSession::wipe_after_reading(bool is_secret) {
  if (tls_ == nullptr) return;
  if (is_secret) {
    SSL_set_options(tls_, SSL_OP_CLEANSE_PLAINTEXT);
  } else {
    SSL_clear_options(tls_, SSL_OP_CLEANSE_PLAINTEXT);
  }
}

Result<TlsSession::Handshake> TlsSession::shake_hands() {
  ERR_clear_error();
  errno = 0;
  read_awaits_writable_ = false;
  const int result = SSL_accept(tls_);
  if (result == 1) {
    if (has_stale_certificate(tls_)) {
      return fail(Code::kTls,
                  "TLS handshake with the client: its certificate is not valid any more");
    }
    phase_ = Phase::kEstablished;
    return Handshake::kEstablished;
  }
  const int kind = SSL_get_error(tls_, result);
  read_awaits_writable_ = kind == SSL_ERROR_WANT_WRITE;
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return Handshake::kGoesOn;
  return tl::unexpected(error_of_tls("TLS handshake with the client", kind, errno));
}

TlsSession::Got TlsSession::read(std::span<char> buffer) {
  Got got;
  do {
    std::size_t part = 0;
    ERR_clear_error();
    errno = 0;
    const int result =
        SSL_read_ex(tls_, buffer.data() + got.bytes, buffer.size() - got.bytes, &part);
    if (result == 1) {
      got.bytes += part;
      continue;
    }
    const int kind = SSL_get_error(tls_, result);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
      got.would_block = true;
      read_awaits_writable_ = kind == SSL_ERROR_WANT_WRITE;
    } else if (is_end(kind)) {
      got.has_ended = true;
    } else {
      got.error = error_of_tls("reading", kind, errno);
    }
    return got;
  } while (got.bytes < buffer.size() && has_pending());
  return got;
}

Result<std::size_t> TlsSession::write(std::string_view bytes) {
  std::size_t sent = 0;
  ERR_clear_error();
  errno = 0;
  write_awaits_readable_ = false;
  const int result = SSL_write_ex(tls_, bytes.data(), bytes.size(), &sent);
  if (result == 1) return sent;
  const int kind = SSL_get_error(tls_, result);
  write_awaits_readable_ = kind == SSL_ERROR_WANT_READ;
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return std::size_t{0};
  has_given_up_ = kind == SSL_ERROR_SSL;
  return tl::unexpected(error_of_tls("writing", kind, errno));
}

void TlsSession::shut_down() {
  SSL_shutdown(tls_);
}

}  // namespace tidepool::net
