// What the process that hands its clients over and the one that takes them say to each other. Pure.
//
//   old                                   new
//   sockets (with descriptors), held …,
//   away … ─────────────────────────────► binds what it was not given
//   begin ──────────────────────────────► runs, admits no client yet, reaches TiDB
//   (stops accepting)  ◄───────── ready
//   go ─────────────────────────────────► lets clients in
//   held … (fewer and fewer) ───────────► may open as many more backends
//                      ◄───────── drain   (only if the new one ends while the old one still works)
//   (its end) ──────────────────────────► has the pool to itself
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tidepool/config/config.h"

namespace tidepool::proxy {

// Changes when one of two such processes would not understand the other.
inline constexpr std::uint64_t kHandoverVersion = 1;

// The variable that names the descriptor of the channel.
inline constexpr const char* kHandoverVariable = "TIDEPOOL_HANDOVER_FD";

struct Word {
  enum class Kind : std::uint8_t {
    kSockets,      // name: key_of() what listens; number: how many follow
    kHeld,         // name: a pool; number: backends that the old process may have open, no more
    kUnavailable,  // name: a pool that does not reach TiDB, so that the new process need not either
    kBegin,        // number: kHandoverVersion
    kReady,
    kGo,  // number: the new process's first session gets it
    kDrain,
  };
  Kind kind = Kind::kReady;
  std::uint64_t number = 0;
  std::string name = {};

  bool operator==(const Word&) const = default;
};

std::string encode(const Word& word);
std::optional<Word> decode(std::string_view text);  // nothing: it is no such word

// The same for what listens at the same place in another configuration.
std::string key_of(const config::Listener& listener);
std::string key_of(const config::Http& http);

// The sessions of one pool, those in their login that may come to be of it included.
struct PoolUsage {
  std::size_t sessions = 0;
  std::size_t pinned = 0;  // of these, who keep a lease while their clients are silent
};

// How many backends of a pool the old process keeps at most: half of them, and those that would
// stand still there, for the others not to wait for these. One for each session and one to kill a
// statement by is enough, and one is the new process's at least, unless there is only one.
unsigned kept_backends(unsigned cap, const PoolUsage& usage);
// How many it has before the new one has taken over: one is given away, for the new one to show
// that it reaches TiDB, unless there is only one.
unsigned offered_cap(unsigned cap);

}  // namespace tidepool::proxy
