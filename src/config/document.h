// The configuration's documentation, written from the table of keys, so that it cannot say anything
// else than the program does. The tests compare conf/tidepool.yaml and docs/configuration.md with
// it.
#pragma once

#include <string>

namespace tidepool::config {

// conf/tidepool.yaml: every key with its meaning, what is allowed and its default; loads as it
// stands, given TIDB_PASSWORD and APP_PASSWORD.
std::string sample_file();

// docs/configuration.md.
std::string reference();

}  // namespace tidepool::config
