// One thing that a statement does to the session's state, if TiDB answers it with OK. Owns its
// text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidepool::sql {

enum class ChangeKind : std::uint8_t {
  kUseDatabase,   // USE; name
  kInitDatabase,  // COM_INIT_DB; name. Unlike USE it is also what COM_RESET_CONNECTION goes back to
  kSetVariable,   // name, value
  kSetDefault,    // SET name = DEFAULT
  kSetNames,      // SET NAMES value [COLLATE collation]; value empty: DEFAULT
  kSetCharacterSet,           // SET CHARACTER SET value; value empty: DEFAULT
  kComputedVariable,          // name; only the backend knows the new value
  kSetUserVariable,           // name, value: a number, TRUE, FALSE or NULL as written
  kSetUserString,             // name, value: the string itself, collation
  kComputedUserVariable,      // name; only the backend knows the new value
  kFileUserVariable,          // name; a string that only the backend knows; it keeps its type
  kUnrestorableVariable,      // name; its value was read back, but no SET gives it again
  kUnrestorableUserVariable,  // name; the same, or no SET gives its type again
  kMultiStatements,           // COM_SET_OPTION; value "1" or "0"
  kSetRole,                   // SET ROLE value; value empty: the roles of a fresh session
  kComputedRole,              // SET ROLE; only the backend knows which
  kSetResourceGroup,          // SET RESOURCE GROUP value; value empty: the group of a fresh session
  kNextIsolation,    // SET TRANSACTION ISOLATION LEVEL; value as transaction_isolation has it
  kPrepareNamed,     // PREPARE name FROM value (the statement's text, or @variable in lower case)
  kExecuteNamed,     // EXECUTE name
  kDeallocateNamed,  // DEALLOCATE PREPARE name
  kCreateTemporaryTable,  // name; value: the database, if written
  kDropTable,  // DROP [TEMPORARY] TABLE, one change a table; name; value: the database, if written
  kDropDatabase,  // name: a session that is in it is in none then
  kGetLock,       // SELECT GET_LOCK('name', n) and nothing else; name empty if a parameter
  kReleaseLock,   // SELECT or DO RELEASE_LOCK('name') and nothing else; name empty if a parameter
};

struct StateChange {
  ChangeKind kind;
  std::string name{};  // variables: canonical, see variable.h; user variables: lower case without @
  // Of a system variable: the string that TiDB makes of the literal; NULL is "".
  std::string value{};
  std::string collation{};   // of kSetNames, empty: the default of the character set; of
                             // kSetUserString
  std::uint32_t length = 0;  // of kSetUserString: characters that its type has room for; 0: as many
                             // as it has

  friend bool operator==(const StateChange&, const StateChange&) = default;
};

using StateChanges = std::vector<StateChange>;

// The changes that commands other than COM_QUERY make.
StateChange init_database(std::string_view name);  // COM_INIT_DB
StateChange multi_statements(bool enabled);        // COM_SET_OPTION

}  // namespace tidepool::sql
