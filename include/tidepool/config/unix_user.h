// Unix users as a configuration names them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tidepool::config {

// Of a name that this machine knows (it may ask a directory service, and take its time), or a
// number, which is taken as it is: in a container few of the host's users have names. Nothing:
// there is no such user.
std::optional<std::uint32_t> unix_user_number(const std::string& name_or_number);

}  // namespace tidepool::config
