#include <nlohmann/json.hpp>

#include "tidepool/admin/status.h"

namespace tidepool::admin {
namespace {

using Json = nlohmann::ordered_json;

Json object_of(const std::vector<std::pair<std::string, std::int64_t>>& figures) {
  Json object = Json::object();
  for (const auto& [name, value] : figures)
    object[name] = value;
  return object;
}

Json json_of(const PoolStatus& pool) {
  Json json;
  json["name"] = pool.figures.pool;
  json["address"] = pool.address;
  json["cap"] = pool.figures.cap;
  json["size"] = pool.figures.size;
  json["waiters"] = pool.figures.waiters;
  json["backends"] = object_of(pool.figures.backends);
  json["sessions"] = object_of(pool.figures.sessions);
  json["pinned"] = object_of(pool.figures.pinned);
  json["last_dial_error"] = nullptr;
  if (!pool.last_dial_error.empty()) {
    json["last_dial_error"] = {{"text", pool.last_dial_error},
                               {"unix_time", pool.figures.last_dial_error_time}};
  }
  return json;
}

}  // namespace

std::string to_json(const Status& status) {
  Json json;
  json["version"] = status.version;
  json["uptime_seconds"] = status.uptime.count();
  json["ready"] = status.readiness.ready;
  json["reason"] = status.readiness.reason;
  json["workers"] = status.workers;
  json["clients"] = status.clients;
  json["max_clients"] = status.max_clients;
  json["pools"] = Json::array();
  for (const PoolStatus& pool : status.pools)
    json["pools"].push_back(json_of(pool));
  // A text of TiDB may be in any encoding: replaced, where the default would throw.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tidepool::admin
