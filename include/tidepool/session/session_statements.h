// SessionStatements: the prepared statements of a session, as its client and its pool see them:
// found by the client's id, prepared without TiDB where the answer is known, refused beyond the
// limits of memory, and closed where a backend has too many.
//
// Owned by the session; on its loop's thread. What the session knows of them is in its model.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tidepool/session/client_command.h"
#include "tidepool/session/session_context.h"
#include "tidepool/tracking/prepared_bytes.h"

namespace tidepool::session {

class SessionStatements {
 public:
  explicit SessionStatements(SessionContext& context) : context_(context) {}

  // The session begins, or begins anew: it has none.
  void begin_anew();
  // What its statements take is its pool's, from now on.
  void join_pool();

  // Gives the command its statement. Returns false if there is none, or the command is malformed;
  // then the client is told.
  [[nodiscard]] bool find(ClientCommand& command);
  // The command with which a backend is told of COM_STMT_CLOSE; null: none need be told.
  std::unique_ptr<ClientCommand> close(std::string_view payload);
  // The error, if the command prepares what there is no room for.
  std::optional<Error> refusal_to_prepare(ClientCommand& command);
  // Answers COM_STMT_PREPARE with what TiDB answered to the same text before. Returns false if that
  // is not known.
  [[nodiscard]] bool answer_prepare(ClientCommand& command);
  // COM_STMT_PREPARE is answered by TiDB. Returns the answer with an id of the session's own.
  std::string settle_prepare(ClientCommand& command);

  // Until the command is over, and its backend has answered, nobody is told what was so before it.
  void note_schema_changes(ClientCommand& command);
  // The answer to an execute may show that what is remembered of its prepare is not so any more.
  void note_schema_use(const ClientCommand& command);
  // What its statement takes now, which was used by it.
  void count_bytes(tracking::PreparedStatement& statement);
  void count_named_bytes();

  enum class Room : std::uint8_t {
    kThere,   // what failed did not fail for want of room
    kMade,    // it may be prepared again
    kNotMade  // this backend has nothing that could make way
  };
  // TiDB has as many statements as it may have in all its connections together. Those that are only
  // kept make way, the least recently used ones first.
  [[nodiscard]] Room make_room(tracking::Command& command);
  // Plans a command anew whose prepare was refused. Returns false if this backend cannot be brought
  // to the session's state.
  [[nodiscard]] bool plan_again(tracking::Command& command);

 private:
  tracking::PreparedStatement& add(ClientCommand& command, std::uint16_t params,
                                   std::uint16_t columns, TimePoint seen);
  void add_prepared(ClientCommand& command, std::string& answer);

  SessionContext& context_;
  tracking::PreparedShare named_share_;  // of the model's named statements
};

}  // namespace tidepool::session
