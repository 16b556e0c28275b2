// What goes over the sockets, on standard error while TIDEPOOL_FUZZ_TRACE is set: to read what an
// input does.
#pragma once

#include <string_view>

namespace tidepool::fuzz {

bool is_traced();
void trace(std::string_view who, unsigned long number, std::string_view bytes);

}  // namespace tidepool::fuzz
