// Which failures are worth a line of the log: the first, each that differs from its predecessor,
// and now and then the number of equal ones. Pure.
#pragma once

#include <optional>
#include <string>

#include "tidepool/base/clock.h"

namespace tidepool::pool {

class FailureLog {
 public:
  // A failure. Returns how many there were since the last line, this one included; nothing: it is
  // not worth one.
  std::optional<unsigned> note(const std::string& text, TimePoint now);
  // All is well again. Returns how many failures no line has told of.
  unsigned end();

 private:
  std::string last_;  // empty: none since all was well
  TimePoint told_at_{};
  unsigned untold_ = 0;
};

}  // namespace tidepool::pool
