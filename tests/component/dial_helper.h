// Dials and waits for the outcome; for component tests.
#pragma once

#include <memory>
#include <optional>

#include "loop_run.h"
#include "tidepool/backend/dial.h"

namespace tidepool::testing {

inline Result<std::unique_ptr<backend::Connection>> dial_to(net::Loop& loop,
                                                            const backend::DialOptions& options) {
  std::optional<Result<std::unique_ptr<backend::Connection>>> outcome;
  const backend::DialHandle handle =
      backend::dial(loop, options, [&](auto got) { outcome = std::move(got); });
  if (!run_until(loop, [&] { return outcome.has_value(); }))
    return fail(Code::kInternal, "the dial never ended");
  return std::move(*outcome);
}

}  // namespace tidepool::testing
