// What TiDB's answer to a command did to its session: its state, transaction, pins, and what later
// statements may ask about this one. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "tidepool/tracking/command_context.h"
#include "tidepool/tracking/global_settings.h"

namespace tidepool::tracking {

// Called once the answer, the attempt's summary, is whole. `globals`: whose DEFAULT is not known.
// `lock_answer`: the rows of a command that asks_for_lock(), else empty.
void settle_answer(CommandContext& context, const GlobalSettings& globals,
                   std::string_view lock_answer);
// The same for the diagnostics alone: what later statements may ask about this one.
void settle_facts(CommandContext& context);
// The status flags of the last answer of TiDB tell whether a transaction is open.
void settle_status(CommandContext& context, std::uint16_t status);
// The exchange's summary is that of a ping after an error, whose OK repeats what the error left.
void settle_failure(CommandContext& context);

}  // namespace tidepool::tracking
