// SHA-256.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace tidepool::protocol {

inline constexpr std::size_t kSha256Bytes = 32;

// Of the pieces, one after another.
std::string sha256(std::initializer_list<std::string_view> pieces);

}  // namespace tidepool::protocol
