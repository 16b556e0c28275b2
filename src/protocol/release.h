// Gives a string's memory back; assigning an empty string would keep it.
#pragma once

#include <string>

namespace tidepool::protocol {

inline void release(std::string& bytes) {
  std::string().swap(bytes);
}

}  // namespace tidepool::protocol
