#include "memory_watch.h"

#include <algorithm>

#include "tidepool/base/log.h"
#include "tidepool/base/process_memory.h"

namespace tidepool::proxy {
namespace {

constexpr std::chrono::milliseconds kPoll{250};

// By statements and commands.
std::uint64_t taken_memory(const SharedState& shared) {
  std::int64_t bytes = shared.commands.bytes.value();
  for (const auto& pool : shared.pools)
    bytes += pool->stats.prepared_bytes.value();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0));
}

}  // namespace

void MemoryWatch::start() {
  look();
  timer_.start(kPoll, [this] { start(); });
}

void MemoryWatch::look() {
  const std::uint64_t limit = shared_.config.memory_limit;
  const bool was_open = shared_.process.accepting.value() != 0;
  const bool is_short = limit > 0 && !was_open;
  if (trim_.is_due(taken_memory(shared_), loop_.now()) || is_short) {
    trim_memory();
    shared_.process.memory_trims.add();
  }
  const std::uint64_t resident = limit > 0 ? resident_memory() : 0;
  const bool is_open = gate_.is_open(limit, resident, shared_.process.clients.value());
  if (is_open == was_open) return;
  shared_.process.accepting.set(is_open ? 1 : 0);
  if (!is_open) shared_.process.accept_pauses.add();
  log::warn(is_open ? "memory is below its limit: new clients are let in"
                    : "memory_limit is reached: new clients wait",
            {{"resident_bytes", resident}, {"memory_limit", limit}});
  set_accepting_(is_open);
}

}  // namespace tidepool::proxy
