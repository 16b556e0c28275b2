// What a session holds on its backend beyond a transaction, by name: local temporary tables, locks
// of GET_LOCK. It pins as long as it does, and no longer. Pure.
//
// Verified (release-8.5, each tried): a CREATE TEMPORARY TABLE that fails makes nothing; a DROP
// TABLE that fails drops no temporary table, and DROP TEMPORARY TABLE IF EXISTS of several drops
// none if one does not exist, which leaves a warning; DROP DATABASE leaves temporary tables.
// GET_LOCK of a lock that the session has counts up, RELEASE_LOCK down. TiDB computes constant
// expressions while it plans: COM_STMT_PREPARE and EXPLAIN of SELECT GET_LOCK('a', 1) take the
// lock. LOCK TABLES does nothing but warn unless enable-table-lock is configured. What is not
// understood pins until all locks are released, or the session is reset.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "tidepool/protocol/response_tracker.h"
#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/state/pin.h"

namespace tidepool::tracking {

// A command that was answered.
struct Settlement {
  const sql::Script& script;
  std::size_t executed = 0;  // so many of its statements, see executed_of()
  const protocol::ResponseSummary& answer;
  std::string_view database;  // before it
  std::string_view rows;      // the answer, if it was held
  bool is_prepared = false;   // the script is a prepared statement's
};

class HeldResources {
 public:
  // Requires in `pins` the session's pins and those of the script's statements. Returns them
  // without the pins whose cause is gone, or never was.
  sql::PinReasons settle(sql::PinReasons pins, const Settlement& done);
  // The same after COM_STMT_PREPARE.
  sql::PinReasons settle_prepare(sql::PinReasons pins, const sql::Script& script,
                                 const protocol::ResponseSummary& answer);
  void clear() { *this = HeldResources(); }

 private:
  void note_tables(const sql::Statement& statement, const Settlement& done, std::string& database);
  void note_locks(const sql::Statement& statement, const Settlement& done);

  std::set<std::string> tables_;           // "database.table", each quoted, in lower case
  std::map<std::string, unsigned> locks_;  // how often each is held
  bool has_unknown_table_ = false;
  bool has_unknown_lock_ = false;
};

// Whether the script can change what is held.
bool concerns_held_resources(const sql::Script& script);

// SELECT GET_LOCK(…) and nothing else: the answer's row tells whether the session has got it.
bool asks_for_lock(const sql::Script& script);

}  // namespace tidepool::tracking
