#include "dial_attempt.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "certificate.h"
#include "dial_error.h"
#include "plugins.h"
#include "resolve.h"
#include "tidepool/base/secret.h"
#include "tidepool/net/socket.h"

namespace tidepool::backend {
namespace {

// Set while an attempt runs on this thread: the only way for the library's callbacks to find it.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
thread_local DialAttempt* the_attempt = nullptr;

// The library's words, and OpenSSL's number.
const char* versions_from(TlsVersion oldest) {
  return oldest == TlsVersion::k13 ? "TLSv1.3" : "TLSv1.2,TLSv1.3";
}

int number_of(TlsVersion version) {
  return version == TlsVersion::k13 ? TLS1_3_VERSION : TLS1_2_VERSION;
}

// The plugins that TiDB and the library share; a server may ask for no other. The plugin that hands
// over the password itself only where the server is verified: else any server could ask for it. The
// last one is our own (library.h).
constexpr const char* kPluginsOfVerified =
    "mysql_native_password,caching_sha2_password,mysql_clear_password,tidepool_collation";
constexpr const char* kPluginsOfOthers =
    "mysql_native_password,caching_sha2_password,tidepool_collation";

void make_nonblocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int verify(int ok, X509_STORE_CTX* store) {
  if (the_attempt == nullptr) return ok;
  return the_attempt->judge_certificate(ok != 0, store) ? 1 : 0;
}

void on_tls_progress(const SSL*, int event, int value) {
  if (the_attempt == nullptr) return;
  if ((event & SSL_CB_HANDSHAKE_DONE) != 0) the_attempt->on_tls_established();
  if ((event & SSL_CB_ALERT) == 0 || value >> 8 != SSL3_AL_FATAL) return;
  // What OpenSSL sends when the stream ends in the middle of the handshake.
  const bool is_by_end = (event & SSL_CB_WRITE) != 0 && (value & 0xff) == SSL_AD_DECODE_ERROR;
  if (!is_by_end) the_attempt->on_tls_refused();
}

// A server must not read this machine's files through a control statement; clients' own LOCAL
// INFILE is raw packets.
int refuse_infile(void**, const char*, void*) {
  return 1;
}
int read_no_infile(void*, char*, unsigned) {
  return -1;
}
void end_infile(void*) {}
int explain_infile(void*, char* text, unsigned size) {
  std::fill_n(text, std::min(size, 1U), '\0');
  return 1148;
}

}  // namespace

DialAttempt::DialAttempt(const DialOptions& options, const Endpoint& endpoint,
                         const std::string& address, Limits limits)
    : options_(options), endpoint_(endpoint), address_(address), limits_(limits) {
  the_attempt = this;
}

DialAttempt::~DialAttempt() {
  mysql_.reset();
  the_attempt = nullptr;
}

DialAttempt* DialAttempt::current() {
  return the_attempt;
}

int DialAttempt::wait_for_socket(int fd, char for_read, int) noexcept {
  return the_attempt != nullptr ? the_attempt->wait(fd, for_read != 0) : 0;
}

// Above 0: ready; 0: too late, or not wanted any more.
int DialAttempt::wait(int fd, bool for_read) {
  if (for_read) reached_ = true;
  phase_ = find_phase();
  const TimePoint started = Clock::now();
  TimePoint until = limits_.deadline;
  if (!reached_) until = std::min(until, started + limits_.connect_share);
  std::array<pollfd, 2> polled{pollfd{fd, static_cast<short>(for_read ? POLLIN : POLLOUT), 0},
                               pollfd{limits_.cancel_fd, POLLIN, 0}};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    const int ready = canceled_ || left <= 0
                          ? 0
                          : ::poll(polled.data(), polled.size(),
                                   static_cast<int>(std::min<std::int64_t>(left, INT_MAX)));
    if (ready < 0 && errno == EINTR) continue;
    if (polled[1].revents != 0) canceled_ = true;
    if (!canceled_ && polled[0].revents != 0) return 1;
    if (until == limits_.deadline && !canceled_) timed_out_ = true;
    errno = ETIMEDOUT;
    return 0;
  }
}

Result<std::unique_ptr<Connection::State>> DialAttempt::run() {
  mysql_.reset(mysql_init(nullptr));
  if (!mysql_) return fail(Code::kInternal, "out of memory");
  if (!options_.server_key_file.empty()) {
    auto key = ServerKey::read(options_.server_key_file);
    if (!key) return tl::unexpected(std::move(key.error()));
    server_key_ = std::move(*key);
  }
  set_options();
  set_tls_options();
  set_charset();
  ERR_clear_error();
  const unsigned long flags = client_flags(options_.profile);
  const char* database = options_.database.empty() ? nullptr : options_.database.c_str();
  std::string password(options_.password.view());  // with a NUL behind it
  const WipedAtEnd wiped(password);
  const bool is_connected =
      mysql_real_connect(mysql_.get(), address_.c_str(), options_.user.c_str(), password.c_str(),
                         database, endpoint_.port, nullptr, flags) != nullptr;
  wipe_password(mysql_.get());
  if (!is_connected) return tl::unexpected(failure());
  return take_over();
}

