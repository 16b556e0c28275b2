// Which failures are worth a line of the log: the first, those that differ from the one before, and
// of equal ones a count now and then. Pure.
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
