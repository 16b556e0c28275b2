#include "tidepool/sql/parse/directive.h"

#include <algorithm>

namespace tidepool::sql {
namespace {

constexpr std::string_view kName = "tidepool:";
constexpr std::string_view kSpaces = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

// "a=b, retry=off"
bool lists_retry_off(std::string_view list) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view one = list.substr(0, comma);
    const std::size_t equals = std::min(one.find('='), one.size());
    if (trimmed(one.substr(0, equals)) == "retry" && equals < one.size() &&
        trimmed(one.substr(equals + 1)) == "off") {
      return true;
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

bool forbids_retry(std::string_view text) {
  for (std::size_t at = text.find(kName); at != std::string_view::npos;
       at = text.find(kName, at + 1)) {
    const std::string_view before = text.substr(0, at);
    const std::size_t last = before.find_last_not_of(kSpaces);
    const bool opens =
        last != std::string_view::npos && last > 0 && before.substr(last - 1, 2) == "/*";
    if (!opens) continue;
    const std::string_view rest = text.substr(at + kName.size());
    if (lists_retry_off(rest.substr(0, rest.find("*/")))) return true;
  }
  return false;
}

}  // namespace tidepool::sql
