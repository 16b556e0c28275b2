#include "raw_client.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <openssl/ssl.h>

#include "tidepool/protocol/auth.h"
#include "tidepool/protocol/codec.h"
#include "tidepool/protocol/packet.h"

namespace tidepool::testing {
namespace {

constexpr timeval kLimit{60, 0};
constexpr int kShortWhileMs = 50;

net::UniqueFd connect_to(const RawClient::Options& options) {
  const bool is_unix = !options.socket_path.empty();
  net::UniqueFd fd(::socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kLimit, sizeof kLimit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kLimit, sizeof kLimit);
  if (is_unix) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(static_cast<void*>(address.sun_path), options.socket_path.data(),
                options.socket_path.size());
    ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    return fd;
  }
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  return fd;
}

bool is_eof(const std::string& payload) {
  return payload.size() < 9 && !payload.empty() && payload[0] == '\xFE';
}

std::string framed(std::string_view payload, std::uint8_t sequence) {
  std::string bytes;
  protocol::append_packet(bytes, sequence, payload);
  return bytes;
}

}  // namespace

std::string describe(const Reply& reply) {
  switch (reply.kind) {
    case Reply::Kind::kOk: return "ok";
    case Reply::Kind::kError: return "error " + std::to_string(reply.number) + ": " + reply.text;
    case Reply::Kind::kFileRequest: return "file request";
    case Reply::Kind::kClosed: return "closed";
    case Reply::Kind::kTimeout: return "timeout";
    case Reply::Kind::kRows: break;
  }
  std::string text = "rows";
  for (const std::string& row : reply.rows)
    text += " " + row;
  return text;
}

struct RawClient::Tls {
  Tls() : context(SSL_CTX_new(TLS_client_method())), session(SSL_new(context)) {}
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;
  ~Tls() {
    SSL_free(session);
    SSL_CTX_free(context);
  }
  SSL_CTX* context;
  SSL* session;
};

RawClient::RawClient(Options options) : options_(std::move(options)), fd_(connect_to(options_)) {}
RawClient::RawClient(RawClient&&) noexcept = default;
RawClient& RawClient::operator=(RawClient&&) noexcept = default;
RawClient::~RawClient() = default;

void RawClient::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent =
        tls_ ? SSL_write(tls_->session, bytes.data(), static_cast<int>(bytes.size()))
             : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // reading tells why
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::size_t RawClient::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

void RawClient::send(std::string_view payload, std::uint8_t sequence) {
  send_bytes(framed(payload, sequence));
}

