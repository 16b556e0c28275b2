// A command that failed on its backend for a reason that is none of the client's: it is sent there
// once more, and only what comes then is the client's answer. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "tidepool/tracking/command_context.h"

namespace tidepool::tracking {

enum class [[nodiscard]] Resent : std::uint8_t{
    kNo,        // nothing was in the place of the client's text, or nothing was refused
    kOriginal,  // the client's own text is sent, and its answer still to come
    kAnswered   // what the exchange holds is the client's answer after all
};

// TiDB quotes the text in a syntax error, so it is to see the client's own, not what stood in its
// place.
Resent resend_original(CommandContext& context);

struct RetryHere {
  bool is_due = false;              // the exchange is empty, and the command to be planned anew
  std::vector<std::uint32_t> drop;  // statements to close on the backend before
};

// Whether the backend does not have the statement that it was believed to have, or has one that was
// prepared before the client prepared it, and that a change of the schema has made useless since.
// Nothing was executed then, and what the client prepared may well do.
[[nodiscard]] RetryHere retry_execute(CommandContext& context);

// TiDB's error says that it has no statement of that number. `message`: its text.
bool is_unknown_statement(std::uint16_t error, std::string_view message);

}  // namespace tidepool::tracking
