// ProxyPeer: a load balancer's connection until its PROXY header has come whole. Nothing is said to
// the peer before, and nothing taken of what follows.
//
// Owned by the worker, which hands what it holds on to a session; on its loop's thread. It has the
// place of a pending login, which counts for no address until the client's is known: all clients of
// a balancer share its address.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tidepool/net/stream.h"
#include "tidepool/net/timer.h"
#include "tidepool/protocol/proxy_header.h"
#include "tidepool/session/login_places.h"
#include "tidepool/session/session.h"

namespace tidepool::proxy {

class ProxyPeer final : public net::StreamSink, public session::PendingClient {
 public:
  // Runs once: the header is there, or this object to be retired, and counted as that failure.
  using OnHeader = std::function<void(std::uint32_t id)>;
  using OnFailed = std::function<void(std::uint32_t id, session::LoginFailure why)>;

  ProxyPeer(net::Loop& loop, std::uint32_t id, session::AcceptedClient arrival, OnHeader on_header,
            OnFailed on_failed);

  void start(Duration limit);
  // Once the header is there: who has come, from where it says.
  session::AcceptedClient take_accepted_client();

  bool is_silent() override;
  void give_way(session::LoginFailure why) override;

 private:
  void on_readable() override;
  void on_error(Error error) override;
  void end();
  void fail(session::LoginFailure why, const std::string& reason);

  net::Loop& loop_;
  const std::uint32_t id_;
  const TimePoint since_;
  session::AcceptedClient arrival_;
  const OnHeader on_header_;
  const OnFailed on_failed_;
  protocol::ProxyHeader header_;
  net::Timer timer_;
  std::unique_ptr<net::Stream> stream_;  // last: borrows the descriptor of arrival_
};

// Where the client of a balancer at `peer` is that has named `client`; both as in
// AcceptedClient::peer. A client of a loopback address is on the balancer's machine: at another one
// than this it has the balancer's address.
std::string address_behind(const std::string& peer, const std::string& client);

}  // namespace tidepool::proxy
