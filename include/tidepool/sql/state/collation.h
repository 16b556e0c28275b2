// The collations and character sets of TiDB release-8.5 (SHOW COLLATION, SHOW CHARACTER SET).
#pragma once

#include <cstdint>
#include <string_view>

#include "tidepool/sql/state/lex_mode.h"

namespace tidepool::sql {

struct Collation {
  std::uint16_t id = 0;
  std::string_view name{};
  std::string_view charset{};
  bool is_default = false;  // of its character set
};

inline constexpr std::uint16_t kUtf8mb4Bin = 46;

// Null if TiDB has no such collation. Names in any letter case. The result lives for ever.
const Collation* collation_by_id(std::uint16_t id);
const Collation* collation_by_name(std::string_view name);
// The default collation of a character set; null if TiDB has no such character set. "utf8mb3" is
// "utf8".
const Collation* default_collation(std::string_view charset);

// The character set of any collation that MySQL knows, also of one that TiDB accepts in a handshake
// only; empty if TiDB cannot convert that character set at all.
std::string_view charset_of_any_collation(std::uint16_t id);

TextEncoding encoding_of(std::string_view charset);

}  // namespace tidepool::sql
