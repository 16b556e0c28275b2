#include "tidepool/net/message_channel.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>

#include <uv.h>

#include "tidepool/base/check.h"
#include "tidepool/net/socket.h"

namespace tidepool::net {
namespace {

constexpr std::size_t kControlBytes = CMSG_SPACE(sizeof(int) * MessageChannel::kMaxDescriptors);

struct Control {
  alignas(cmsghdr) std::array<char, kControlBytes> bytes{};
};

std::vector<UniqueFd> descriptors_of(msghdr& header) {
  std::vector<UniqueFd> found;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      found.emplace_back(fd);
    }
  }
  return found;
}

// kTimeout: there is none yet.
Result<MessageChannel::Message> receive_now(int fd) {
  MessageChannel::Message message;
  message.text.resize(MessageChannel::kMaxBytes);
  Control control;
  iovec part{message.text.data(), message.text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  ssize_t bytes = 0;
  do {
    bytes = ::recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (bytes < 0 && errno == EINTR);
  if (bytes < 0 && errno == EAGAIN) return fail(Code::kTimeout, "no message came in time");
  if (bytes <= 0) return fail(Code::kClosed, "the other process is gone");
  message.descriptors = descriptors_of(header);
  message.text.resize(static_cast<std::size_t>(bytes));
  const bool is_whole = (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
  if (!is_whole) return fail(Code::kProtocol, "a message was cut off");
  return message;
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> MessageChannel::pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return tl::unexpected(error_of_errno("socketpair", errno));
  }
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

bool MessageChannel::is_end(int fd) {
  int type = 0;
  int family = 0;
  socklen_t length = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0) return false;
  length = sizeof family;
  if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) != 0) return false;
  return type == SOCK_SEQPACKET && family == AF_UNIX;
}

Result<MessageChannel::Message> MessageChannel::receive(int fd, Duration timeout) {
  pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(timeout);
  (void)::poll(&wait, 1, static_cast<int>(ms.count()));
  return receive_now(fd);
}

MessageChannel::MessageChannel(Loop& loop, UniqueFd fd, OnMessage on_message, OnEnd on_end)
    : fd_(std::move(fd)), on_message_(std::move(on_message)), on_end_(std::move(on_end)) {
  TIDEPOOL_CHECK(loop.is_current_thread());
  auto* poll = new uv_poll_t;
  TIDEPOOL_CHECK(uv_poll_init(loop.raw(), poll, fd_.get()) == 0);
  poll->data = this;
  poll_.reset(poll);
  uv_poll_start(poll, UV_READABLE, [](uv_poll_t* handle, int, int) noexcept {
    if (handle->data != nullptr) static_cast<MessageChannel*>(handle->data)->on_poll();
  });
}

// One a turn: the callback may have destroyed what the next one would need.
void MessageChannel::on_poll() {
  Result<Message> message = receive_now(fd_.get());
  if (message) return on_message_(std::move(*message));
  if (message.error().code == Code::kTimeout) return;
  uv_poll_stop(poll_.get());
  on_end_();
}

bool MessageChannel::try_send(std::string_view text, const std::vector<int>& descriptors) {
  TIDEPOOL_CHECK(!text.empty() && text.size() <= kMaxBytes);
  TIDEPOOL_CHECK(descriptors.size() <= kMaxDescriptors);
  Control control;
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t bytes = descriptors.size() * sizeof(int);
    header.msg_control = control.bytes.data();
    header.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(rights), descriptors.data(), bytes);
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(fd_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(text.size());
}

}  // namespace tidepool::net
