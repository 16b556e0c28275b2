// The addresses of an endpoint. Private to the backend layer.
#pragma once

#include <string>
#include <vector>

#include "tidepool/backend/options.h"
#include "tidepool/base/error.h"

namespace tidepool::backend {

// "name:port", or "[address]:port" for IPv6.
std::string describe(const Endpoint& endpoint);

// Whether the host is an IPv4 or IPv6 address rather than a name.
bool is_address(const std::string& host);

// Every address of the host in numbers, in the order in which the system wants them tried. Blocks
// for as long as the system's resolver takes. kRefused: the name does not resolve.
Result<std::vector<std::string>> resolve(const Endpoint& endpoint);

}  // namespace tidepool::backend
