// `${NAME}` and `${NAME:-default}` in a value; `$${` stands for a literal `${`.
#pragma once

#include <string>

#include "tidepool/base/error.h"
#include "tidepool/config/load.h"

namespace tidepool::config {

struct Interpolated {
  std::string text;
  bool from_environment = false;  // a variable took part
};

// The error names the variable that is not set, or what is wrong with the expression, and never
// repeats other text.
Result<Interpolated> interpolate(const std::string& text, const Environment& environment);

}  // namespace tidepool::config
