// What the part of a URL after the question mark says about TLS.
#pragma once

#include <string>
#include <vector>

#include "url.h"

namespace tidepool::config {

struct Parameter {
  std::string name;
  std::string value;
};

// Fills tls_mode, ca and warnings of `url`; returns what is wrong with the parameters.
std::vector<std::string> apply_parameters(const std::vector<Parameter>& parameters, Url& url);

}  // namespace tidepool::config
