// Exchange: one command of a client on one backend, as a short list of steps. Pure: says which
// bytes may be written to the backend now, and which of the bytes that come back are the client's.
//
//   restore … restore · prepare · RELAY · fence · probe · capture
//
// Steps are pipelined; one marked `after_success` is written only when every step before it was
// answered without an error. When a restore or a prepare fails, what is not yet written is dropped,
// and the answers to what is are swallowed. An execute may go right behind its prepare, with the id
// that the backend will give: should the prepare fail, TiDB has no statement of that id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidepool/base/error.h"
#include "tidepool/protocol/commands.h"
#include "tidepool/protocol/response_tracker.h"

namespace tidepool::tracking {

enum class StepKind : std::uint8_t {
  kRestore,  // brings the backend to the session's state; its answer is swallowed
  kPrepare,  // prepares on this backend what the client prepared on another; swallowed, its id is
             // wanted
  kRelay,    // the client's own command; its answer is the client's
  kFence,    // a ping behind a command whose answer may go on after its end: what comes before the
             // ping's own answer belongs to the command
  kProbe,    // a ping after an error: does the transaction live on?
  kCapture,  // reads state back; its answer is held
  kSilent,   // has no answer
};

struct Step {
  StepKind kind = StepKind::kRelay;
  protocol::Command command = protocol::Command::kQuery;
  std::string bytes{};         // whole packets
  bool after_success = false;  // see above
  bool may_fail = false;       // a restore whose failure keeps nothing from going on
  // The answer is kept whole, for take_held(), instead of being passed on as it comes.
  bool hold_answer = false;
  bool hold_error = false;        // the same, if it is nothing but an ERR
  bool may_request_file = false;  // see protocol::ResponseTracker::Context
  // The number of the answer's first packet, after the command's last one; set by add().
  std::uint8_t first_sequence = 1;
};

class Exchange {
 public:
  void add(Step step);

  // Bytes to write now, in order; empty if none. Each is handed out once. Those of a large step are
  // not copied: they come by themselves, and what is ahead of them before.
  std::string take_writable();
  // It has handed out less than all.
  bool has_cut() const { return has_cut_; }

  // What became of the bytes given to feed().
  struct Progress {
    std::size_t consumed = 0;  // of the given bytes; they all belong to one step
    bool relay = false;        // pass them on to the client as they are, after what take_held() has
    bool is_first = false;     // nothing of the client's answer was passed on before them
    StepKind step = StepKind::kRelay;              // whose answer they are of
    std::optional<StepKind> ended = std::nullopt;  // the step whose answer they completed
  };
  // Bytes of the backend's stream. Call again with the rest. An error: the stream cannot be
  // followed any more.
  Result<Progress> feed(std::string_view bytes);

  // Of the step that ended last, or is being answered.
  const protocol::ResponseSummary& summary() const { return tracker_.summary(); }
  // The whole answer of the step that ended last, if it was to be held.
  std::string take_held() { return std::exchange(held_, {}); }

  // Replaces the bytes of the relay step that is not yet written (its statement id is known only
  // now).
  void set_relay_bytes(std::string bytes);

  // Nothing is left to be written or to be answered.
  bool is_over() const { return waiting_.empty() && answering_.empty(); }
  // Set if a restore failed: then the client's command was not executed, or only as a harmless read
  // in the wrong state whose answer was swallowed.
  const std::optional<Error>& failure() const { return failure_; }
  // Set if the prepare failed: the client's command was not executed, the backend's state is as it
  // should be.
  const std::optional<Error>& prepare_error() const { return prepare_error_; }

  // The next answer is to what the proxy asks by itself.
  bool awaits_own_step() const {
    return !answering_.empty() && answering_.front().kind != StepKind::kRelay;
  }
  // The relay step has been handed out to be written: the command may have an effect.
  bool relay_written() const { return relay_written_; }
  // A byte of the relay step's answer has been passed on.
  bool relay_answered() const { return relay_answered_; }
  // What was held of the relay step's answer is passed on.
  void note_relay_answered() { relay_answered_ = true; }

  // The backend wants the client's file (LOAD DATA LOCAL): the client's packets up to an empty one
  // go to it.
  bool wants_local_infile() const { return tracking_ && tracker_.wants_local_infile(); }
  void on_local_infile_sent(std::uint8_t next_sequence) {
    tracker_.on_local_infile_sent(next_sequence);
  }
  std::uint8_t next_sequence() const { return tracker_.next_sequence(); }

 private:
  Result<Progress> feed_fence(std::string_view bytes);
  Progress progress_of_surplus(std::string_view bytes);
  Progress progress_of(std::string_view bytes, std::size_t consumed);
  bool holds(const Step& step, std::string_view bytes) const;
  void end_step(StepKind kind);

  std::vector<Step> waiting_;    // not yet written
  std::vector<Step> answering_;  // written, answer outstanding; the front one's is being followed
  protocol::ResponseTracker tracker_;
  bool tracking_ = false;
  std::string fence_header_;      // of a packet before the fence's answer, or of that
  std::size_t surplus_left_ = 0;  // bytes of such a packet that are still to come
  bool has_cut_ = false;
  bool relay_written_ = false;
  bool relay_answered_ = false;
  std::string held_;
  std::optional<Error> failure_;
  std::optional<Error> prepare_error_;
};

// Asks whether the transaction lives on after an error.
void add_probe(Exchange& exchange);

// The error that an answer's summary tells, as TiDB said it.
Error error_of(const protocol::ResponseSummary& summary);

// One command framed as the first packets of an exchange, for steps of the proxy's own.
std::string framed(std::string_view payload);
std::string framed(protocol::Command command, std::string_view argument = {});

}  // namespace tidepool::tracking
