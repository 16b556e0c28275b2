#include "tidepool/config/unix_user.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>
#include <pwd.h>
#include <vector>

namespace tidepool::config {
namespace {

constexpr std::size_t kUsualEntryBytes = 1024;
constexpr std::size_t kMaxEntryBytes = std::size_t{1} << 20U;

std::optional<std::uint32_t> number_in(const std::string& text) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  // The greatest one is the system's word for none.
  const bool is_user =
      error == std::errc() && stop == end && number != std::numeric_limits<std::uint32_t>::max();
  return is_user ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> unix_user_number(const std::string& name_or_number) {
  const bool is_number =
      !name_or_number.empty() && std::all_of(name_or_number.begin(), name_or_number.end(),
                                             [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) return number_in(name_or_number);
  for (std::size_t size = kUsualEntryBytes; size <= kMaxEntryBytes; size *= 2) {
    std::vector<char> buffer(size);
    passwd entry{};
    passwd* found = nullptr;
    const int error =
        ::getpwnam_r(name_or_number.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE) continue;
    return found != nullptr ? std::optional<std::uint32_t>(found->pw_uid) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace tidepool::config
