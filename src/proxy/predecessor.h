// The new process's side of a takeover: the process before this one, whose clients this one takes
// over. See handover.h for the words.
//
// Owned by the server; on the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tidepool/base/error.h"
#include "tidepool/net/loop.h"
#include "tidepool/net/message_channel.h"

namespace tidepool::proxy {

class Predecessor {
 public:
  struct Events {
    // It may have so many backends of that pool open, no more.
    std::function<void(const std::string& pool, unsigned backends)> on_held;
    // Clients may be let in; their sessions' ids begin there. Also when the predecessor is gone
    // before it said so: no other process listens.
    std::function<void(std::uint32_t first_session)> on_go;
    std::function<void()> on_gone;  // it has no client and no backend any more
  };

  // Hears what it has to give, with a bound on the time. Null: there is none. Takes the variable
  // out of this process's environment; call it before any thread exists.
  static Result<std::unique_ptr<Predecessor>> meet();

  // Returns the sockets that listen at that place; the first to ask gets them.
  std::vector<net::UniqueFd> take(const std::string& key);
  // Whether one of the sockets that were not taken yet is at that TCP port.
  bool listens_on(std::uint16_t port) const;
  // Closes the sockets that were not taken, and removes the files of Unix sockets.
  void drop_the_rest();
  const std::map<std::string, unsigned>& held() const { return held_; }
  // The predecessor does not reach TiDB with that pool, so that the start need not wait until this
  // process does.
  bool is_unavailable(const std::string& pool) const { return unavailable_.contains(pool); }

  void start(net::Loop& loop, Events events);
  void say_ready();
  void ask_to_drain();

  bool is_there() const { return is_there_; }  // until on_gone
  bool has_gone_live() const { return has_gone_live_; }

 private:
  explicit Predecessor(net::UniqueFd fd) : fd_(std::move(fd)) {}
  Result<void> listen_to_it();
  void on_message(const net::MessageChannel::Message& message);
  void on_end();

  net::UniqueFd fd_;  // until start()
  std::map<std::string, std::vector<net::UniqueFd>> sockets_;
  std::map<std::string, unsigned> held_;
  std::set<std::string> unavailable_;
  Events events_;
  bool is_there_ = true;
  bool has_gone_live_ = false;
  std::unique_ptr<net::MessageChannel> channel_;
};

}  // namespace tidepool::proxy
