// One T for each value of a small enum that counts from 0: `EnumArray<RetireReason, Counter,
// kRetireReasons> retired;` and `retired[RetireReason::kIdle].add()`. N is the number of values,
// declared beside the enum.
#pragma once

#include <array>
#include <cstddef>

namespace tidepool {

template <class Enum, class T, std::size_t N>
class EnumArray {
 public:
  T& operator[](Enum key) { return values_[static_cast<std::size_t>(key)]; }
  const T& operator[](Enum key) const { return values_[static_cast<std::size_t>(key)]; }

  static constexpr std::size_t size() { return N; }

  // The nth value of the enum, for loops over all of them.
  static constexpr Enum key(std::size_t index) { return static_cast<Enum>(index); }

 private:
  std::array<T, N> values_{};
};

}  // namespace tidepool
