// Small things about sockets that more than one file needs. Any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <sys/socket.h>

#include "tidepool/base/clock.h"
#include "tidepool/base/error.h"

namespace tidepool::net {

// Settings of a TCP socket; on any other kind they do nothing.
struct KeepAlive {
  Duration idle = std::chrono::seconds(60);
  Duration interval = std::chrono::seconds(10);
  int probes = 3;
  Duration user_timeout{};  // how long sent bytes may stay unacknowledged; 0: the system's default
};
void set_no_delay(int fd);
void set_keep_alive(int fd, const KeepAlive& settings);

// "192.0.2.1:5123", "[2001:db8::1]:5123", "unix".
std::string to_text(const sockaddr_storage& address);
// The address in what to_text() has made, without port and brackets; empty: it has none.
std::string_view address_of(std::string_view peer);
// Where a limit that counts by address counts a peer, which to_text() has named: its IPv4 address,
// or the /64 of its IPv6 one, for all of that is one customer's. Empty: it is on this machine
// (loopback, Unix socket), or not known.
std::string network_of(const std::string& peer);

// Of the other end; empty if there is none.
std::string peer_of(int fd);

// What a system call's errno means for a connection: kClosed, kRefused, kTimeout or kInternal, with
// the system's words.
Error error_of_errno(const char* what, int number);

}  // namespace tidepool::net
