#include "tidepool/sql/user_variables.h"

#include <algorithm>
#include <utility>

#include "state_hash.h"

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

const UserVariable* UserVariables::find(std::string_view name) const {
  const auto found = place_of(variables_, name);
  return found == variables_.end() || found->name != name ? nullptr : &*found;
}

void UserVariables::set(UserVariable variable) {
  erase(variable.name);
  const auto fits = [&] { return bytes_ + bytes_of(variable) <= kMostBytes; };
  if (!fits()) variable = UserVariable{std::move(variable.name), {}, 0, true, true};
  if (!fits()) {
    if (!has_lost_one_) hash_ ^= hash_of({}, kLostUserVariableSeed);
    has_lost_one_ = true;
    return;
  }
  bytes_ += static_cast<std::uint32_t>(bytes_of(variable));
  computed_ += variable.is_computed ? 1U : 0U;
  hash_ ^= hash_of(variable);
  variables_.insert(place_of(variables_, variable.name), std::move(variable));
}

bool UserVariables::is_stuck() const {
  return has_lost_one_ || std::any_of(variables_.begin(), variables_.end(),
                                      [](const UserVariable& one) { return one.is_stuck; });
}

void UserVariables::erase(std::string_view name) {
  const auto found = place_of(variables_, name);
  if (found == variables_.end() || found->name != name) return;
  bytes_ -= static_cast<std::uint32_t>(bytes_of(*found));
  computed_ -= found->is_computed ? 1U : 0U;
  hash_ ^= hash_of(*found);
  variables_.erase(found);
}

}  // namespace tidepool::sql
