#include "proxy_peer.h"

#include <algorithm>
#include <utility>

#include "tidepool/base/log.h"
#include "tidepool/net/socket.h"

namespace tidepool::proxy {

using session::LoginFailure;

ProxyPeer::ProxyPeer(net::Loop& loop, std::uint32_t id, session::AcceptedClient arrival,
                     OnHeader on_header, OnFailed on_failed)
    : loop_(loop),
      id_(id),
      since_(loop.now()),
      arrival_(std::move(arrival)),
      on_header_(std::move(on_header)),
      on_failed_(std::move(on_failed)),
      timer_(loop),
      stream_(net::Stream::borrow(loop, arrival_.fd.get(), nullptr, this)) {}

void ProxyPeer::start(Duration limit) {
  timer_.start(limit, [this] { fail(LoginFailure::kTimeout, "it has not come in time"); });
}

session::AcceptedClient ProxyPeer::take_accepted_client() {
  arrival_.peer = address_behind(arrival_.peer, header_.client());
  arrival_.network = net::network_of(arrival_.peer);
  arrival_.waited = loop_.now() - since_;
  return std::move(arrival_);
}

bool ProxyPeer::is_silent() {
  return stream_ != nullptr && stream_->unread_bytes() == 0;
}

void ProxyPeer::give_way(LoginFailure why) {
  fail(why, "others need what it takes");
}

void ProxyPeer::on_readable() {
  while (!header_.is_complete()) {
    const auto scratch = loop_.scratch();
    const auto buffer = scratch.first(std::min(scratch.size(), header_.wanted()));
    const auto result = stream_->read(buffer);
    if (!result) return fail(LoginFailure::kClosed, result.error().message);
    if (result->status == net::ReadResult::Status::kEnd)
      return fail(LoginFailure::kClosed, "the peer has closed the connection");
    if (result->status == net::ReadResult::Status::kWouldBlock) return;
    if (const auto taken = header_.feed({buffer.data(), result->bytes}); !taken)
      return fail(LoginFailure::kProxyHeader, taken.error().message);
  }
  end();
  on_header_(id_);
}

void ProxyPeer::on_error(Error error) {
  fail(LoginFailure::kClosed, error.message);
}

void ProxyPeer::end() {
  timer_.stop();
  stream_.reset();
}

// A balancer that closes at once has checked that the port is open.
void ProxyPeer::fail(LoginFailure why, const std::string& reason) {
  const bool is_noteworthy = why != LoginFailure::kClosed;
  log::write(is_noteworthy ? log::Level::kInfo : log::Level::kDebug, "no PROXY header",
             {{"session", id_}, {"peer", arrival_.peer}, {"error", reason}});
  end();
  arrival_.place.reset();  // others may wait for it
  on_failed_(id_, why);
}

std::string address_behind(const std::string& peer, const std::string& client) {
  if (client.empty()) return peer;
  const bool names_loopback = net::network_of(client).empty();
  const bool is_here = net::network_of(peer).empty();
  return names_loopback && !is_here ? peer : client;
}

}  // namespace tidepool::proxy
