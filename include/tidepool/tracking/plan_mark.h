// Keeps plans apart that TiDB would take for one another.
//
// TiDB's plan cache knows a plan by the text of its statement and by some of the session's state
// when it is executed (planner/core, NewPlanCacheKey): not by the sql_mode, the collation and the
// parser's switches of its prepare, nor by variables that are computed into a plan
// (div_precision_increment, time_zone, …). In a connection of its own a client meets its own plans
// only; on a shared backend it would meet another session's, and get wrong rows. What is prepared
// there for a session whose state tells more than the key gets white space in front that says so.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::tracking {

// A statement and the states that its plan depends on.
struct PlanSource {
  std::string_view text;
  const sql::SessionState& prepared;  // preparing_state() of its prepare
  const sql::SessionState& executed;  // of the session that executes it
  std::uint64_t session = 0;
};

// What the plan depends on and the key does not have, as an encoding; empty: nothing.
std::string plan_context(const PlanSource& source);

// Whether TiDB keeps plans of such a text.
bool has_kept_plan(const sql::Script& script);

// Another mark, for a plan that is to be made anew although the backend may have it already: TiDB
// warns when it makes a plan, not when it finds it. `number` is one that no other plan there has.
std::string new_plan_mark(std::uint64_t number);

// The mark of one statement, made anew when the state that it is executed in is another one.
class PlanMark {
 public:
  // Returns whether it is another one than before.
  bool update(const PlanSource& source);
  // Whether update() would say so.
  bool differs(const PlanSource& source) const;
  // To stand before the text; empty: none.
  const std::string& white_space() const { return white_space_; }

 private:
  bool is_made_for(const PlanSource& source) const;

  bool is_made_ = false;
  std::vector<sql::SessionState::Item> items_;  // of the state that it was made for
  std::uint16_t connection_ = 0;
  std::string white_space_;
};

}  // namespace tidepool::tracking
