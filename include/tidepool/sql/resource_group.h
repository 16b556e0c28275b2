// The resource group of a session.
//
// Verified (release-8.5, executor/simple.go, session.go): SET RESOURCE GROUP keeps the name in
// lower case and needs a group that is there (8249); a login takes the account's group,
// COM_RESET_CONNECTION `default`. A session whose group is dropped still shows its name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidepool::sql {

class SessionState;
struct RestoreStep;

struct ResourceGroups {
  std::string current{};
  std::string login{};
};

inline constexpr std::string_view kDefaultResourceGroup = "default";

// As a state has it. Nothing if small letters beyond ASCII decide which group it is.
std::optional<std::string> resource_group_name(std::string_view name);

// No statement leads back to the group of a login, because it is not known.
bool is_resource_group_lost(const SessionState& from, const SessionState& desired);

// SET RESOURCE GROUP, if the two differ. One that is dropped meanwhile is replaced by `default`.
void add_resource_group(std::vector<RestoreStep>& steps, const SessionState& from,
                        const SessionState& desired);

}  // namespace tidepool::sql
