#include "tidepool/pool/pool_stats.h"

namespace tidepool::pool {

// TiDB Cloud says that the quota is used up with a text of error 1105, which reaches us as a
// refusal of the account.
DialResult dial_result_of(const Error& error) {
  switch (error.code) {
    case Code::kAuth:
      return error.mysql_errno == 1105 && error.message.find("quota") != std::string::npos
                 ? DialResult::kQuota
                 : DialResult::kAuth;
    case Code::kTls: return DialResult::kTls;
    case Code::kRefused: return DialResult::kRefused;
    case Code::kNotTidb: return DialResult::kNotTidb;
    case Code::kTimeout: return DialResult::kTimeout;
    case Code::kBackend: return DialResult::kBackend;
    default: return DialResult::kOther;
  }
}

void PoolStats::count_dial(std::size_t endpoint, DialResult result) {
  dials[result].add();
  if (endpoint >= endpoints.size()) return;
  endpoints[endpoint]->dials[result].add();
  endpoints[endpoint]->up.set(result == DialResult::kOk ? 1 : 0);
}

void PoolStats::count_backend(std::size_t endpoint, int change) {
  if (endpoint < endpoints.size()) endpoints[endpoint]->backends.add(change);
}

}  // namespace tidepool::pool
