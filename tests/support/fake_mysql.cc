#include "fake_mysql.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include <openssl/sha.h>
#include <openssl/ssl.h>

namespace tidepool::testing {
namespace {

constexpr std::uint32_t kConnectWithDb = 8;
constexpr std::uint32_t kSsl = 0x800;
constexpr std::uint32_t kPluginAuth = 0x80000;
// What TiDB 8.5 offers, less compression: LONG_PASSWORD, FOUND_ROWS, LONG_FLAG, CONNECT_WITH_DB,
// LOCAL_FILES, PROTOCOL_41, INTERACTIVE, TRANSACTIONS, SECURE_CONNECTION, MULTI_STATEMENTS,
// MULTI_RESULTS, PLUGIN_AUTH, CONNECT_ATTRS, DEPRECATE_EOF.
constexpr std::uint32_t kCapabilities = 0x7 | kConnectWithDb | 0x80 | 0x200 | 0x400 | 0x2000 |
                                        0x8000 | 0x10000 | 0x20000 | kPluginAuth | 0x100000 |
                                        0x1000000;
constexpr std::string_view kSalt = "abcdefghijklmnopqrst";
constexpr std::string_view kNativePlugin = "mysql_native_password";

std::string little_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i)
    out += static_cast<char>((value >> (8 * i)) & 0xFF);
  return out;
}

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;)
    value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string length_encoded(std::string_view text) {
  std::string out =
      text.size() < 251 ? little_endian(text.size(), 1) : '\xFD' + little_endian(text.size(), 3);
  return out.append(text);
}

std::string sha1(std::string_view text) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string column_packet(std::uint8_t sequence, const std::string& name) {
  std::string payload =
      length_encoded("def") + std::string(3, '\0') + length_encoded(name) + std::string(1, '\0');
  payload += '\x0C' + little_endian(45, 2) + little_endian(1024, 4) + '\xFD' + little_endian(0, 2) +
             little_endian(0, 1) + little_endian(0, 2);
  return packet(sequence, payload);
}

}  // namespace

std::string packet(std::uint8_t sequence, std::string_view payload) {
  return little_endian(payload.size(), 3) + static_cast<char>(sequence) + std::string(payload);
}

std::string ok_packet(std::uint8_t sequence, std::uint16_t status) {
  return packet(sequence, std::string(3, '\0') + little_endian(status, 2) + little_endian(0, 2));
}

std::string err_packet(std::uint16_t number, std::string_view sqlstate, std::string_view text,
                       std::uint8_t sequence) {
  return packet(sequence, '\xFF' + little_endian(number, 2) + "#" + std::string(sqlstate) +
                              std::string(text));
}

std::string eof_packet(std::uint8_t sequence, std::uint16_t status) {
  return packet(sequence, '\xFE' + little_endian(0, 2) + little_endian(status, 2));
}

std::string text_result(const std::vector<std::string>& columns,
                        const std::vector<std::vector<std::optional<std::string>>>& rows,
                        std::uint16_t status) {
  std::uint8_t sequence = 1;
  std::string out = packet(sequence++, little_endian(columns.size(), 1));
  for (const std::string& name : columns)
    out += column_packet(sequence++, name);
  out += eof_packet(sequence++, status);
  for (const auto& row : rows) {
    std::string payload;
    for (const auto& value : row)
      payload += value ? length_encoded(*value) : std::string(1, '\xFB');
    out += packet(sequence++, payload);
  }
  return out + eof_packet(sequence, status);
}

// One connection, on its thread.
class FakeMysql::Peer {
 public:
  Peer(int fd, std::atomic<std::size_t>& sent) : fd_(fd), total_sent_(sent) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { SSL_free(tls_); }

  bool start_tls(SSL_CTX* context) {
    tls_ = SSL_new(context);
    SSL_set_fd(tls_, fd_);
    return SSL_accept(tls_) == 1;
  }
  std::string server_name() const {
    const char* name =
        tls_ != nullptr ? SSL_get_servername(tls_, TLSEXT_NAMETYPE_host_name) : nullptr;
    return name != nullptr ? name : "";
  }
  bool is_encrypted() const { return tls_ != nullptr; }

