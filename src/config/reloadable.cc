#include <algorithm>

#include "tidepool/config/load.h"

namespace tidepool::config {
namespace {

bool same_place(const Listener& one, const Listener& two) {
  return one.host == two.host && one.port == two.port && one.socket_path == two.socket_path &&
         one.socket_mode == two.socket_mode;
}

template <class T>
void keep(const std::string& key, const T& current, T& next, std::vector<std::string>& kept) {
  if (current == next) return;
  kept.push_back(key);
  next = current;
}

}  // namespace

Config reloadable(const Config& current, Config next, std::vector<std::string>& kept) {
  keep("workers", current.workers, next.workers, kept);
  keep("core_dumps", current.core_dumps, next.core_dumps, kept);
  Http address = current.http;  // all but its names
  address.hosts = next.http.hosts;
  keep("http.address", address, next.http, kept);
  const bool same_places = std::equal(current.listeners.begin(), current.listeners.end(),
                                      next.listeners.begin(), next.listeners.end(), same_place);
  if (!same_places) keep("listeners", current.listeners, next.listeners, kept);
  for (Pool& pool : next.pools) {
    const Pool* before = current.find_pool(pool.name);
    if (before == nullptr) continue;
    keep("endpoints of pool " + pool.name, before->endpoints, pool.endpoints, kept);
    keep("prepare_cache_ttl of pool " + pool.name, before->prepare_cache_ttl,
         pool.prepare_cache_ttl, kept);
  }
  return next;
}

}  // namespace tidepool::config
