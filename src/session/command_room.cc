#include "tidepool/session/command_room.h"

namespace tidepool::session {
namespace {

// Asked for in steps, not for each read.
constexpr std::size_t kStep = std::size_t{256} << 10U;

}  // namespace

CommandRoom::CommandRoom(CommandMemory& memory, net::Loop& loop, RoomSink& sink)
    : loop_(loop), sink_(sink), share_(memory, [&loop, link = link_](CommandShare::News news) {
        loop.post([link, news] {
          if (link->room != nullptr) link->room->on_news(news);
        });
      }) {}

bool CommandRoom::receive(std::size_t bytes) {
  if (bytes <= granted_) return true;
  const std::size_t wanted = (bytes + kStep - 1) / kStep * kStep;
  if (share_.receive(wanted, loop_.now())) {
    granted_ = wanted;
    patience_.stop();
    return true;
  }
  granted_ = 0;
  if (!patience_.is_active()) watch();
  return false;
}

bool CommandRoom::try_hold(std::size_t bytes) {
  granted_ = 0;
  patience_.stop();
  return share_.try_hold(bytes);
}

void CommandRoom::set_whole(std::size_t bytes) {
  granted_ = 0;
  patience_.stop();
  share_.set_whole(bytes);
}

void CommandRoom::on_news(CommandShare::News news) {
  patience_.stop();
  switch (news) {
    case CommandShare::News::kRoom: return sink_.on_room();
    case CommandShare::News::kTooLarge: return sink_.on_refused(CommandRefusal::kTooLarge);
    case CommandShare::News::kStalled: return sink_.on_refused(CommandRefusal::kStalled);
    case CommandShare::News::kLargest: return sink_.on_refused(CommandRefusal::kLargest);
  }
}

void CommandRoom::watch() {
  patience_.start(CommandMemory::kPatience, [this] {
    share_.complain(loop_.now());
    watch();
  });
}

}  // namespace tidepool::session
