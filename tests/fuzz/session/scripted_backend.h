// TiDB's end of one backend's socket: takes commands, and answers them as the script says, or else
// as the model of a session does.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "frames.h"
#include "tidb_model.h"
#include "tidepool/net/fd.h"

namespace tidepool::fuzz {

enum class AnswerKind : std::uint8_t {
  kUsual,  // as the model does
  kOk,
  kInTransaction,  // as usual; from here on the status says whether one is open: argument % 2
  kError,          // one of those that mean something, by the argument
  kAnyError,       // with the number that the input says
  kRows,           // as many columns as the argument says
  kManyRows,       // more than the client's socket takes
  kRowsThenError,
  kFileRequest,
  kPrepared,  // as many parameters and columns as the argument says
  kEof,
  kStatus,       // as usual, with other status flags
  kWarnings,     // as usual, with warnings
  kMoreResults,  // an answer that announces another one, and that
  kTwice,        // another answer that nobody asked for, in the same write
  kPacket,       // of the input's bytes
  kBytes,        // the input's, without a header
  kHalves,       // as usual, in two writes
  kHalfThenClose,
  kThenClose,
  kClose,
  kSilence,  // none until the script ends
};
inline constexpr unsigned kAnswerKinds = 22;

struct Answer {
  AnswerKind kind = AnswerKind::kUsual;
  std::uint8_t argument = 0;
  std::string bytes = {};
};

class ScriptedBackend {
 public:
  ScriptedBackend(net::UniqueFd fd, unsigned number);

  bool is_open() const { return fd_.is_open(); }
  bool has_command() const { return !commands_.empty() && !is_silent_; }
  bool awaits_file() const { return awaits_file_; }
  unsigned connection() const { return number_; }

  void receive();                              // what has come
  void send();                                 // what the socket did not take before
  void answer(const Answer& answer);           // the oldest command
  std::optional<std::uint64_t> kills() const;  // the connection that the oldest command is to kill
  void interrupt();                            // a KILL QUERY: silence ends by an error
  void end_silence() { is_silent_ = false; }
  void send_unasked(std::string_view bytes) { write(bytes); }
  void close() { fd_.reset(); }
  void half_close() const;

 private:
  void take(std::string_view payload, std::uint8_t sequence);
  std::string usual(const std::string& command);
  std::string bytes_of(const Answer& answer, const std::string& command);
  std::string success(const std::string& command, std::string bytes);
  void write(std::string_view bytes);

  net::UniqueFd fd_;
  const unsigned number_;
  TidbModel model_;
  Frames frames_;
  std::deque<std::string> commands_;
  std::string queue_;
  bool awaits_file_ = false;
  bool is_silent_ = false;
};

}  // namespace tidepool::fuzz
