// Any text as a configuration: what is accepted keeps the promises of config.h, anything else has
// problems to show.
#include <cstddef>
#include <cstdint>
#include <string>

#include "tidepool/base/check.h"
#include "tidepool/config/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidepool::config;
  const auto environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "A") return "a:1 ${B} [";
    return name == "EMPTY" ? std::optional<std::string>("") : std::nullopt;
  };
  const auto loaded = load_text("fuzz.yaml", std::string(data, data + size), environment);
  if (!loaded) {
    TIDEPOOL_CHECK(!loaded.error().empty());
    return 0;
  }
  const Config& config = loaded->config;
  TIDEPOOL_CHECK(!config.listeners.empty() && !config.pools.empty() && !config.users.empty());
  for (const Pool& pool : config.pools) {
    TIDEPOOL_CHECK(pool.size >= 1 && pool.max_overflow >= 0 && pool.min_idle <= pool.size);
    TIDEPOOL_CHECK(!pool.endpoints.empty() && !pool.user.empty() && !pool.name.empty());
  }
  for (const User& user : config.users)
    TIDEPOOL_CHECK(config.find_pool(user.pool) != nullptr);
  TIDEPOOL_CHECK(!summary(config).empty());
  return 0;
}
