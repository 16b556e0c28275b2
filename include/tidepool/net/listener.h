// Listener: accepts connections on one TCP or Unix socket, on one loop.
// An address belongs to one process: any other that asks for it, with whatever options, is told
// that it is taken. Several workers listen on it with share(); another process only with
// descriptors that it was given. When the process is out of file descriptors, a reserved one is
// used to accept and close what waits, so that the peer knows, and the listener goes on without
// spinning. Destroying it stops the accepting; a Unix socket's file goes with the listener that
// made it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tidepool/base/error.h"
#include "tidepool/net/fd.h"
#include "tidepool/net/loop.h"
#include "tidepool/net/timer.h"

struct sockaddr_storage;

namespace tidepool::net {

// Which file a path names now; empty: none.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  bool operator==(const FileId&) const = default;
};

struct Accepted {
  UniqueFd fd;       // nonblocking, close-on-exec; TCP: without Nagle's delay
  std::string peer;  // "192.0.2.1:5123", "[2001:db8::1]:5123" or "unix"
  bool is_unix = false;
};

// kShared: on that port may listen who has this process's sockets.
enum class Port : std::uint8_t { kOwn, kShared };

class Listener {
 public:
  // Gives a descriptor up where the process has none left; not open: it has none to give.
  using Spare = std::function<UniqueFd()>;
  // Runs for each connection that is refused.
  using OnRefused = std::function<void()>;
  // Runs once for each connection, several times a turn. It may destroy the listener through
  // Loop::retire only.
  using OnAccept = std::function<void(Accepted)>;

  // `host` is a numeric address or a name, "" or "*" every address of the machine; port 0: the
  // system chooses, see port().
  static Result<std::unique_ptr<Listener>> tcp(Loop& loop, const std::string& host,
                                               std::uint16_t port, int backlog, OnAccept on_accept,
                                               Port owner = Port::kOwn);
  // A file left over by a process that is gone is replaced; one on which a process listens, or that
  // is no socket, is an error.
  static Result<std::unique_ptr<Listener>> unix_socket(Loop& loop, const std::string& path,
                                                       unsigned mode, int backlog,
                                                       OnAccept on_accept);
  // Takes a listening socket that another process has made. A Unix socket's file stays that
  // process's until own_file().
  static Result<std::unique_ptr<Listener>> from_fd(Loop& loop, UniqueFd fd, OnAccept on_accept);

  // A second listener on the same address, for another loop (whose thread must not run yet, or call
  // this itself): of TCP with a queue of its own, between which the kernel chooses.
  Result<std::unique_ptr<Listener>> share(Loop& loop, int backlog, OnAccept on_accept) const;

  // Where the process has no file descriptor left, what `spare` gives up makes room for the next
  // connection, which is refused only if there is nothing.
  void set_spare(Spare spare) { spare_ = std::move(spare); }
  // What a peer is told that is refused because no file descriptor is left; without it, nothing.
  void set_refusal(std::string last_words, OnRefused on_refused);

  // Of the TCP connections that come from now on: after how long a silence the peer's host is asked
  // whether it is there; 0: never. One setting for all, instead of four system calls for each.
  void set_keep_alive(Duration idle);

  // Of a Unix socket: the file goes with this listener, or stays for others that listen on it.
  void own_file(unsigned mode);
  void disown_file() { file_ = {}; }

  // Clients that connect meanwhile wait in the kernel's queue.
  void pause();
  void resume();

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  std::uint16_t port() const { return port_; }             // 0 for a Unix socket
  const std::string& address() const { return address_; }  // as Accepted::peer, or the path
  int fd() const { return fd_.get(); }
  // Connections refused because the process had no file descriptor left.
  std::uint64_t refused() const { return refused_; }

 private:
  Listener(Loop& loop, UniqueFd fd, OnAccept on_accept);
  void start();
  void on_poll();
  bool accept_one();
  int accept_now(sockaddr_storage& address);
  bool refuse_one();
  void rest();
  void remove_file() const;

  OnAccept on_accept_;
  Spare spare_;
  UniqueFd fd_;
  UniqueFd reserve_;  // given up to be able to refuse
  std::string address_;
  FileId file_;  // of the Unix socket to be removed at the end; empty: none
  std::uint16_t port_ = 0;
  bool is_unix_ = false;
  std::uint64_t refused_ = 0;
  std::string last_words_;
  OnRefused on_refused_;
  bool paused_ = false;
  Timer rest_;              // runs while accepting rests
  Handle<uv_poll_s> poll_;  // last: closed before the descriptor
};

}  // namespace tidepool::net
