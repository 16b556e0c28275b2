// Flags<E>: a set of values of a small enumeration, one bit each. E's enumerators are 0, 1, 2, …
// (at most 32).
#pragma once

#include <cstdint>
#include <initializer_list>

namespace tidepool::sql {

template <class E>
class Flags {
 public:
  constexpr Flags() = default;
  constexpr Flags(std::initializer_list<E> members) {
    for (E member : members)
      insert(member);
  }

  constexpr bool contains(E member) const { return (bits_ & bit(member)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr void insert(E member) { bits_ |= bit(member); }
  constexpr void erase(E member) { bits_ &= ~bit(member); }
  constexpr void insert(Flags other) { bits_ |= other.bits_; }
  constexpr void erase(Flags other) { bits_ &= ~other.bits_; }
  constexpr std::uint32_t bits() const { return bits_; }

  friend constexpr bool operator==(Flags, Flags) = default;

  // Calls visit(member) for each member, in the order of the enumeration.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::uint32_t rest = bits_, index = 0; rest != 0; rest >>= 1U, ++index) {
      if ((rest & 1U) != 0) visit(static_cast<E>(index));
    }
  }

 private:
  static constexpr std::uint32_t bit(E member) { return 1U << static_cast<std::uint32_t>(member); }

  std::uint32_t bits_ = 0;
};

}  // namespace tidepool::sql