void DialAttempt::set_options() {
  MYSQL* mysql = mysql_.get();
  const auto left =
      std::chrono::ceil<std::chrono::seconds>(limits_.deadline - Clock::now()).count();
  // The waits are ours (wait_for_socket); the library only has to know that there is a limit.
  const auto seconds = static_cast<unsigned>(std::max<std::int64_t>(left, 1));
  const unsigned tcp = MYSQL_PROTOCOL_TCP;  // else "localhost" means a Unix socket
  const unsigned local_files = options_.profile.local_files ? 1 : 0;
  mysql_options(mysql, MYSQL_OPT_NONBLOCK, nullptr);  // the context of later control calls
  mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp);
  mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
  mysql_optionsv(mysql, MARIADB_OPT_IO_WAIT, &DialAttempt::wait_for_socket);
  mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &local_files);
  mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH,
                 is_verified() ? kPluginsOfVerified : kPluginsOfOthers);
  mysql_set_local_infile_handler(mysql, refuse_infile, read_no_infile, end_infile, explain_infile,
                                 nullptr);
  mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "tidepool");
  for (const auto& [name, value] : options_.attributes) {
    mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, name.c_str(), value.c_str());
  }
}

// The library is always told to verify, since only then does it refuse a server without TLS before
// it sends anything. Its own verification, which knows the address and not the name, is replaced by
// OpenSSL's when the TLS session is made.
void DialAttempt::set_tls_options() {
  if (options_.tls == TlsMode::kDisabled) return;
  const my_bool on = 1;
  mysql_options(mysql_.get(), MYSQL_OPT_SSL_ENFORCE, &on);
  mysql_options(mysql_.get(), MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
  mysql_optionsv(mysql_.get(), MARIADB_OPT_TLS_VERSION, versions_from(options_.tls_min_version));
  if (options_.tls != TlsMode::kRequired && !options_.ca_file.empty()) {
    mysql_options(mysql_.get(), MYSQL_OPT_SSL_CA, options_.ca_file.c_str());
  }
}

void DialAttempt::on_tls_session(ssl_st* tls) noexcept {
  tls_begun_ = true;
  // Else the library waits inside recv(), by whole seconds and deaf to a cancel; so it asks
  // wait_for_socket().
  make_nonblocking(mysql_get_socket(mysql_.get()));
  const std::string& host = endpoint_.host;
  if (!is_address(host)) {  // SSL_set_tlsext_host_name, without the macro's C cast
    SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
  }
  SSL_set_min_proto_version(tls, number_of(options_.tls_min_version));
  SSL_set_info_callback(tls, on_tls_progress);
  bool is_prepared = true;
  if (options_.tls == TlsMode::kVerifyIdentity && is_address(host)) {
    is_prepared = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host.c_str()) == 1;
  } else if (options_.tls == TlsMode::kVerifyIdentity) {
    SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    is_prepared = SSL_set1_host(tls, host.c_str()) == 1;
  }
  SSL_set_verify(tls, is_verified() ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, verify);
  if (!is_prepared) return;  // the library's own verification then refuses the server
  const my_bool off = 0;
  mysql_options(mysql_.get(), MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &off);
  mysql_->client_flag &= ~static_cast<unsigned long>(CLIENT_SSL_VERIFY_SERVER_CERT);
}

// With the right key, mode required needs no more: who issued the certificate does not matter.
bool DialAttempt::judge_certificate(bool ok, X509_STORE_CTX* store) {
  const bool is_servers = X509_STORE_CTX_get_error_depth(store) == 0;
  if (is_servers && server_key_ &&
      !server_key_->is_key_of(X509_STORE_CTX_get_current_cert(store))) {
    if (certificate_problem_.empty())
      certificate_problem_ =
          "the server's certificate has another key than '" + options_.server_key_file + "'";
    return false;
  }
  if (ok || options_.tls == TlsMode::kRequired) return true;
  if (!certificate_problem_.empty()) return false;
  certificate_problem_ = describe_problem(store, endpoint_.host,
                                          options_.ca_file.empty()
                                              ? std::string("this system's certificate authorities")
                                              : "the authorities in '" + options_.ca_file + "'");
  return false;
}

bool DialAttempt::is_verified() const {
  if (options_.tls == TlsMode::kDisabled) return false;
  return options_.tls != TlsMode::kRequired || server_key_.has_value();
}

bool DialAttempt::may_hand_over_password() {
  asked_for_password_ = !is_verified();
  return !asked_for_password_;
}

