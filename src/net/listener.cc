#include "tidepool/net/listener.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include <uv.h>

#include "tidepool/base/check.h"
#include "tidepool/net/socket.h"

namespace tidepool::net {
namespace {

constexpr int kAcceptsPerTurn = 64;                     // then others get their turn
constexpr auto kRest = std::chrono::milliseconds(100);  // when even refusing fails
constexpr int kLockAttempts = 200;
constexpr auto kLockPause = std::chrono::milliseconds(5);
constexpr int kSocketFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;

tl::unexpected<Error> fail_listen(const std::string& where, int number) {
  const Code code = number == EADDRINUSE || number == EACCES ? Code::kConfig : Code::kInternal;
  return fail(code, "cannot listen on " + where + ": " + std::generic_category().message(number));
}

struct AddressFree {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

// -1: errno says why.
int bind_tcp(const sockaddr* address, socklen_t length, int backlog, Port owner) {
  UniqueFd fd(::socket(address->sa_family, SOCK_STREAM | kSocketFlags, 0));
  if (!fd.is_open()) return -1;
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address->sa_family == AF_INET6) {  // "*" means IPv4 too
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  }
  if (owner == Port::kShared) set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (::bind(fd.get(), address, length) != 0 || ::listen(fd.get(), backlog) != 0) {
    const int number = errno;
    fd.reset();
    errno = number;
    return -1;
  }
  // Not before: the kernel gives a port to all who ask with this option, but to one only of those
  // who listen without it. With the option from here on, this socket admits the sockets of share()
  // beside it.
  if (owner == Port::kOwn) set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  return fd.release();
}

bool has_no_such_address(int number) {
  return number == EADDRNOTAVAIL || number == EAFNOSUPPORT;
}

// The first address that this machine has. -1: errno says why.
int bind_first(const addrinfo* addresses, int backlog, Port owner) {
  errno = EADDRNOTAVAIL;
  for (const addrinfo* one = addresses; one != nullptr; one = one->ai_next) {
    const int fd = bind_tcp(one->ai_addr, one->ai_addrlen, backlog, owner);
    if (fd >= 0 || !has_no_such_address(errno)) return fd;
  }
  return -1;
}

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(Code::kConfig, "cannot listen on '" + path + "': a Unix socket's path has 1 to " +
                                   std::to_string(sizeof address.sun_path - 1) + " characters");
  }
  std::memcpy(static_cast<void*>(address.sun_path), path.data(), path.size());
  return address;
}

FileId file_at(const std::string& path) {
  struct stat status {};
  if (path.empty() || ::lstat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino};
}

// A lock, so that no other process looks at what is there between our look and listen(). Each
// process that opens a socket in this folder takes it; one that cannot have it in time goes on
// without.
UniqueFd lock_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  UniqueFd fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int attempt = 0; attempt < kLockAttempts && fd.is_open(); ++attempt) {
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) break;
    std::this_thread::sleep_for(kLockPause);
  }
  return fd;
}

// Removes what a process that is gone has left behind.
Result<void> remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return fail(Code::kConfig, "cannot listen on '" + path + "': it exists and is not a socket");
  }
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | kSocketFlags, 0));
  const int failed =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (failed != 0 && errno == ENOENT) return {};
  if (failed == 0 || errno != ECONNREFUSED) {
    return fail(Code::kConfig, "cannot listen on '" + path + "': another process listens on it");
  }
  ::unlink(path.c_str());
  return {};
}

// A socket that listens there, with the rights that `mode` says.
Result<UniqueFd> bind_unix(const std::string& path, unsigned mode, int backlog) {
  const Result<sockaddr_un> address = unix_address(path);
  if (!address) return tl::unexpected(address.error());
  const UniqueFd lock = lock_folder_of(path);
  if (const Result<void> removed = remove_stale(path, *address); !removed) {
    return tl::unexpected(removed.error());
  }
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | kSocketFlags, 0));
  if (!fd.is_open()) return fail_listen("'" + path + "'", errno);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return fail_listen("'" + path + "'", errno);
  }
  // Before listen(), so that no client connects with other rights than `mode` says.
  if (::chmod(path.c_str(), mode) != 0 || ::listen(fd.get(), backlog) != 0) {
    const int number = errno;
    ::unlink(path.c_str());
    return fail_listen("'" + path + "'", number);
  }
  return fd;
}

bool is_readable(int fd) {
  pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, 0) > 0;
}