  bool send_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t piece = std::min<std::size_t>(bytes.size(), 64U << 10U);  // so as to count
      const ssize_t sent = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(piece))
                                           : ::send(fd_, bytes.data(), piece, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      total_sent_ += static_cast<std::size_t>(sent);
    }
    return true;
  }

  // What is still to be read or sent is lost: closing sends an RST.
  void lose_everything() const {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  void end_stream() const { ::shutdown(fd_, SHUT_WR); }

  // Holds what is sent from now on, and lets it go unless more has been received than was taken.
  void hold_answers() const { set_held(1); }
  void let_answers_go() const {
    if (SSL_pending(tls_) == 0) set_held(0);
  }

  std::optional<std::string> receive(std::size_t size) {
    std::string out(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const ssize_t got = tls_ != nullptr
                              ? SSL_read(tls_, out.data() + have, static_cast<int>(size - have))
                              : ::recv(fd_, out.data() + have, size - have, 0);
      if (got <= 0) return std::nullopt;
      have += static_cast<std::size_t>(got);
    }
    return out;
  }

  // The payload, joined if it came in several frames; the sequence number goes to sequence().
  std::optional<std::string> receive_packet() {
    std::string payload;
    for (;;) {
      const std::optional<std::string> header = receive(4);
      if (!header) return std::nullopt;
      sequence_ = static_cast<std::uint8_t>((*header)[3]);
      const std::uint32_t size = read_u32(*header) & 0xFFFFFF;
      const std::optional<std::string> frame = receive(size);
      if (!frame) return std::nullopt;
      payload += *frame;
      if (size < 0xFFFFFF) return payload;
    }
  }
  std::uint8_t next_sequence() const { return static_cast<std::uint8_t>(sequence_ + 1); }

 private:
  void set_held(int is_held) const {
    ::setsockopt(fd_, IPPROTO_TCP, TCP_CORK, &is_held, sizeof is_held);
  }

  int fd_;
  std::atomic<std::size_t>& total_sent_;
  SSL* tls_ = nullptr;
  std::uint8_t sequence_ = 0;
};

FakeMysql::FakeMysql(Options options) : options_(std::move(options)), opening_(options_.opening) {
  if (options_.tls) {
    tls_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_max_proto_version(tls_, options_.newest_tls);
    SSL_CTX_use_certificate_chain_file(tls_, options_.tls->certificate.c_str());
    SSL_CTX_use_PrivateKey_file(tls_, options_.tls->key.c_str(), SSL_FILETYPE_PEM);
  }
  listen();
  acceptor_ = std::thread([this] { accept_all(); });
}

void FakeMysql::listen() {
  sockaddr_storage any{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(any);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(any);
  any.ss_family = options_.ipv6 ? AF_INET6 : AF_INET;
  if (options_.ipv6) {
    v6.sin6_addr = in6addr_loopback;
  } else {
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  socklen_t length = options_.ipv6 ? sizeof v6 : sizeof v4;
  listener_ = ::socket(any.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&any), length) != 0) {
    throw std::system_error(errno, std::generic_category(), "bind of the fake MySQL");
  }
  ::listen(listener_, 64);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&any), &length);
  port_ = ntohs(options_.ipv6 ? v6.sin6_port : v4.sin_port);
}

FakeMysql::~FakeMysql() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  hang_up();
  for (std::thread& thread : threads_)
    thread.join();
  ::close(listener_);
  SSL_CTX_free(tls_);
}

std::vector<FakeMysql::Login> FakeMysql::logins() const {
  const std::lock_guard lock(mutex_);
  return logins_;
}

std::vector<std::string> FakeMysql::commands() const {
  const std::lock_guard lock(mutex_);
  return commands_;
}

std::vector<std::string> FakeMysql::files() const {
  const std::lock_guard lock(mutex_);
  return files_;
}