// The library sends the default collation of a character set only; another one is put in its place
// at the login.
void DialAttempt::set_charset() {
  const unsigned wanted = options_.profile.collation;
  const MARIADB_CHARSET_INFO* known = mariadb_get_charset_by_nr(wanted);
  const char* name = known != nullptr ? known->csname : "utf8mb4";
  mysql_options(mysql_.get(), MYSQL_SET_CHARSET_NAME, name);
  const MARIADB_CHARSET_INFO* usual = mariadb_get_charset_by_name(name);
  if (usual == nullptr || usual->nr == wanted) return;
  charset_ = std::make_unique<MARIADB_CHARSET_INFO>(*usual);
  charset_->nr = wanted;
  mysql_options(mysql_.get(), MYSQL_DEFAULT_AUTH, kCollationPlugin);
}

void DialAttempt::on_login() noexcept {
  if (charset_) mysql_->charset = charset_.get();
}

std::string DialAttempt::find_phase() const {
  if (!reached_) return "connecting";
  if (mysql_->server_capabilities == 0) return "waiting for the server's greeting";
  return tls_begun_ && !tls_done_ ? "in the TLS handshake" : "logging in";
}

Error DialAttempt::failure() const {
  const unsigned number = mysql_errno(mysql_.get());
  if (canceled_) return Error{Code::kCanceled, "nobody waits for the connection any more"};
  if (!certificate_problem_.empty())
    return Error{Code::kTls, describe(endpoint_) + ": " + certificate_problem_};
  if (timed_out_) {
    const auto ms = std::chrono::round<std::chrono::milliseconds>(options_.connect_timeout).count();
    return Error{Code::kTimeout, describe(endpoint_) + ": no connection within " +
                                     std::to_string(ms) + " ms: stuck " + phase_};
  }
  if (asked_for_password_) return unverified_server(describe(endpoint_));
  if (!is_library_error(number))
    return server_error(number, mysql_sqlstate(mysql_.get()), mysql_error(mysql_.get()));
  return library_failure();
}

Error DialAttempt::library_failure() const {
  const unsigned number = mysql_errno(mysql_.get());
  const std::string text = mysql_error(mysql_.get());
  if (std::optional<Error> early = early_server_error(text)) return std::move(*early);
  // The library calls it a TLS error, too, when the connection goes away. What TLS itself does not
  // like ends with an alert of one of the two sides (RFC 8446 6.2), and before TLS is up.
  if (number == kTlsFailed && tls_begun_ && (tls_done_ || !tls_refused_))
    return library_error(kServerLost, text, describe(endpoint_), find_phase());
  const bool about_tls = text.find("SSL") != std::string::npos;
  if (!about_tls || tls_begun_)
    return library_error(number, text, describe(endpoint_), find_phase());
  if (text.find("SSL is required") != std::string::npos) {
    return Error{Code::kTls, describe(endpoint_) +
                                 ": the server does not offer TLS, which tls mode '" +
                                 to_string(options_.tls) + "' requires; nothing was sent"};
  }
  return Error{Code::kConfig, "cannot use the CA file '" + options_.ca_file + "': " + text};
}

Result<std::unique_ptr<Connection::State>> DialAttempt::take_over() {
  MYSQL* mysql = mysql_.get();
  ssl_st* tls = tls_of(mysql);
  if (tls == nullptr &&
      options_.tls != TlsMode::kDisabled) {  // the library must have failed before; make sure
    return fail(Code::kTls, describe(endpoint_) + ": the connection is not encrypted");
  }
  if (has_read_ahead(mysql))
    return fail(Code::kProtocol, describe(endpoint_) + ": the server sent bytes after the login");
  auto state = std::make_unique<Connection::State>();
  state->fd = mysql_get_socket(mysql);
  make_nonblocking(state->fd);
  ::fcntl(state->fd, F_SETFD, FD_CLOEXEC);
  net::set_no_delay(state->fd);
  net::KeepAlive keep_alive;
  keep_alive.user_timeout = options_.user_timeout;
  net::set_keep_alive(state->fd, keep_alive);
  ServerInfo& info = state->info;
  info.version = mysql_get_server_info(mysql);
  info.connection_id = static_cast<std::uint32_t>(mysql_thread_id(mysql));
  info.server_capabilities = static_cast<std::uint32_t>(mysql->server_capabilities);
  info.capabilities = info.server_capabilities & static_cast<std::uint32_t>(mysql->client_flag);
  info.collation = static_cast<std::uint8_t>(mysql->server_language);
  info.endpoint = endpoint_;
  info.peer = net::peer_of(state->fd);
  if (tls != nullptr) {
    SSL_set_info_callback(tls, nullptr);
    info.tls_version = SSL_get_version(tls);
    info.tls_cipher = SSL_get_cipher(tls);
  }
  state->profile = options_.profile;
  state->dialled_at = Clock::now();
  state->charset = std::move(charset_);
  state->mysql = std::move(mysql_);
  return state;
}

}  // namespace tidepool::backend
