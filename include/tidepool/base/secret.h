// Bytes that are wiped from memory when they are freed, such as a password's.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidepool {

// Overwrites them, whatever the compiler thinks of their use. They are the caller's own: a view
// only because that is how they are handed around.
void wipe(std::string_view bytes);
void wipe(void* memory, std::size_t size);
// All that the text has room for; it is empty afterwards.
void wipe(std::string& text);

// Wipes what it is given at the end of a scope.
class WipedAtEnd {
 public:
  explicit WipedAtEnd(std::string& text) : text_(text) {}
  WipedAtEnd(const WipedAtEnd&) = delete;
  WipedAtEnd& operator=(const WipedAtEnd&) = delete;
  ~WipedAtEnd() { wipe(text_); }

 private:
  std::string& text_;
};

template <class T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <class U>
  explicit WipingAllocator(const WipingAllocator<U>&) {}

  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) {
    wipe(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const = default;
};

// Unlike in a std::string nothing of a short one is in the object itself, so that moving it leaves
// nothing behind. Takes and gives views; a std::string made of it is not wiped.
class Secret {
 public:
  Secret() = default;
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  ~Secret() = default;
  // Never into memory that has more of the old one than the new one covers.
  Secret& operator=(const Secret& other) { return *this = Secret(other); }
  Secret& operator=(Secret&& other) noexcept {
    Secret taken(std::move(other));
    bytes_.swap(taken.bytes_);
    return *this;
  }
  Secret(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}  // NOLINT(*-explicit-*)
  Secret(const std::string& bytes) : Secret(std::string_view(bytes)) {}   // NOLINT(*-explicit-*)
  Secret(const char* text) : Secret(std::string_view(text)) {}            // NOLINT(*-explicit-*)

  [[nodiscard]] std::string_view view() const { return {bytes_.data(), bytes_.size()}; }
  operator std::string_view() const { return view(); }  // NOLINT(*-explicit-*)
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  void clear() { *this = Secret(); }
  void reserve(std::size_t size) { bytes_.reserve(size); }
  void push_back(char byte) { bytes_.push_back(byte); }

  template <class Text>
  requires std::convertible_to<const Text&, std::string_view>
  friend bool operator==(const Secret& one, const Text& two) {
    return one.view() == std::string_view(two);
  }
  // So that a log or a failed test shows none.
  friend std::ostream& operator<<(std::ostream& out, const Secret& secret) {
    return out << "(secret of " << secret.size() << " bytes)";
  }

 private:
  std::vector<char, WipingAllocator<char>> bytes_;
};

}  // namespace tidepool
