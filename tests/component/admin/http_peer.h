// A peer of the HTTP port that says what a test wants, byte by byte, on a blocking socket.
#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace tidepool::admin {

class HttpPeer {
 public:
  using Milliseconds = std::chrono::milliseconds;

  // A socket, not connected yet: what a test needs where descriptors are about to run out.
  HttpPeer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit HttpPeer(std::uint16_t port) : HttpPeer() { connect(port); }
  HttpPeer(HttpPeer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;
  HttpPeer& operator=(HttpPeer&&) = delete;
  ~HttpPeer() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool connect(std::uint16_t port) const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  // A small window, so that an answer does not fit into the kernel's buffers.
  void take_little() const {
    const int bytes = 4096;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }

  // False: the other end has closed, or takes nothing for 10 s.
  bool say(std::string_view text) const {
    while (!text.empty()) {
      if (!wait_for(POLLOUT, Milliseconds(10'000))) return false;
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) return false;
      if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void say_end() const { ::shutdown(fd_, SHUT_WR); }

  // Everything up to the end of the connection; what came so far if that takes longer.
  std::string hear_all(Milliseconds patience = Milliseconds(10'000)) const {
    std::string all;
    (void)hear_into(all, patience);
    return all;
  }

  // Until that text has come; what came if it does not within `patience`.
  std::string hear_until(std::string_view text,
                         Milliseconds patience = Milliseconds(10'000)) const {
    std::string all;
    char byte = 0;
    while (all.find(text) == std::string::npos && wait_for(POLLIN, patience) &&
           ::recv(fd_, &byte, 1, MSG_DONTWAIT) == 1) {
      all += byte;
    }
    return all;
  }

  // Whether the other end closes within `patience`; what it says meanwhile is lost.
  bool sees_end(Milliseconds patience = Milliseconds(10'000)) const {
    std::string lost;
    return hear_into(lost, patience);
  }

  std::string ask(std::string_view request, Milliseconds patience = Milliseconds(10'000)) const {
    return say(request) ? hear_all(patience) : "not sent";
  }

 private:
  // Whether the end has come.
  bool hear_into(std::string& all, Milliseconds patience) const {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (true) {
      const auto left = std::chrono::ceil<Milliseconds>(end - std::chrono::steady_clock::now());
      std::array<char, 16'384> piece{};
      if (left.count() <= 0 || !wait_for(POLLIN, left)) return false;
      const ssize_t got = ::recv(fd_, piece.data(), piece.size(), MSG_DONTWAIT);
      if (got <= 0) return true;
      all.append(piece.data(), static_cast<std::size_t>(got));
    }
  }

  bool wait_for(short events, Milliseconds patience) const {
    pollfd one{.fd = fd_, .events = events, .revents = 0};
    return ::poll(&one, 1, static_cast<int>(patience.count())) > 0;
  }

  int fd_;
};

// What was heard, taken apart.
struct Heard {
  int status = 0;  // 0: nothing that is an answer
  std::string head;
  std::string body;

  std::string header(std::string_view name) const {
    const std::string begin = "\r\n" + std::string(name) + ": ";
    const std::size_t at = head.find(begin);
    if (at == std::string::npos) return "";
    const std::size_t from = at + begin.size();
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

inline Heard heard(const std::string& text) {
  const std::size_t end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return {};
  return {std::stoi(text.substr(9, 3)), text.substr(0, end + 2), text.substr(end + 4)};
}

inline std::string get(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + std::string(headers) +
         "\r\n";
}

}  // namespace tidepool::admin
