// A backend that answers anything to a restore, a prepare, the client's command, a probe and a
// capture: the exchange takes every byte once, passes on only what belongs to the client's command,
// and never goes on after an error.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tidepool/tracking/exchange.h"

namespace tidepool::session {
namespace {

using protocol::Command;

void require(bool holds) {
  if (!holds) std::abort();
}

// The first two bytes choose the steps and the size of the pieces; the rest is the backend's
// stream.
void run(std::string_view input) {
  const auto steps = static_cast<unsigned char>(input[0]);
  const std::size_t piece = static_cast<unsigned char>(input[1]) + std::size_t{1};
  input.remove_prefix(2);
  tracking::Exchange exchange;
  if ((steps & 1U) != 0) {
    exchange.add({.kind = tracking::StepKind::kRestore,
                  .bytes = tracking::framed(Command::kQuery, "SET a=1")});
  }
  if ((steps & 2U) != 0) {
    exchange.add({.kind = tracking::StepKind::kPrepare,
                  .command = Command::kStmtPrepare,
                  .bytes = tracking::framed(Command::kStmtPrepare, "SELECT ?")});
  }
  const Command relayed = (steps & 4U) != 0    ? Command::kStmtExecute
                          : (steps & 8U) != 0  ? Command::kStmtPrepare
                          : (steps & 16U) != 0 ? Command::kStmtFetch
                                               : Command::kQuery;
  exchange.add({.kind = tracking::StepKind::kRelay,
                .command = relayed,
                .bytes = tracking::framed(relayed, "....SELECT 1"),
                .after_success = (steps & 32U) != 0,
                .hold_answer = relayed == Command::kStmtPrepare,
                .may_request_file = (steps & 128U) != 0});
  if ((steps & 64U) != 0) {
    exchange.add({.kind = tracking::StepKind::kCapture,
                  .bytes = tracking::framed(Command::kQuery, "SHOW WARNINGS"),
                  .hold_answer = true});
  }
  bool relay_ended = false;
  while (!input.empty() && !exchange.is_over()) {
    (void)exchange.take_writable();
    const std::string_view chunk = input.substr(0, piece);
    const auto progress = exchange.feed(chunk);
    if (!progress) return;
    require(progress->consumed <= chunk.size());
    require(!progress->relay || !relay_ended);
    require(!progress->relay || exchange.relay_written());
    require(!(progress->relay && exchange.failure()));
    if (progress->ended == tracking::StepKind::kRelay) relay_ended = true;
    if (progress->ended) (void)exchange.take_held();
    if (exchange.wants_local_infile()) exchange.on_local_infile_sent(exchange.next_sequence());
    if (progress->consumed == 0 && !progress->ended) return;
    input.remove_prefix(progress->consumed);
  }
}

}  // namespace
}  // namespace tidepool::session

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size >= 2) tidepool::session::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
