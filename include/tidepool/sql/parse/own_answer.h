// Statements that the proxy may answer without TiDB, when it knows what TiDB would say.
// classify() reads only as much of a statement as its effects need, for TiDB refuses what is wrong.
// A statement that TiDB does not see is read to its end here, and answered only if TiDB surely
// accepts it without a warning. tests/oracle holds this against TiDB's own parser. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tidepool/sql/parse/statement.h"

namespace tidepool::sql {

enum class OwnAnswer : std::uint8_t {
  kNone,          // TiDB answers
  kEnd,           // COMMIT or ROLLBACK where no transaction is open
  kSetting,       // SET of what TiDB surely accepts, and that shows nowhere else
  kShown,         // SHOW WARNINGS or SHOW ERRORS, see Statement::shown
  kInfoFunction,  // such as SELECT ROW_COUNT(), see lone_info_function_name()
  kKill,          // KILL of a session of this process
};

// Returns which answer the whole text may get. Requires a `script` that classify() made of it.
OwnAnswer own_answer(const Script& script, std::string_view text);

// Levels that TiDB always accepts outside a transaction; others depend on
// tidb_skip_isolation_level_check.
bool is_ordinary_isolation(std::string_view level);

// Requires a statement with a lone information function. Returns the name of its column, as TiDB
// has it.
std::string lone_info_function_name(const Statement& statement);

}  // namespace tidepool::sql
