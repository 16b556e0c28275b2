// MessageChannel: whole messages between two processes of one machine, each of which may carry file
// descriptors. A Unix socket of the kind SOCK_SEQPACKET, on one loop.
// Owned by the side that talks; on the loop's thread. The callbacks may destroy the channel through
// Loop::retire only.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidepool/base/error.h"
#include "tidepool/net/fd.h"
#include "tidepool/net/loop.h"

namespace tidepool::net {

class MessageChannel {
 public:
  static constexpr std::size_t kMaxBytes = 4096;
  static constexpr std::size_t kMaxDescriptors = 128;

  struct Message {
    std::string text;
    std::vector<UniqueFd> descriptors;  // close-on-exec
  };
  using OnMessage = std::function<void(Message)>;
  using OnEnd = std::function<void()>;  // once: the other end is gone

  // Two ends that are connected, nonblocking and close-on-exec.
  static Result<std::pair<UniqueFd, UniqueFd>> pair();
  // Whether a descriptor, named by another process, is such an end.
  static bool is_end(int fd);
  // The next message, for who has no loop yet: waits at most so long. kClosed: the other end is
  // gone.
  static Result<Message> receive(int fd, Duration timeout);

  MessageChannel(Loop& loop, UniqueFd fd, OnMessage on_message, OnEnd on_end);
  MessageChannel(const MessageChannel&) = delete;
  MessageChannel& operator=(const MessageChannel&) = delete;
  ~MessageChannel() = default;

  // All of it or nothing, which is so if the other end is gone or does not read. The descriptors
  // stay the caller's.
  [[nodiscard]] bool try_send(std::string_view text, const std::vector<int>& descriptors = {});

 private:
  void on_poll();

  UniqueFd fd_;
  OnMessage on_message_;
  OnEnd on_end_;
  Handle<uv_poll_s> poll_;  // last: closed before the descriptor
};

}  // namespace tidepool::net
