// CommandRoom: the memory that one client's large command takes, from its first bytes on until its
// answer is out; and the wait for it.
//
// Owned by the session while the command is received, then by the command; on the loop's thread.
#pragma once

#include <cstddef>
#include <memory>

#include "tidepool/net/loop.h"
#include "tidepool/net/timer.h"
#include "tidepool/session/command_memory.h"

namespace tidepool::session {

// Who receives. The room may be destroyed by either.
class RoomSink {
 public:
  RoomSink() = default;
  RoomSink(const RoomSink&) = delete;
  RoomSink& operator=(const RoomSink&) = delete;
  virtual ~RoomSink() = default;

  virtual void on_room() = 0;  // what it waited for is there
  virtual void on_refused(CommandRefusal why) = 0;
};

class CommandRoom {
 public:
  CommandRoom(CommandMemory& memory, net::Loop& loop, RoomSink& sink);
  CommandRoom(const CommandRoom&) = delete;
  CommandRoom& operator=(const CommandRoom&) = delete;
  ~CommandRoom() { link_->room = nullptr; }

  // So many bytes are needed to go on. False: not before the sink is told.
  [[nodiscard]] bool receive(std::size_t bytes);
  // So many came ahead of their turn. False: there is no room, and nobody will be told of any.
  [[nodiscard]] bool try_hold(std::size_t bytes);
  // All has come, and takes so many bytes while it is executed.
  void set_whole(std::size_t bytes);

 private:
  // Shared with the news that are on their way; on the loop's thread.
  struct Link {
    CommandRoom* room;
  };

  void on_news(CommandShare::News news);
  void watch();

  net::Loop& loop_;
  RoomSink& sink_;
  std::shared_ptr<Link> link_ = std::make_shared<Link>(Link{this});
  std::size_t granted_ = 0;     // that need not be asked for again
  net::Timer patience_{loop_};  // while it waits
  CommandShare share_;
};

}  // namespace tidepool::session
