#include "tidepool/backend/connection.h"

#include <array>
#include <sys/socket.h>
#include <utility>

#include <openssl/ssl.h>

#include "connection_state.h"
#include "tidepool/base/check.h"

namespace tidepool::backend {
namespace {

constexpr std::array<char, 5> kQuit{1, 0, 0, 0, 1};  // COM_QUIT

void say_goodbye(int fd, ssl_st* tls) {
  if (tls == nullptr) {
    [[maybe_unused]] const ssize_t sent =
        ::send(fd, kQuit.data(), kQuit.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  std::size_t sent = 0;
  if (SSL_write_ex(tls, kQuit.data(), kQuit.size(), &sent) == 1) SSL_shutdown(tls);
}

}  // namespace

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}

Connection::~Connection() {
  const bool idle = !state_->broken && !state_->operation &&
                    (!state_->stream || state_->stream->queued_bytes() == 0);
  state_->operation.reset();
  state_->stream.reset();
  if (idle) say_goodbye(state_->fd, tls_of(state_->mysql.get()));
  // What is sent is sent; from here on nothing that mysql_close() does with the socket can block.
  if (state_->fd >= 0) ::shutdown(state_->fd, SHUT_RDWR);
}

const ServerInfo& Connection::info() const {
  return state_->info;
}
const ConnectionProfile& Connection::profile() const {
  return state_->profile;
}
void Connection::set_multi_statements(bool on) {
  state_->profile.multi_statements = on;
}
bool Connection::is_broken() const {
  return state_->broken;
}
void Connection::set_broken() {
  state_->broken = true;
}
TimePoint Connection::dialled_at() const {
  return state_->dialled_at;
}
bool Connection::is_controlled() const {
  return static_cast<bool>(state_->operation);
}

net::Stream& Connection::attach(net::Loop& loop, net::StreamSink* sink) {
  TIDEPOOL_CHECK(!state_->stream);
  state_->stream = net::Stream::borrow(loop, state_->fd, tls_of(state_->mysql.get()), sink);
  return *state_->stream;
}

void Connection::detach() {
  TIDEPOOL_CHECK(state_->stream && !state_->operation && state_->stream->queued_bytes() == 0);
  state_->stream.reset();
}

net::Stream& Connection::stream() {
  TIDEPOOL_CHECK(static_cast<bool>(state_->stream));
  return *state_->stream;
}

}  // namespace tidepool::backend
