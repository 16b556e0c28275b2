#include "http_stream.h"

#include <algorithm>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tidepool::admin {
namespace {

constexpr int kReadTimeout = 1'000;  // milliseconds
constexpr int kWriteTimeout = 2'000;

bool wait_for(int fd, short events, int timeout) {
  pollfd one{.fd = fd, .events = events, .revents = 0};
  return ::poll(&one, 1, timeout) > 0;
}

}  // namespace

HttpStream::~HttpStream() {
  ::shutdown(fd_, SHUT_RDWR);
  ::close(fd_);
}

bool HttpStream::is_readable() const {
  return begin_ < end_ || wait_for(fd_, POLLIN, kReadTimeout);
}

bool HttpStream::is_writable() const {
  return wait_for(fd_, POLLOUT, kWriteTimeout);
}

ssize_t HttpStream::read(char* to, size_t size) {
  if (begin_ == end_) {
    if (!is_readable()) return -1;
    const ssize_t bytes = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
    if (bytes <= 0) return bytes;
    begin_ = 0;
    end_ = static_cast<size_t>(bytes);
  }
  const size_t count = std::min(size, end_ - begin_);
  std::memcpy(to, buffer_.data() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

// What the peer takes at once; httplib goes on with the rest.
ssize_t HttpStream::write(const char* from, size_t size) {
  if (!is_writable()) return -1;
  return ::send(fd_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Nobody asks.
void HttpStream::get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const {}
void HttpStream::get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const {}

}  // namespace tidepool::admin
