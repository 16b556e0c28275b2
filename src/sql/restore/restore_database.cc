#include "restore/restore_database.h"

#include <utility>

namespace tidepool::sql {
namespace {

void add_query(std::vector<RestoreStep>& steps, std::string text, bool may_fail = false) {
  steps.push_back(RestoreStep{
      .kind = RestoreStep::Kind::kQuery, .text = std::move(text), .may_fail = may_fail});
}

}  // namespace

std::string quoted_name(std::string_view name) {
  std::string text = "`";
  for (const char byte : name) {
    if (byte == '`') text.push_back(byte);
    text.push_back(byte);
  }
  text.push_back('`');
  return text;
}

void add_database(std::vector<RestoreStep>& steps, const SessionState& from,
                  const SessionState& desired) {
  const bool changes_database = from.database() != desired.database();
  const bool changes_role = from.role() != desired.role();
  const bool is_fresh = desired.role().is_fresh();
  if (is_fresh && changes_role) add_query(steps, "SET ROLE DEFAULT");
  if (!is_fresh && changes_database) add_query(steps, "SET ROLE ALL");
  if (changes_database) add_query(steps, "USE " + quoted_name(desired.database()));
  if (is_fresh || (!changes_database && !changes_role)) return;
  // One that is revoked since gives nothing in a session that still has it: neither here.
  add_query(steps, "SET ROLE NONE");
  if (desired.role().names != "NONE") add_query(steps, "SET ROLE " + desired.role().names, true);
}

}  // namespace tidepool::sql
