// A changed configuration, brought to the workers while they run. On the main thread.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "tidepool/base/error.h"
#include "tidepool/config/config.h"
#include "tidepool/proxy/home.h"
#include "tidepool/proxy/worker.h"

namespace tidepool::proxy {

using Workers = std::vector<std::unique_ptr<Worker>>;

// `next` is one of config::reloadable(). All of it is in force when this returns; sessions of users
// that are gone then end when they can. An error (a certificate cannot be read): nothing has
// changed. Answers how many pools are new; they are the last ones of the home.
Result<std::size_t> apply_config(Home& home, const Workers& workers, const config::Config& next);

// Of that the users and their pools only: certificates stay as they were read.
std::size_t apply_users(Home& home, const Workers& workers, const config::Config& next);

// Whether anybody uses it, or waits for that.
bool has_sessions(const PoolHome& pool);

// Closes the backends of pools that are no longer of the configuration and have no session left.
// Answers those that it was done for. Call it from time to time.
std::vector<PoolHome*> drain_removed_pools(Home& home, const Workers& workers);

}  // namespace tidepool::proxy
