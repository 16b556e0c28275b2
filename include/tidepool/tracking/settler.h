// What TiDB's answer to a command did to its session: its state, transaction, pins, and what later
// statements may ask about this one. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tidepool/tracking/command_context.h"
#include "tidepool/tracking/global_settings.h"

namespace tidepool::tracking {

// Called once the client's command is answered, and the attempt's summary whole: asks all that
// follows, in this order. `globals`: whose DEFAULT is not known. `held`: the answer, if it is held.
// Returns the ids of statements to close on the backend. After an error the exchange gets a ping,
// for settle_probe().
[[nodiscard]] std::vector<std::uint32_t> settle_relayed(CommandContext& context,
                                                        const GlobalSettings& globals,
                                                        std::string_view held);
// The ping after an error is answered: whether the transaction lives on, and what the error left.
void settle_probe(CommandContext& context);

// The backend has got what SET TRANSACTION has set, if the command takes it: the session stays
// there.
void settle_next_isolation(CommandContext& context);
// What the command did to the session's state, and what it holds. `lock_answer`: the rows of a
// command that asks_for_lock(), else empty.
void settle_answer(CommandContext& context, const GlobalSettings& globals,
                   std::string_view lock_answer);
// The same for the diagnostics alone: what later statements may ask about this one.
void settle_diagnostics(CommandContext& context);
// The status flags of the last answer of TiDB tell whether a transaction is open.
void settle_status(CommandContext& context, std::uint16_t status);
// After a ping that follows an error: the exchange's summary is the ping's, whose OK repeats what
// the error left.
void settle_failure(CommandContext& context);

}  // namespace tidepool::tracking
