// The resource group of a session.
//
// Verified (release-8.5, executor/simple.go, session.go): SET RESOURCE GROUP keeps the name in
// lower case and needs a group that is there (8249); a login takes the account's group,
// COM_RESET_CONNECTION `default`. A session whose group is dropped still shows its name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidepool::sql {

struct ResourceGroups {
  std::string current{};
  std::string login{};
};

inline constexpr std::string_view kDefaultResourceGroup = "default";

// As a state has it. Nothing if small letters beyond ASCII decide which group it is.
std::optional<std::string> resource_group_name(std::string_view name);

}  // namespace tidepool::sql
