// TIDEPOOL_CHECK: what only a bug of ours can make false. On in every build; prints the place and
// aborts. Never for anything that bytes from a peer can cause: that is an Error.
#pragma once

namespace tidepool {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace tidepool

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): needs the place and the text of the condition
#define TIDEPOOL_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::tidepool::check_failed(#condition, __FILE__, __LINE__))
