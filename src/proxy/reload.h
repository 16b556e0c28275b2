// A changed configuration, brought to the workers while they run. On the main thread.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "shared_state.h"
#include "tidepool/base/error.h"
#include "tidepool/config/config.h"
#include "worker.h"

namespace tidepool::proxy {

using Workers = std::vector<std::unique_ptr<Worker>>;

// `next` is one of config::reloadable(). All of it is in force when this returns; sessions of users
// that are gone then end when they can. An error (a certificate cannot be read): nothing has
// changed. Answers how many pools are new; they are the last ones of the shared state.
Result<std::size_t> apply_config(SharedState& shared, const Workers& workers,
                                 const config::Config& next);

// Of that the users and their pools only: certificates stay as they were read.
std::size_t apply_users(SharedState& shared, const Workers& workers, const config::Config& next);

// Whether anybody uses it, or waits for that.
bool has_sessions(const PoolState& pool);

// Closes the backends of pools that are no longer of the configuration and have no session left.
// Answers those that it was done for. Call it from time to time.
std::vector<PoolState*> drain_removed_pools(SharedState& shared, const Workers& workers);

}  // namespace tidepool::proxy
