// Whether a request was meant for this port. A page of a browser may call it by a name that its
// author has pointed here (DNS rebinding), and would then read the answers; an address that was
// typed, or a name that the operator knows, cannot be such a name. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "request_parser.h"

namespace tidepool::admin {

// Nothing: it may be answered. `names` are in lower case.
std::optional<HttpRefusal> check_host(const HttpRequest& request,
                                      const std::vector<std::string>& names);

}  // namespace tidepool::admin
