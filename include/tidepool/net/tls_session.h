// TlsSession: the TLS of one stream, if it has any: the handshake of a server, and reading and
// writing of what is encrypted. OpenSSL reads ahead, so that a record costs one system call instead
// of two; has_pending() tells of what it holds then, which poll does not show.
//
// A part of Stream; on its loop's thread. It calls nobody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "tidepool/base/error.h"

struct ssl_st;

namespace tidepool::net {

class TlsContext;

class TlsSession {
 public:
  enum class Phase : std::uint8_t { kNone, kHandshake, kEstablished };
  enum class Handshake : std::uint8_t { kEstablished, kGoesOn };

  // What a read has come to. All of it may be so at once: bytes come before the end, or an error.
  struct Got {
    std::size_t bytes = 0;
    bool would_block = false;
    bool has_ended = false;  // the peer has closed its side
    std::optional<Error> error;
  };

  TlsSession() = default;
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession() = default;

  // Uses an established one of somebody who keeps it longer than this.
  void borrow(ssl_st* tls);
  // Begins a handshake as the server. `early` are bytes of the client's hello that were read
  // already.
  Result<void> start(TlsContext& context, int fd, std::string_view early);

  ssl_st* raw() const { return tls_; }
  bool is_used() const { return tls_ != nullptr; }
  bool is_established() const { return phase_ == Phase::kEstablished; }
  bool is_in_handshake() const { return phase_ == Phase::kHandshake; }
  // Whether OpenSSL holds bytes that read() would return or try to complete. Requires
  // is_established(), as read() and write() do.
  bool has_pending() const;

  // Goes on with the handshake as far as the socket lets it.
  Result<Handshake> shake_hands();
  Got read(std::span<char> buffer);
  // How much the socket has taken; 0: it takes nothing now.
  Result<std::size_t> write(std::string_view bytes);
  // OpenSSL itself has given up in write(), with a peer that is perhaps still there.
  bool has_given_up() const { return has_given_up_; }
  // Says close_notify.
  void shut_down();

  void wipe_after_reading(bool is_secret);

  // Each goes on when the socket is ready for the other.
  bool read_awaits_writable() const { return read_awaits_writable_; }
  bool write_awaits_readable() const { return write_awaits_readable_; }
  void end_awaiting_writable() { read_awaits_writable_ = false; }
  void end_awaiting_readable() { write_awaits_readable_ = false; }

 private:
  struct Free {
    void operator()(ssl_st* tls) const noexcept;
  };

  std::unique_ptr<ssl_st, Free> owned_;
  ssl_st* tls_ = nullptr;
  Phase phase_ = Phase::kNone;
  bool read_awaits_writable_ = false;
  bool write_awaits_readable_ = false;
  bool has_given_up_ = false;
};

}  // namespace tidepool::net
