#include "tidepool/sql/state/user_variables.h"

#include <algorithm>
#include <utility>

#include "state/state_hash.h"

namespace tidepool::sql {
namespace {

std::size_t bytes_of(const UserVariable& variable) {
  return sizeof variable + variable.name.size() + variable.value.size();
}

template <class Variables>
auto place_of(Variables& variables, std::string_view name) {
  return std::lower_bound(variables.begin(), variables.end(), name,
                          [](const UserVariable& one, std::string_view wanted) {
                            return one.name.compare(wanted) < 0;
                          });
}

}  // namespace

const std::vector<UserVariable>& UserVariables::all() const {
  static const List none;
  return variables_.get() == nullptr ? none : *variables_.get();
}

UserVariables::List& UserVariables::Shared::change() {
  if (list_ == nullptr || is_shared_)
    list_ = list_ == nullptr ? std::make_shared<List>() : std::make_shared<List>(*list_);
  is_shared_ = false;
  return *list_;
}

const UserVariable* UserVariables::find(std::string_view name) const {
  const auto found = place_of(all(), name);
  return found == all().end() || found->name != name ? nullptr : &*found;
}

void UserVariables::set(UserVariable variable) {
  List& list = variables_.change();
  remove(list, variable.name);
  const auto fits = [&] { return bytes_ + bytes_of(variable) <= kMostBytes; };
  if (!fits()) variable = UserVariable{std::move(variable.name), {}, 0, true, true};
  if (!fits()) {
    if (!has_lost_one_) hash_ ^= hash_of({}, kLostUserVariableSeed);
    has_lost_one_ = true;
  } else {
    bytes_ += static_cast<std::uint32_t>(bytes_of(variable));
    computed_ += variable.is_computed ? 1U : 0U;
    hash_ ^= hash_of(variable);
    list.insert(place_of(list, variable.name), std::move(variable));
  }
  if (list.empty()) variables_ = {};
}

bool UserVariables::is_unrestorable() const {
  return has_lost_one_ || std::any_of(all().begin(), all().end(),
                                      [](const UserVariable& one) { return one.is_unrestorable; });
}

void UserVariables::erase(std::string_view name) {
  if (find(name) == nullptr) return;
  List& list = variables_.change();
  remove(list, name);
  if (list.empty()) variables_ = {};
}

void UserVariables::remove(List& from, std::string_view name) {
  const auto found = place_of(from, name);
  if (found == from.end() || found->name != name) return;
  bytes_ -= static_cast<std::uint32_t>(bytes_of(*found));
  computed_ -= found->is_computed ? 1U : 0U;
  hash_ ^= hash_of(*found);
  from.erase(found);
}

}  // namespace tidepool::sql
