// The active roles of a session.
//
// Verified (release-8.5, executor/simple.go, privileges.go, tried): ALL, ALL EXCEPT and DEFAULT
// become a list when they are set, which CURRENT_ROLE() shows; nothing that is granted later joins
// it. A role that is revoked stays in the list without effect, but cannot be set again (3530).
// COM_RESET_CONNECTION activates the default roles, as a login does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidepool::sql {

struct Role {
  std::string names{};       // as SET ROLE takes them; empty: the roles of a fresh session
  bool is_computed = false;  // only the backend knows them

  bool is_fresh() const { return names.empty() && !is_computed; }
  friend bool operator==(const Role&, const Role&) = default;
};

// What SET ROLE takes, from CURRENT_ROLE(). Nothing if it cannot be repeated for certain: TiDB does
// not escape the quotes, and other letters than ASCII depend on character sets.
std::optional<std::string> role_names(std::string_view current_role);

}  // namespace tidepool::sql
