#include "tidepool/sql/state/resource_group.h"

#include <algorithm>

#include "state/letters.h"

namespace tidepool::sql {

std::optional<std::string> resource_group_name(std::string_view name) {
  const bool is_ascii = std::all_of(
      name.begin(), name.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
  if (!is_ascii || name.empty()) return std::nullopt;
  return lower(name);
}

}  // namespace tidepool::sql
