#include "tidepool/sql/state/collation.h"

#include <algorithm>
#include <array>
#include <string>

#include "state/letters.h"

namespace tidepool::sql {
namespace {

// SHOW COLLATION of TiDB release-8.5, with new_collations_enabled_on_first_bootstrap, its default.
constexpr std::array<Collation, 13> kCollations = {{
    {65, "ascii_bin", "ascii", true},
    {63, "binary", "binary", true},
    {28, "gbk_chinese_ci", "gbk", true},
    {87, "gbk_bin", "gbk", false},
    {47, "latin1_bin", "latin1", true},
    {83, "utf8_bin", "utf8", true},
    {33, "utf8_general_ci", "utf8", false},
    {192, "utf8_unicode_ci", "utf8", false},
    {46, "utf8mb4_bin", "utf8mb4", true},
    {45, "utf8mb4_general_ci", "utf8mb4", false},
    {224, "utf8mb4_unicode_ci", "utf8mb4", false},
    {255, "utf8mb4_0900_ai_ci", "utf8mb4", false},
    {309, "utf8mb4_0900_bin", "utf8mb4", false},
}};

// "utf8mb3…" is written "utf8…".
std::string canonical(std::string_view name) {
  std::string result = lower(name);
  if (result.compare(0, 7, "utf8mb3") == 0) result.erase(4, 3);
  return result;
}

template <class Matches>
const Collation* find(Matches matches) {
  const auto* found = std::find_if(kCollations.begin(), kCollations.end(), matches);
  return found == kCollations.end() ? nullptr : found;
}

}  // namespace

const Collation* collation_by_id(std::uint16_t id) {
  return find([id](const Collation& collation) { return collation.id == id; });
}

const Collation* collation_by_name(std::string_view name) {
  const std::string wanted = canonical(name);
  return find([&wanted](const Collation& collation) { return collation.name == wanted; });
}

const Collation* default_collation(std::string_view charset) {
  const std::string wanted = canonical(charset);
  return find([&wanted](const Collation& collation) {
    return collation.is_default && collation.charset == wanted;
  });
}

std::string_view charset_of_any_collation(std::uint16_t id) {
  static constexpr std::array<std::uint16_t, 8> kLatin1 = {5, 8, 15, 31, 47, 48, 49, 94};
  if (const Collation* known = collation_by_id(id)) return known->charset;
  if (std::find(kLatin1.begin(), kLatin1.end(), id) != kLatin1.end()) return "latin1";
  if (id == 11) return "ascii";
  if (id == 76 || (id >= 193 && id <= 215) || id == 223) return "utf8";
  const bool utf8mb4 = (id >= 225 && id <= 247) || (id >= 256 && id <= 308) || id == 2048;
  const bool hole = id == 272 || id == 276 || id == 295 || id == 299 || id == 301 || id == 302;
  return utf8mb4 && !hole ? "utf8mb4" : std::string_view{};
}

TextEncoding encoding_of(std::string_view charset) {
  const std::string name = canonical(charset);
  if (name == "utf8" || name == "utf8mb4") return TextEncoding::kUtf8;
  if (name == "gbk") return TextEncoding::kGbk;
  if (name == "gb18030") return TextEncoding::kGb18030;
  return TextEncoding::kSingleByte;
}

}  // namespace tidepool::sql
