// The hashes of the parts of a session's state. XORed in any order they make the hash of the whole.
//
// A hash may only choose: a client who picks its names and values well makes its state's hash that
// of any other. Whether two states are equal, operator== decides.
#pragma once

#include <cstdint>
#include <string_view>

#include "tidepool/sql/state/session_state.h"

namespace tidepool::sql {

// Seeds that keep the kinds of values apart; a variable's seed is its id.
inline constexpr std::uint64_t kDatabaseSeed = 0x1'0000;
inline constexpr std::uint64_t kCharsetSeed = 0x1'0001;
inline constexpr std::uint64_t kOptionSeed = 0x1'0002;
inline constexpr std::uint64_t kRoleSeed = 0x1'0003;
inline constexpr std::uint64_t kGroupSeed = 0x1'0004;
inline constexpr std::uint64_t kComputedSeed = 0x2'0000;
inline constexpr std::uint64_t kUserVariableSeed = 0x3'0000;  // and the collation
inline constexpr std::uint64_t kComputedUserVariableSeed = 0x4'0000;
inline constexpr std::uint64_t kLostUserVariableSeed = 0x4'0001;

// All of them are made by this one, in whose place the tests link another.
std::uint64_t part_hash(std::string_view bytes, std::uint64_t seed);

inline std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  return part_hash(text, seed);
}

template <class Number>
std::uint64_t hash_of_number(const Number& number, std::uint64_t seed) {
  return part_hash({reinterpret_cast<const char*>(&number), sizeof number}, seed);
}

inline std::uint64_t hash_of(const CharsetState& charset) {
  const std::uint64_t packed = (std::uint64_t{charset.client} << 32U) |
                               (std::uint64_t{charset.results} << 16U) | charset.connection;
  return hash_of_number(packed, kCharsetSeed);
}

inline std::uint64_t hash_of(bool multi_statements) {
  return hash_of_number(multi_statements, kOptionSeed);
}

inline std::uint64_t hash_of_computed(VariableId id) {
  return hash_of_number(id, kComputedSeed);
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

inline std::uint64_t hash_of(const UserVariable& variable) {
  if (variable.is_computed) return hash_of(variable.name, kComputedUserVariableSeed);
  const std::uint64_t type =
      std::uint64_t{variable.length} << 32U | (kUserVariableSeed + variable.collation);
  return hash_of(variable.value, hash_of(variable.name, type));
}

}  // namespace tidepool::sql
