#include "retire_on_error.h"

#include <algorithm>
#include <array>

namespace tidepool::pool {
namespace {

// Texts of 1105, which has no meaning of its own: a TiDB that stops (client-go error/error.go,
// ErrTiDBShuttingDown), and a gateway that has lost the TiDB behind it (TiProxy
// pkg/proxy/backend/error.go).
constexpr auto kLastWords = std::to_array<std::string_view>({
    "tidb server shutting down",
    "No available TiDB instances",
    "TiProxy fails to connect to TiDB",
});

}  // namespace

bool retires_backend(std::uint16_t number, std::string_view message) {
  switch (number) {
    case 1053:  // TiDB is stopping (server/conn.go, the answer to COM_PING)
    case 8027:  // this TiDB has lost touch with the cluster's schema; another one may not have
      return true;
    case 1105:
      return std::any_of(kLastWords.begin(), kLastWords.end(), [&](std::string_view words) {
        return message.find(words) != std::string_view::npos;
      });
    default: return false;
  }
}

}  // namespace tidepool::pool