void FakeMysql::hang_up() {
  const std::lock_guard lock(mutex_);
  for (const int fd : peers_) {
    if (fd >= 0) ::shutdown(fd, SHUT_RDWR);
  }
}

void FakeMysql::send_unasked(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  for (const int fd : peers_) {
    if (fd >= 0) ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
}

void FakeMysql::accept_all() {
  while (!stopping_) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) break;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int number = accepted_++;
    most_open_ = std::max(most_open_.load(), ++open_);
    {
      const std::lock_guard lock(mutex_);
      peers_.push_back(fd);
    }
    threads_.emplace_back([this, fd, number] { serve(fd, number); });
  }
}

void FakeMysql::serve(int fd, int number) {
  bool is_answering = false;
  {
    Peer peer(fd, bytes_sent_);
    switch (opening_) {
      case Opening::kHangUp: break;
      case Opening::kSilence: peer.receive(1); break;
      case Opening::kGarbage: peer.send_all("SSH-2.0-OpenSSH_9.2\r\n"), peer.receive(1); break;
      case Opening::kError:
        peer.send_all(err_packet(1040, "08004", "Too many connections", 0));
        break;
      default: is_answering = log_in(peer) && answer_commands(peer, number);
    }
  }
  const std::lock_guard lock(mutex_);
  std::replace(peers_.begin(), peers_.end(), fd, -1);
  --open_;  // before the peer can know, and dial again
  ::close(fd);
  if (is_answering) --answering_;
}

bool FakeMysql::log_in(Peer& peer) {
  std::uint32_t offered = kCapabilities;
  if (tls_ != nullptr) offered |= kSsl;
  if (!options_.offer_plugin_auth) offered &= ~kPluginAuth;
  const std::string greeting =
      '\x0A' + options_.version + '\0' + little_endian(7, 4) + std::string(kSalt.substr(0, 8)) +
      '\0' + little_endian(offered & 0xFFFF, 2) + '\x2E' + little_endian(2, 2) +
      little_endian(offered >> 16, 2) + '\x15' + std::string(10, '\0') +
      std::string(kSalt.substr(8)) + '\0' +
      (options_.offer_plugin_auth ? std::string(kNativePlugin) + '\0' : "");
  if (!peer.send_all(packet(0, greeting))) return false;
  std::optional<std::string> login = peer.receive_packet();
  if (!login || login->size() < 32) return false;
  if ((read_u32(*login) & kSsl) != 0 && login->size() == 32) {
    if (opening_ == Opening::kSilenceInTls) return peer.receive(1000000).has_value();
    if (opening_ == Opening::kResetInTls) return peer.lose_everything(), false;
    if (opening_ == Opening::kEndInTls) return peer.end_stream(), peer.receive(1000000).has_value();
    if (!peer.start_tls(tls_)) return false;
    login = peer.receive_packet();
    if (!login || login->size() < 32) return false;
  }
  if (opening_ == Opening::kSilenceAfterLogin) return peer.receive(1).has_value();
  Login seen;
  seen.capabilities = read_u32(*login);
  seen.collation = static_cast<std::uint8_t>((*login)[8]);
  seen.encrypted = peer.is_encrypted();
  seen.server_name = peer.server_name();
  seen.rest = login->substr(32);
  seen.user = seen.rest.c_str();
  const std::size_t at = seen.user.size() + 1;
  const auto size = at < seen.rest.size()
                        ? static_cast<std::size_t>(static_cast<unsigned char>(seen.rest[at]))
                        : 0;
  std::string scramble = seen.rest.substr(std::min(at + 1, seen.rest.size()), size);
  if (seen.rest.find(kNativePlugin) != std::string::npos) seen.plugin = kNativePlugin;
  {
    const std::lock_guard lock(mutex_);
    logins_.push_back(seen);
  }
  if (opening_ == Opening::kUsedUp) {
    peer.send_all(err_packet(1105, "HY000",
                             "Due to the usage quota being exhausted, access to the cluster has "
                             "been restricted",
                             peer.next_sequence()));
    return false;
  }
  if (!options_.switch_to.empty()) {
    peer.send_all(packet(peer.next_sequence(),
                         '\xFE' + options_.switch_to + '\0' + std::string(kSalt) + '\0'));
    record(peer.receive_packet().value_or("nothing"));
    if (!options_.asks_in_full) return false;
    peer.send_all(packet(peer.next_sequence(), "\x01\x04"));
    record(peer.receive_packet().value_or("nothing"));
    return false;
  }
  if (seen.plugin.empty() && options_.offer_plugin_auth) {
    const std::string request =
        '\xFE' + std::string(kNativePlugin) + '\0' + std::string(kSalt) + '\0';
    if (!peer.send_all(packet(peer.next_sequence(), request))) return false;
    scramble = peer.receive_packet().value_or("");
  }
  const bool is_known = options_.user.empty() || seen.user == options_.user;
  if (!is_known || !check_scramble(kSalt, scramble)) {
    peer.send_all(
        err_packet(1045, "28000",
                   "Access denied for user '" + seen.user + "'@'127.0.0.1' (using password: YES)",
                   peer.next_sequence()));
    return false;
  }
  return peer.send_all(ok_packet(peer.next_sequence()));
}

