// The statements of a transaction with a hash of each answer, and their comparison when they are
// run again on another backend. Pure.
//
// Nothing of an answer is masked: TiDB's answers have no ids of the connection in them, and what
// differs in one that the client has seen (an insert id, a time) is a difference to the client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tidepool/base/stream_hash.h"
#include "tidepool/protocol/commands.h"
#include "tidepool/sql/parse/statement.h"
#include "tidepool/tracking/command.h"
#include "tidepool/tracking/prepared.h"

namespace tidepool::tracking {

// What a command means to the replay of the transaction that it is in.
enum class ReplayUse : std::uint8_t {
  kSkip,    // has no part in the transaction: a ping, a prepare
  kBegin,   // begins it
  kRecord,  // has effects on the transaction only
  kGiveUp,  // has others, or asks what only the old backend knows: the transaction cannot be
            // replayed
};
ReplayUse replay_use(protocol::Command command, const sql::Script& script);
// That of the text as it was sent: an EXECUTE is none of what it executes.
ReplayUse replay_use(const Command& command);

// TiDB's errors that are worth a replay, if they have ended the transaction: conflicts with others.
bool is_replayed_error(std::uint16_t error_number);

// An answer, all bytes of it. Who writes the rows that it shows must not be able to make another
// one pass for it: the hash has a key.
struct AnswerDigest {
  std::uint64_t bytes = 0;
  StreamHash::Value hash{};

  bool operator==(const AnswerDigest&) const = default;
};

struct ReplayStatement {
  protocol::Command command = protocol::Command::kQuery;
  // With the command byte, as it was sent to the backend; an execute has its parameters' types.
  std::string payload{};
  std::shared_ptr<PreparedStatement> prepared{};  // that it executes, which may be closed since
  AnswerDigest answer{};
};

class ReplayLog {
 public:
  enum class State : std::uint8_t { kEmpty, kOpen, kTooLarge, kNotReplayable };

  explicit ReplayLog(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  void begin();                         // a transaction begins, and that before it is over
  void add(ReplayStatement statement);  // its next one, the first included
  void give_up();                       // until the next begin()
  void end();                           // it is over

  State state() const { return state_; }
  // Of an open log: what is kept, the book-keeping included.
  std::size_t bytes() const { return bytes_; }
  const std::vector<ReplayStatement>& statements() const { return statements_; }

 private:
  void forget(State state);

  const std::size_t max_bytes_;
  State state_ = State::kEmpty;
  std::size_t bytes_ = 0;
  std::vector<ReplayStatement> statements_;
};

// Goes through a log that does not change meanwhile; the log outlives it.
class ReplayPlayer {
 public:
  explicit ReplayPlayer(const ReplayLog& log) : log_(log) {}

  // To be sent now; null: all were answered as before.
  const ReplayStatement* next() const;
  // `answer` to it, and whether the transaction is open after it, as it was the first time. False:
  // it is not the same, and nothing more may be sent.
  bool compare(const AnswerDigest& answer, bool in_transaction);

 private:
  const ReplayLog& log_;
  std::size_t done_ = 0;
};

}  // namespace tidepool::tracking
