#include "trace.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace tidepool::fuzz {
namespace {

constexpr std::size_t kMostShown = 160;

}  // namespace

bool is_traced() {
  static const bool on = std::getenv("TIDEPOOL_FUZZ_TRACE") != nullptr;
  return on;
}

void trace(std::string_view who, unsigned long number, std::string_view bytes) {
  if (!is_traced()) return;
  std::string shown;
  for (const char byte : bytes.substr(0, kMostShown)) {
    static constexpr const char* kDigits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(byte);
    if (value >= ' ' && value < 0x7F) {
      shown += byte;
    } else {
      shown += {'\\', kDigits[value >> 4U], kDigits[value & 15U]};
    }
  }
  std::fprintf(stderr, "%.*s %lu: %s\n", static_cast<int>(who.size()), who.data(), number,
               shown.c_str());
}

}  // namespace tidepool::fuzz
