// One HTTP connection, as httplib reads and writes it: no wait is longer than a second or two.
#pragma once

#include <array>
#include <string>

#include <httplib.h>

namespace tidepool::admin {

class HttpStream final : public httplib::Stream {
 public:
  explicit HttpStream(int fd) : fd_(fd) {}  // closes it
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;
  ~HttpStream() override;

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return fd_; }

 private:
  const int fd_;
  std::array<char, 4096> buffer_{};  // httplib asks for single bytes
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace tidepool::admin
