// Tells systemd, or who else speaks its protocol, about this process (sd_notify(3)).
#pragma once

#include <string>

namespace tidepool::proxy {

// Returns false if no manager asks (NOTIFY_SOCKET is not set), or it could not be told.
bool tell_service_manager(const std::string& what);

}  // namespace tidepool::proxy
