// Any text as a configuration: what is accepted keeps the promises of config.h, anything else has
// problems to show, each with its place in the text. Neither takes long, nor says much more than
// the text is long.
#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/base/check.h"
#include "tidepool/config/load.h"

namespace {

// "fuzz.yaml:3:14: …"
bool has_place(std::string_view problem) {
  constexpr std::string_view kName = "fuzz.yaml:";
  if (!problem.starts_with(kName)) return false;
  problem.remove_prefix(kName.size());
  for (int number = 0; number < 2; ++number) {
    const auto end = std::find_if(problem.begin(), problem.end(),
                                  [](unsigned char byte) { return std::isdigit(byte) == 0; });
    if (end == problem.begin() || end == problem.end() || *end != ':') return false;
    problem.remove_prefix(static_cast<std::size_t>(end - problem.begin()) + 1);
  }
  return problem.starts_with(' ');
}

// A line of text has few keys, each of which is wrong in few ways.
void check_findings(const std::vector<std::string>& findings, std::size_t size) {
  std::size_t said = 0;
  for (const std::string& one : findings) {
    TIDEPOOL_CHECK(has_place(one));
    said += one.size();
  }
  constexpr std::size_t kOfAKey = 2000;  // with the list of what it might have been
  TIDEPOOL_CHECK(said <= kOfAKey * (size + 10));
}

// Of the processor, so that a machine with other work does not count; with all sanitizers.
class CheckedTime {
 public:
  CheckedTime() = default;
  CheckedTime(const CheckedTime&) = delete;
  CheckedTime& operator=(const CheckedTime&) = delete;
  ~CheckedTime() { TIDEPOOL_CHECK(std::clock() - begun_ < 10 * CLOCKS_PER_SEC); }

 private:
  std::clock_t begun_ = std::clock();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidepool::config;
  const auto environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "A") return "a:1 ${B} [";
    return name == "EMPTY" ? std::optional<std::string>("") : std::nullopt;
  };
  const CheckedTime time;
  const auto loaded = load_text("fuzz.yaml", std::string(data, data + size), environment);
  if (!loaded) {
    TIDEPOOL_CHECK(!loaded.error().empty());
    check_findings(loaded.error(), size);
    return 0;
  }
  check_findings(loaded->warnings, size);
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
