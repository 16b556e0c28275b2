// From environment variables to a draft, each variable standing for one key of the table.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "draft.h"
#include "tidepool/config/load.h"

namespace tidepool::config {

struct Variable {
  enum class Of : std::uint8_t { kGlobal, kListener, kPool };
  std::string_view name;
  Of of;
  std::string_view key;  // the path within its section
  std::string_view meaning;
};

// The table of variables.
std::span<const Variable> variables();

// Nothing if the variables name no TiDB at all, which is then the one problem.
std::optional<Draft> read_environment(const Environment& environment, Findings& findings);

}  // namespace tidepool::config