void FakeMysql::record(std::string command) {
  const std::lock_guard lock(mutex_);
  commands_.push_back(std::move(command));
}

bool FakeMysql::check_scramble(std::string_view salt, std::string_view scramble) const {
  if (options_.password.empty()) return scramble.empty();
  const std::string once = sha1(options_.password);
  const std::string mask = sha1(std::string(salt) + sha1(once));
  std::string expected = once;
  for (std::size_t i = 0; i < expected.size(); ++i)
    expected[i] = static_cast<char>(expected[i] ^ mask[i]);
  return scramble == expected;
}

namespace {

// An answer to a command of several packets goes on with their numbers; scripts are written from 1
// on.
std::string numbered_from(std::uint8_t first, std::string bytes) {
  if (first == 1) return bytes;
  for (std::size_t at = 0; at + 4 <= bytes.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[at + i]); };
    const std::size_t length = byte(0) | std::size_t{byte(1)} << 8U | std::size_t{byte(2)} << 16U;
    bytes[at + 3] = static_cast<char>(byte(3) + first - 1);
    at += 4 + length;
  }
  return bytes;
}

}  // namespace

// True: the end of the connection is an answer, so that it is answered only when it is closed.
bool FakeMysql::answer_commands(Peer& peer, int number) {
  const Handler handler =
      options_.handler_maker ? options_.handler_maker(number) : options_.handler;
  while (const std::optional<std::string> command = peer.receive_packet()) {
    ++answering_;
    if (options_.joins_answers) peer.hold_answers();
    record(*command);
    const bool quits = !command->empty() && (*command)[0] == 1;
    if (quits && options_.handler_maker) handler(*command);
    if (quits) return true;
    if (!carry_out(peer, handler ? handler(*command) : Answer{.bytes = ok_packet()})) return true;
    if (options_.joins_answers) peer.let_answers_go();
    --answering_;
  }
  return false;
}

// False: the connection is over.
bool FakeMysql::carry_out(Peer& peer, const Answer& answer) {
  if (!peer.send_all(numbered_from(peer.next_sequence(), answer.bytes))) return false;
  if (answer.takes_file && !take_file(peer)) return false;
  if (answer.with_reset) peer.lose_everything();
  if (answer.silent) {
    while (peer.receive(1))
      continue;
  }
  return !answer.hang_up && !answer.with_reset && !answer.silent;
}

bool FakeMysql::take_file(Peer& peer) {
  std::string file;
  for (;;) {
    const std::optional<std::string> part = peer.receive_packet();
    if (!part) return false;
    if (part->empty()) break;
    file += *part;
  }
  {
    const std::lock_guard lock(mutex_);
    files_.push_back(std::move(file));
  }
  return peer.send_all(ok_packet(peer.next_sequence()));
}

}  // namespace tidepool::testing
