// The prepared statements of one session. Their ids are the session's own; each backend has its own
// id for the same text, which PreparedCache knows. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tidepool/protocol/response_tracker.h"
#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/state/session_state.h"
#include "tidepool/tracking/backend_model.h"
#include "tidepool/tracking/plan_mark.h"
#include "tidepool/tracking/prepared_bytes.h"

namespace tidepool::tracking {

struct PreparedStatement {
  std::uint32_t id = 0;      // the client's
  std::uint64_t serial = 0;  // never used twice in a session, also not after a reset
  std::shared_ptr<const std::string> shared_text;  // never null in one that was added
  sql::Script script;                              // views into the text
  sql::SessionState context;    // preparing_state() when it was prepared: its meaning depends on it
  PreparedCache::Key text_key;  // of context and text
  // What is prepared anew in the place of the text; empty: the text itself.
  std::string text_after_execution{};
  std::string sent_text{};  // what is executed in the place of the text; empty: the text itself
  PlanMark mark{};          // stands before what is executed
  PreparedCache::Key key;   // of what is executed
  std::string key_types{};  // the parameter types that `key` speaks of
  std::uint16_t params = 0;
  std::uint16_t columns = 0;     // as the client was told
  TimePoint seen{};              // its answer shows the schema of then, or a newer one
  std::string memory_context{};  // with its text, what session::PrepareCache knows it by
  std::string param_types;       // as last sent by the client, two bytes each; empty: not sent yet
  bool has_plan = false;    // its client has executed it: a direct connection would have its plan
  bool has_warned = false;  // an execute of it has
  bool has_long_data = false;     // since the last execute or reset
  bool has_cursor = false;        // open, rows left
  std::size_t context_bytes = 0;  // that context and script take, about
  PreparedShare share{};          // of what its session may keep

  const std::string& text() const { return *shared_text; }
};

// Returns about how many bytes a statement takes while it is kept.
std::size_t bytes_of(const PreparedStatement& statement);
// The same of one that is to be prepared in that state.
std::size_t bytes_to_prepare(std::string_view text, const sql::SessionState& state,
                             const sql::Script& script);

// The key under which backends remember a text prepared in that state, whatever the user variables:
// the encoding of both.
PreparedCache::Key prepared_key(std::string_view text, const sql::SessionState& context);
// One that no other statement has.
PreparedCache::Key private_key(const PreparedStatement& statement, std::uint64_t session);

// The key of what is sent in the place of the statement's text, if that has this key.
PreparedCache::Key key_of_sent_text(const PreparedCache::Key& text_key,
                                    const PreparedStatement& statement);

// The key of what is executed with parameters of these types. TiDB's plan of a statement keeps
// something of the types that it was first executed with (seen on release-8.5: a DOUBLE comes out
// as the integer of its bits), so no session may meet a statement that others used with other
// types.
PreparedCache::Key key_of_types(const PreparedCache::Key& key, std::string_view types);

// Whether executing the statement, which TiDB answered so, has rewritten it: see
// sql::definition_after_execution().
bool rewrites_itself(const sql::Script& script, const protocol::ResponseSummary& answer);

// The part of a state that decides what a prepared text means, and whether its plan may be kept:
// database, character sets, sql_mode and such.
sql::SessionState preparing_state(const sql::SessionState& state);

class PreparedStatements {
 public:
  // `text` was prepared in `state`; params as the backend said. Answers the new statement.
  PreparedStatement& add(std::string_view text, const sql::SessionState& state,
                         std::uint16_t params, std::uint64_t session = 0);
  PreparedStatement* find(std::uint32_t id);  // null: the client has no such statement
  // Keeps it alive even when the client closes it.
  std::shared_ptr<PreparedStatement> share(const PreparedStatement& statement) const;
  void erase(std::uint32_t id);
  void clear();  // ids start at 1 again, as TiDB's do after a reset
  // Another one with the same key has an open cursor or long data.
  bool other_holds(const PreparedStatement& statement) const;
  // Another one with the same key has a plan, which would be this one's too.
  bool other_has_plan(const PreparedStatement& statement) const;
  // TiDB drops the plan with the first of them that is closed.
  void forget_plans(const PreparedStatement& statement);
  bool any_cursor() const;
  bool any_long_data() const;

 private:
  std::map<std::uint32_t, std::shared_ptr<PreparedStatement>> statements_;
  std::uint32_t next_id_ = 1;
  std::uint64_t next_serial_ = 1;
};

}  // namespace tidepool::tracking
