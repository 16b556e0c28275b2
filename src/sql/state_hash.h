// The hashes of the parts of a session's state. XORed they are that of the whole, in any order.
#pragma once

#include <cstdint>
#include <string_view>

#include <xxhash.h>

#include "tidepool/sql/session_state.h"

namespace tidepool::sql {

// Seeds that keep the kinds of facts apart; a variable's seed is its id.
inline constexpr std::uint64_t kDatabaseSeed = 0x1'0000;
inline constexpr std::uint64_t kCharsetSeed = 0x1'0001;
inline constexpr std::uint64_t kOptionSeed = 0x1'0002;
inline constexpr std::uint64_t kRoleSeed = 0x1'0003;
inline constexpr std::uint64_t kGroupSeed = 0x1'0004;
inline constexpr std::uint64_t kComputedSeed = 0x2'0000;

inline std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

inline std::uint64_t hash_of(const CharsetState& charset) {
  const std::uint64_t packed = (std::uint64_t{charset.client} << 32U) |
                               (std::uint64_t{charset.results} << 16U) | charset.connection;
  return XXH3_64bits_withSeed(&packed, sizeof packed, kCharsetSeed);
}

inline std::uint64_t hash_of(bool multi_statements) {
  return XXH3_64bits_withSeed(&multi_statements, sizeof multi_statements, kOptionSeed);
}

inline std::uint64_t hash_of_computed(VariableId id) {
  return XXH3_64bits_withSeed(&id, sizeof id, kComputedSeed);
}

inline std::uint64_t hash_of(const Role& role) {
  return role.is_fresh() ? 0 : hash_of(role.names, kRoleSeed);
}

inline std::uint64_t hash_of_group(std::string_view resource_group) {
  return resource_group.empty() ? 0 : hash_of(resource_group, kGroupSeed);
}

inline std::uint64_t hash_of(const SessionState::Item& item) {
  return hash_of(item.value, item.variable);
}

}  // namespace tidepool::sql
