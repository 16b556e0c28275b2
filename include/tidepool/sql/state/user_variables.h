// The user variables of a session that are not NULL (to TiDB one that is NULL has never been set),
// with what it takes to set them to the same again: value, type and collation. A value, whose
// copies share what they hold and compare as equal at once; empty it owns nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tidepool::sql {

struct UserVariable {
  std::string name;              // lower case
  std::string value;             // a literal, or the string itself; empty if computed
  std::uint16_t collation = 0;   // of a string
  bool is_computed = false;      // only the backend knows the value
  bool is_unrestorable = false;  // and no SET makes it the same elsewhere
  std::uint32_t length = 0;      // of a string: characters that its type has room for; 0: its own

  // The length of a type that says none, as a string parameter's or @@sql_mode's.
  static constexpr std::uint32_t kNoLength = 0xffff'ffff;

  bool is_string() const { return collation != 0; }
  friend bool operator==(const UserVariable&, const UserVariable&) = default;
};

class UserVariables {
 public:
  // What the variables may occupy. The value of one that finds no place is left to the backend, as
  // if it were computed; if not even its name finds one, nothing is exact until clear().
  static constexpr std::size_t kMostBytes = std::size_t{64} << 10U;

  void set(UserVariable variable);
  void erase(std::string_view name);
  void clear() { *this = UserVariables(); }

  const std::vector<UserVariable>& all() const;           // by name
  const UserVariable* find(std::string_view name) const;  // null if it is NULL
  bool is_exact() const { return computed_ == 0 && !has_lost_one_; }
  bool is_unrestorable() const;  // not exact, and reading values back would not make it so

  std::uint64_t hash() const { return hash_; }  // 0 if there are none
  friend bool operator==(const UserVariables& left, const UserVariables& right) {
    return left.hash_ == right.hash_ && left.has_lost_one_ == right.has_lost_one_ &&
           (left.variables_.get() == right.variables_.get() || left.all() == right.all());
  }

 private:
  using List = std::vector<UserVariable>;

  // A list that its copies share, on other threads too, until they change.
  class Shared {
   public:
    Shared() = default;
    Shared(const Shared& other) : list_(other.list_), is_shared_(true) { other.is_shared_ = true; }
    Shared(Shared&&) noexcept = default;
    Shared& operator=(const Shared& other) { return *this = Shared(other); }
    Shared& operator=(Shared&&) noexcept = default;
    ~Shared() = default;

    const List* get() const { return list_.get(); }
    List& change();  // made anew if a copy may have it

   private:
    std::shared_ptr<List> list_;
    // Once it is set, this one never changes the list: counting owners would race with theirs.
    mutable bool is_shared_ = false;
  };

  void remove(List& from, std::string_view name);

  Shared variables_;
  std::uint32_t bytes_ = 0;
  std::uint32_t computed_ = 0;
  bool has_lost_one_ = false;
  std::uint64_t hash_ = 0;
};

}  // namespace tidepool::sql
