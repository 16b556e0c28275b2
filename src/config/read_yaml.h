// From YAML to a draft, by the table of keys. The only file that knows yaml-cpp is read_yaml.cc.
#pragma once

#include <optional>
#include <string>

#include "draft.h"
#include "tidepool/config/load.h"

namespace tidepool::config {

// What could be read; unknown keys and values of the wrong type or out of range are findings.
// Nothing if the text is no map of keys at all, which is then the one problem.
std::optional<Draft> read_yaml(const std::string& text, const Environment& environment,
                               Findings& findings);

}  // namespace tidepool::config
