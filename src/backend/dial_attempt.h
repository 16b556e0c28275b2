// One attempt to log in at one address of an endpoint, on a thread of the pool. Everything that
// Connector/C asks back meanwhile (may I wait for the socket, a TLS session is made, a certificate
// does not verify) finds the attempt through the thread, since the library hands no pointer
// through. Private to the backend layer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "connection_state.h"
#include "mariadb.h"
#include "server_key.h"
#include "tidepool/backend/options.h"
#include "tidepool/base/clock.h"
#include "tidepool/base/error.h"

struct x509_store_ctx_st;

namespace tidepool::backend {

class DialAttempt {
 public:
  // How long all of it may take, and how long the address may take to accept; `cancel_fd` is
  // readable when the connection is not wanted any more.
  struct Limits {
    TimePoint deadline;
    Duration connect_share;
    int cancel_fd;
  };

  // The address in numbers; the certificate must be for the endpoint's host.
  DialAttempt(const DialOptions& options, const Endpoint& endpoint, const std::string& address,
              Limits limits);
  DialAttempt(const DialAttempt&) = delete;
  DialAttempt& operator=(const DialAttempt&) = delete;
  ~DialAttempt();

  // Blocks until it is through, within the limits.
  Result<std::unique_ptr<Connection::State>> run();

  // What the library asks back. Without an attempt on this thread it may not wait at all.
  static DialAttempt* current();
  static int wait_for_socket(int fd, char for_read, int timeout) noexcept;
  void on_tls_session(ssl_st* tls) noexcept;
  void on_tls_established() { tls_done_ = true; }
  void on_tls_refused() { tls_refused_ = true; }  // by either side
  // Whether the certificate that is looked at is good enough; `ok`: it is to OpenSSL.
  bool judge_certificate(bool ok, x509_store_ctx_st* store);
  // Whether the password itself may be sent. Where not, the attempt's error says so.
  bool may_hand_over_password();
  void on_login() noexcept;  // before the login packet is written, if the collation is to be forced

 private:
  int wait(int fd, bool for_read);
  void set_options();
  void set_tls_options();
  void set_charset();
  bool is_verified() const;
  Error failure() const;
  Error library_failure() const;
  std::string find_phase() const;
  Result<std::unique_ptr<Connection::State>> take_over();

  const DialOptions& options_;
  const Endpoint& endpoint_;
  const std::string& address_;
  const Limits limits_;
  std::unique_ptr<MARIADB_CHARSET_INFO> charset_;  // outlives mysql_, which points to it
  MysqlPtr mysql_;
  std::optional<ServerKey> server_key_;
  std::string certificate_problem_;
  std::string phase_ = "connecting";  // when it last waited
  bool reached_ = false;              // something answered the connect
  bool tls_begun_ = false;
  bool tls_done_ = false;
  bool tls_refused_ = false;
  bool timed_out_ = false;
  bool canceled_ = false;
  bool asked_for_password_ = false;  // itself, and it was not handed over
};

}  // namespace tidepool::backend
