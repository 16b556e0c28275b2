// A stream on one end of a socket pair, the plain descriptor of the other, and a sink that records
// what happens.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <sys/socket.h>

#include "tidepool/net/stream.h"

namespace tidepool::testing {

class RecordingSink : public net::StreamSink {
 public:
  net::Stream* stream = nullptr;
  std::string received;
  int readable = 0;
  int drained = 0;
  int established = 0;
  bool ended = false;
  std::unique_ptr<Error> error;
  std::function<void()> instead_of_reading;

  void on_readable() override {
    ++readable;
    if (instead_of_reading) return instead_of_reading();
    read_once();
  }
  // One read() into a buffer of this size.
  void read_once(std::size_t size = 65536) {
    std::string buffer(size, '\0');
    const Result<net::ReadResult> got = stream->read(buffer);
    if (!got) {
      error = std::make_unique<Error>(got.error());
      return;
    }
    if (got->status == net::ReadResult::Status::kEnd) ended = true;
    received.append(buffer, 0, got->bytes);
  }
  void on_drained() override { ++drained; }
  void on_tls_established() override { ++established; }
  void on_error(Error failure) override { error = std::make_unique<Error>(std::move(failure)); }
};

struct SocketPair {
  net::UniqueFd near;
  net::UniqueFd far;

  SocketPair() {
    std::array<int, 2> fds{};
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data());
    near.reset(fds[0]);
    far.reset(fds[1]);
  }
};

}  // namespace tidepool::testing
