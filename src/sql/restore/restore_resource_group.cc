#include "restore/restore_resource_group.h"

#include "restore/restore_database.h"

namespace tidepool::sql {
namespace {

RestoreStep set_group(std::string_view name) {
  return {.kind = RestoreStep::Kind::kQuery,
          .text = "SET RESOURCE GROUP " + quoted_name(name),
          .may_fail = name != kDefaultResourceGroup};
}

}  // namespace

bool is_resource_group_lost(const SessionState& from, const SessionState& desired) {
  return !from.resource_group().empty() && desired.resource_group().empty() &&
         from.login_group().empty();
}

void add_resource_group(std::vector<RestoreStep>& steps, const SessionState& from,
                        const SessionState& desired) {
  if (from.resource_group() == desired.resource_group()) return;
  const std::string& name =
      desired.resource_group().empty() ? from.login_group() : desired.resource_group();
  steps.push_back(set_group(kDefaultResourceGroup));
  if (name != kDefaultResourceGroup) steps.push_back(set_group(name));
}

}  // namespace tidepool::sql