UniqueFd open_reserve() {
  return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::tcp(Loop& loop, const std::string& host,
                                                std::uint16_t port, int backlog, OnAccept on_accept,
                                                Port owner) {
  const std::string where = "'" + host + "' port " + std::to_string(port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const bool any = host.empty() || host == "*";
  const int failed =
      ::getaddrinfo(any ? "::" : host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) {
    return fail(Code::kConfig, "cannot listen on " + where + ": " + ::gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, AddressFree> addresses(found);
  UniqueFd fd(bind_first(addresses.get(), backlog, owner));
  if (!fd.is_open() && any && has_no_such_address(errno)) {  // a machine without IPv6
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    fd = UniqueFd(bind_tcp(reinterpret_cast<sockaddr*>(&v4), sizeof v4, backlog, owner));
  }
  if (!fd.is_open()) return fail_listen(where, errno);
  return from_fd(loop, std::move(fd), std::move(on_accept));
}

Result<std::unique_ptr<Listener>> Listener::unix_socket(Loop& loop, const std::string& path,
                                                        unsigned mode, int backlog,
                                                        OnAccept on_accept) {
  Result<UniqueFd> fd = bind_unix(path, mode, backlog);
  if (!fd) return tl::unexpected(fd.error());
  Result<std::unique_ptr<Listener>> listener = from_fd(loop, std::move(*fd), std::move(on_accept));
  if (listener) (*listener)->file_ = file_at(path);
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::from_fd(Loop& loop, UniqueFd fd, OnAccept on_accept) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return tl::unexpected(error_of_errno("a descriptor to listen on", errno));
  }
  std::unique_ptr<Listener> listener(new Listener(loop, std::move(fd), std::move(on_accept)));
  listener->is_unix_ = address.ss_family == AF_UNIX;
  if (listener->is_unix_) {
    listener->address_ = static_cast<const char*>(reinterpret_cast<sockaddr_un&>(address).sun_path);
  } else {
    set_no_delay(listener->fd_.get());  // Linux: what it accepts inherits its options
    listener->address_ = to_text(address);
    listener->port_ =
        ntohs(address.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(address).sin_port
                                           : reinterpret_cast<sockaddr_in6&>(address).sin6_port);
  }
  listener->start();
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::share(Loop& loop, int backlog,
                                                  OnAccept on_accept) const {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  UniqueFd fd;
  if (!is_unix_ && ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0) {
    fd = UniqueFd(
        bind_tcp(reinterpret_cast<const sockaddr*>(&address), length, backlog, Port::kShared));
  }
  // Of a Unix socket, and where the kernel gives TCP no second queue, the same socket.
  if (!fd.is_open()) fd = UniqueFd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd.is_open()) return tl::unexpected(error_of_errno("sharing a listening socket", errno));
  return from_fd(loop, std::move(fd), std::move(on_accept));
}

Listener::Listener(Loop& loop, UniqueFd fd, OnAccept on_accept)
    : on_accept_(std::move(on_accept)), fd_(std::move(fd)), reserve_(open_reserve()), rest_(loop) {
  TIDEPOOL_CHECK(loop.is_current_thread());
  auto* poll = new uv_poll_t;
  TIDEPOOL_CHECK(uv_poll_init(loop.raw(), poll, fd_.get()) == 0);
  poll->data = this;
  poll_.reset(poll);
}

Listener::~Listener() {
  remove_file();
}

// Unless the path has become another process's meanwhile.
void Listener::remove_file() const {
  if (file_ != FileId{} && file_at(address_) == file_) ::unlink(address_.c_str());
}

void Listener::set_refusal(std::string last_words, OnRefused on_refused) {
  last_words_ = std::move(last_words);
  on_refused_ = std::move(on_refused);
}

void Listener::set_keep_alive(Duration idle) {
  if (is_unix_) return;
  if (idle > Duration::zero()) return net::set_keep_alive(fd_.get(), {.idle = idle});
  set_option(fd_.get(), SOL_SOCKET, SO_KEEPALIVE, 0);
}

void Listener::own_file(unsigned mode) {
  if (!is_unix_) return;
  file_ = file_at(address_);
  (void)::chmod(address_.c_str(), mode);  // it may have been opened with another one
}

void Listener::pause() {
  paused_ = true;
  rest_.stop();
  uv_poll_stop(poll_.get());
}

void Listener::resume() {
  paused_ = false;
  start();
}

void Listener::start() {
  uv_poll_start(poll_.get(), UV_READABLE, [](uv_poll_t* handle, int, int) noexcept {
    if (handle->data != nullptr) static_cast<Listener*>(handle->data)->on_poll();
  });
}

void Listener::on_poll() {
  for (int count = 0; count < kAcceptsPerTurn && !paused_ && accept_one(); ++count) {
  }
}

// -1: errno says why. Another thread may be quicker to use what was given up.
int Listener::accept_now(sockaddr_storage& address) {
  while (true) {
    socklen_t length = sizeof address;
    const int fd =
        ::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length, kSocketFlags);
    const bool none_left = fd < 0 && (errno == EMFILE || errno == ENFILE);
    if (!none_left || !spare_) return fd;
    const int number = errno;
    // The kernel says so before it looks whether anybody waits.
    if (!is_readable(fd_.get()) || !spare_().is_open()) {
      errno = number;
      return -1;
    }
  }
}

// Returns false if nothing waits, or accepting rests for a moment.
bool Listener::accept_one() {
  sockaddr_storage address{};
  UniqueFd fd(accept_now(address));
  if (fd.is_open()) {
    on_accept_(Accepted{std::move(fd), is_unix_ ? "unix" : to_text(address), is_unix_});
    return true;
  }
  if (errno == EMFILE || errno == ENFILE) return refuse_one();
  if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) return true;
  if (errno != EAGAIN) rest();  // ENOMEM, ENOBUFS, …: the loop would be told again and again
  return false;
}

void Listener::rest() {
  uv_poll_stop(poll_.get());
  rest_.start(kRest, [this] { start(); });
}

// Out of descriptors: gives up the reserved one for the moment that it takes to turn one peer away.
// Left in the queue, peers would wait without a word, and the loop would be told of them again and
// again.
bool Listener::refuse_one() {
  reserve_.reset();
  UniqueFd fd(::accept4(fd_.get(), nullptr, nullptr, kSocketFlags));
  const bool refused = fd.is_open();
  const bool is_empty = !refused && errno == EAGAIN;
  if (refused) (void)::send(fd.get(), last_words_.data(), last_words_.size(), MSG_NOSIGNAL);
  fd.reset();
  reserve_ = open_reserve();
  if (refused) {
    ++refused_;
    if (on_refused_) on_refused_();
    return true;
  }
  if (!is_empty) rest();
  return false;
}

}  // namespace tidepool::net
