// The few things that a configuration wants to know of files.
#pragma once

#include <string>

#include "tidepool/base/error.h"

namespace tidepool::config {

// The whole file; the error's message is the system's reason alone. One of more than 1 MiB is
// refused.
Result<std::string> read_file(const std::string& path);

// Nothing, or the system's reason why the file cannot be read.
Result<void> check_readable(const std::string& path);

// Whether every user of this machine may read it.
bool is_public(const std::string& path);

}  // namespace tidepool::config
