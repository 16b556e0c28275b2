#include "tidepool/pool/account_change.h"

#include "tidepool/pool/worker_pool.h"

namespace tidepool::pool {

AccountChange::~AccountChange() {
  if (pool_ != nullptr) pool_->forget_refusals();
}

}  // namespace tidepool::pool
