#include "scripted_client.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sys/socket.h>
#include <utility>

#include "marker.h"
#include "tidepool/protocol/auth.h"
#include "tidepool/protocol/capabilities.h"
#include "tidepool/protocol/login_messages.h"
#include "tidepool/protocol/packet.h"
#include "trace.h"

namespace tidepool::fuzz {
namespace {

std::string framed(std::string_view payload, std::uint8_t sequence) {
  std::string bytes;
  protocol::append_packet(bytes, sequence, payload);
  return bytes;
}

std::string scramble(const std::string& plugin, const std::string& password,
                     const std::string& salt) {
  return plugin == protocol::kNativePassword ? protocol::native_scramble(password, salt)
                                             : protocol::sha2_scramble(password, salt);
}

}  // namespace

ScriptedClient::ScriptedClient(net::UniqueFd fd, char owner, LoginOptions options)
    : fd_(std::move(fd)), owner_(owner), options_(std::move(options)) {}

void ScriptedClient::receive() {
  std::array<char, 16384> buffer{};
  while (fd_.is_open() && is_reading_) {
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (got <= 0) return close();
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    trace("client receives", session_, bytes);
    if (phase_ != Phase::kGreeting) check(bytes);  // a salt is random, and may look like a marker
    frames_.add(bytes);
    if (bytes.size() < buffer.size()) break;
  }
  while (const auto frame = frames_.next())
    take(*frame);
}

void ScriptedClient::check(std::string_view bytes) {
  tail_ += bytes;
  for (std::size_t at = tail_.find(kMarkerSign); at != std::string::npos;
       at = tail_.find(kMarkerSign, at + 1)) {
    if (at + kMarkerBytes > tail_.size()) break;
    const char owner = tail_[at + kMarkerSign.size()];
    if (owner == owner_) continue;
    std::fprintf(stderr, "client %c received bytes of client %c\n", owner_, owner);
    std::abort();
  }
  if (tail_.size() >= kMarkerBytes) tail_.erase(0, tail_.size() - (kMarkerBytes - 1));
}

void ScriptedClient::take(const Frame& frame) {
  sequence_ = frame.sequence;
  has_answer_ = true;
  if (frame.payload.empty()) return;
  if (phase_ == Phase::kGreeting) return on_greeting(frame);
  if (phase_ == Phase::kLogin) return on_login_answer(frame);
}

void ScriptedClient::on_greeting(const Frame& frame) {
  const auto greeting = protocol::parse_greeting(frame.payload);
  if (!greeting) return;
  session_ = greeting->connection_id;
  salt_ = greeting->salt;
  phase_ = Phase::kLogin;
  protocol::LoginRequest request;
  request.capabilities = options_.capabilities;
  request.max_packet_bytes = 1U << 24U;
  request.collation = options_.collation;
  if (!options_.database.empty()) request.capabilities |= protocol::capability::kConnectWithDb;
  request.user = options_.user;
  request.database = options_.database;
  request.auth_plugin = options_.plugin;
  request.auth_response = scramble(options_.plugin, options_.password, salt_);
  reply(protocol::encode_login_request(request));
}

void ScriptedClient::on_login_answer(const Frame& frame) {
  const std::string& payload = frame.payload;
  if (std::exchange(awaits_key_, false)) {
    const auto cipher = protocol::encrypt_password(options_.password, salt_, payload.substr(1));
    return reply(cipher ? *cipher : std::string("x"));
  }
  if (payload[0] == '\0') {
    phase_ = Phase::kIn;
  } else if (payload[0] == '\xFE') {
    const auto asked = protocol::parse_auth_switch_request(payload);
    if (!asked) return;
    salt_ = asked->salt;
    reply(scramble(asked->plugin, options_.password, salt_));
  } else if (payload[0] == 1 && payload.size() > 1 && payload[1] == 4) {
    awaits_key_ = true;
    reply("\x02");
  } else if (payload[0] == '\xFF') {
    phase_ = Phase::kIn;  // the session says whether it is over
  }
}

void ScriptedClient::reply(std::string_view payload) {
  send(framed(payload, static_cast<std::uint8_t>(sequence_ + 1)));
}

void ScriptedClient::send(std::string_view bytes) {
  if (!fd_.is_open()) return;
  trace("client sends", session_, bytes);
  const std::string all = std::exchange(rest_, {}) + std::string(bytes);
  [[maybe_unused]] const ssize_t sent =
      ::send(fd_.get(), all.data(), all.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void ScriptedClient::send_command(std::string_view payload, std::uint8_t sequence) {
  send(framed(payload, sequence));
}

void ScriptedClient::send_next(std::string_view payload) {
  reply(payload);
  ++sequence_;
}

void ScriptedClient::send_part(std::string_view payload) {
  const std::string bytes = framed(payload, 0);
  send(std::string_view(bytes).substr(0, bytes.size() / 2));
  rest_ = bytes.substr(bytes.size() / 2);
}

void ScriptedClient::change_user(const std::string& user, const std::string& password,
                                 const std::string& database) {
  options_.password = password;
  protocol::ChangeUser request;
  request.user = user;
  request.database = database;
  request.auth_plugin = options_.plugin;
  request.auth_response = scramble(options_.plugin, password, salt_);
  send_command(protocol::encode_change_user(request, options_.capabilities));
  phase_ = Phase::kLogin;
}

void ScriptedClient::close() {
  trace("client closes", session_, {});
  fd_.reset();
  phase_ = Phase::kClosed;
}

void ScriptedClient::half_close() const {
  if (fd_.is_open()) ::shutdown(fd_.get(), SHUT_WR);
}

}  // namespace tidepool::fuzz