bool RawClient::receive(char* into, std::size_t size) {
  while (size > 0) {
    const ssize_t got = tls_ ? SSL_read(tls_->session, into, static_cast<int>(size))
                             : ::recv(fd_.get(), into, size, 0);
    if (got <= 0) {
      timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
      return false;
    }
    into += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

std::optional<std::string> RawClient::read_packet() {
  std::string payload;
  for (;;) {
    std::string header(4, '\0');
    if (!receive(header.data(), header.size())) return std::nullopt;
    protocol::Reader reader(header);
    const std::size_t size = reader.u24();
    sequence_ = reader.u8();
    std::string frame(size, '\0');
    if (!receive(frame.data(), size)) return std::nullopt;
    received_ += header + frame;
    payload += frame;
    if (size < protocol::kMaxPayloadBytes) return payload;
  }
}

Reply RawClient::ended() const {
  Reply reply;
  reply.kind = timed_out_ ? Reply::Kind::kTimeout : Reply::Kind::kClosed;
  reply.bytes = received_;
  return reply;
}

Reply RawClient::read_reply(char command) {
  received_.clear();
  const std::optional<std::string> first = read_packet();
  if (!first || first->empty()) return ended();
  Reply reply;
  protocol::Reader reader(*first);
  switch (reader.u8()) {
    case 0x00:
      reply.kind = Reply::Kind::kOk;
      if (command == '\x16') {
        reply.statement = reader.u32();
        const int columns = reader.u16();
        const int params = reader.u16();
        return read_definitions(std::move(reply),
                                columns + (columns > 0 ? 1 : 0) + params + (params > 0 ? 1 : 0));
      }
      reader.lenenc();
      reader.lenenc();
      reply.status = reader.u16();
      break;
    case 0xFF:
      reply.kind = Reply::Kind::kError;
      reply.number = reader.u16();
      reply.text = reader.rest();
      if (reply.text.starts_with("#")) reply.text.erase(0, 6);
      break;
    case 0xFE:
      reply.kind = Reply::Kind::kOk;
      reader.u16();
      reply.status = reader.u16();
      break;
    case 0xFB: reply.kind = Reply::Kind::kFileRequest; break;
    default: return read_rows(std::move(reply));
  }
  reply.bytes = received_;
  return reply;
}

Reply RawClient::read_definitions(Reply reply, int packets) {
  for (int i = 0; i < packets; ++i) {
    if (!read_packet()) return ended();
  }
  reply.bytes = received_;
  return reply;
}

// Columns, EOF, rows, EOF or ERR.
Reply RawClient::read_rows(Reply reply) {
  reply.kind = Reply::Kind::kRows;
  for (int eofs = 0; eofs < 2;) {
    const std::optional<std::string> payload = read_packet();
    if (!payload || payload->empty()) return ended();
    protocol::Reader reader(*payload);
    if ((*payload)[0] == '\xFF') {
      reader.u8();
      reply.kind = Reply::Kind::kError;
      reply.number = reader.u16();
      reply.text = reader.rest();
      break;
    }
    if (is_eof(*payload)) {
      ++eofs;
      reader.skip(3);
      reply.status = reader.u16();
    } else if (eofs == 1) {
      reply.rows.emplace_back(reader.nullable_lenenc_string().value_or("NULL"));
    }
  }
  reply.bytes = received_;
  return reply;
}

Reply RawClient::command(std::string_view payload) {
  send(payload);
  return read_reply(payload.front());
}

Reply RawClient::execute(std::uint32_t statement, std::string_view parameters,
                         std::uint8_t cursor) {
  std::string payload("\x17");
  protocol::Writer(payload).u32(statement).u8(cursor).u32(1).bytes(parameters);
  return command(payload);
}

Reply RawClient::log_in() {
  if (const auto refused = begin_login()) return *refused;
  return finish_login();
}

std::optional<Reply> RawClient::begin_login() {
  received_.clear();
  const std::optional<std::string> first = read_packet();
  if (!first) return ended();
  const auto greeting = protocol::parse_greeting(*first);
  if (!greeting) {
    Reply refused;
    protocol::Reader reader(*first);
    reader.u8();
    refused.kind = Reply::Kind::kError;
    refused.number = reader.u16();
    refused.text = reader.rest();
    return refused;
  }
  greeting_ = *greeting;
  protocol::LoginRequest request;
  request.capabilities = options_.capabilities;
  request.max_packet_bytes = 1U << 24U;
  request.collation = options_.collation;
  if (!options_.database.empty()) request.capabilities |= protocol::capability::kConnectWithDb;
  if (options_.tls) {
    request.capabilities |= protocol::capability::kSsl;
    send(protocol::encode_ssl_request(request.capabilities, request.max_packet_bytes,
                                      request.collation),
         ++sequence_);
    start_tls();
  }
  request.user = options_.user;
  request.database = options_.database;
  request.auth_plugin = options_.plugin;
  request.auth_response = answer_to(greeting_.salt, options_.plugin);
  send(protocol::encode_login_request(request), static_cast<std::uint8_t>(sequence_ + 1));
  return std::nullopt;
}

std::string RawClient::answer_to(std::string_view salt, std::string_view plugin) const {
  if (plugin == protocol::kClearPassword) return options_.password + '\0';
  return plugin == protocol::kNativePassword ? protocol::native_scramble(options_.password, salt)
                                             : protocol::sha2_scramble(options_.password, salt);
}

Reply RawClient::change_user(const std::string& user, const std::string& password) {
  options_.password = password;
  protocol::ChangeUser request;
  request.user = user;
  request.database = options_.database;
  request.auth_plugin = options_.plugin;
  request.auth_response = protocol::native_scramble(password, greeting_.salt);
  send(protocol::encode_change_user(request, options_.capabilities));
  return finish_login();
}

Reply RawClient::finish_login() {
  for (;;) {
    received_.clear();
    const std::optional<std::string> payload = read_packet();
    if (!payload || payload->empty()) return ended();
    protocol::Reader reader(*payload);
    Reply reply;
    switch (reader.u8()) {
      case 0x00: reply.kind = Reply::Kind::kOk; return reply;
      case 0xFF:
        reply.kind = Reply::Kind::kError;
        reply.number = reader.u16();
        reply.text = reader.rest();
        if (reply.text.starts_with("#")) reply.text.erase(0, 6);
        return reply;
      case 0x01:
        if (reader.u8() == 4) return full_authentication();
        break;  // the fast path: an OK follows
      case 0xFE: {
        const auto asked = protocol::parse_auth_switch_request(*payload);
        if (!asked) return ended();
        send(answer_to(asked->salt, asked->plugin), static_cast<std::uint8_t>(sequence_ + 1));
        break;
      }
      default: return ended();
    }
  }
}

Reply RawClient::full_authentication() {
  if (tls_ || !options_.socket_path.empty()) {
    send(options_.password + '\0', static_cast<std::uint8_t>(sequence_ + 1));
    return finish_login();
  }
  send("\x02", static_cast<std::uint8_t>(sequence_ + 1));
  const std::optional<std::string> key = read_packet();
  if (!key || key->empty()) return ended();
  const auto cipher = protocol::encrypt_password(options_.password, greeting_.salt, key->substr(1));
  if (!cipher) return ended();
  send(*cipher, static_cast<std::uint8_t>(sequence_ + 1));
  return finish_login();
}

void RawClient::start_tls() {
  tls_ = std::make_unique<Tls>();
  SSL_set_fd(tls_->session, fd_.get());
  if (!options_.certificate.empty()) {
    SSL_use_certificate_file(tls_->session, options_.certificate.c_str(), SSL_FILETYPE_PEM);
    SSL_use_PrivateKey_file(tls_->session, options_.key.c_str(), SSL_FILETYPE_PEM);
  }
  SSL_connect(tls_->session);
}

bool RawClient::is_closed() {
  char byte = 0;
  return !receive(&byte, 1) && !timed_out_;
}

bool RawClient::hears_nothing() {
  pollfd wait{fd_.get(), POLLIN, 0};
  return ::poll(&wait, 1, kShortWhileMs) == 0;
}

void RawClient::end_input() {
  if (tls_) SSL_shutdown(tls_->session);
  ::shutdown(fd_.get(), SHUT_WR);
}

void RawClient::close() {
  tls_.reset();
  fd_.reset();
}

void RawClient::close_with_reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

std::uint16_t RawClient::local_port() const {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

void RawClient::set_receive_buffer(int bytes) {
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

}  // namespace tidepool::testing
