// Which variables a SET GLOBAL of this process' clients has named: DEFAULT of those is not what a
// backend began with, and only TiDB knows what it is.
//
// One for the process, owned by the shared state; locks itself. Names are never forgotten: there
// are as many as TiDB has variables, and a name too many costs a question to TiDB.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/state/state_change.h"

namespace tidepool::tracking {

class GlobalSettings {
 public:
  // Before the script is executed: DEFAULT may be another one from then on.
  void note(const sql::Script& script);
  // SET x = DEFAULT of a named variable: it sets what only the backend knows.
  bool hide(const sql::StateChange& change) const;

 private:
  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> names_;  // under mutex_, canonical
};

}  // namespace tidepool::tracking
