// TrackedSession: a client's session as the proxy plays it with the tracking layer, without
// sockets: each command planned and settled on a pooled connection, and done once more on a
// connection of the client's own. What must be the same is checked; a difference aborts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "simulated_tidb.h"
#include "tidepool/tracking/command_context.h"
#include "tidepool/tracking/global_settings.h"

namespace tidepool::fuzz {

class PooledBackend {
 public:
  // TiDB hangs up, and another connection takes the place.
  void lose() {
    model_ = std::make_unique<tracking::BackendModel>(sql::SessionState(), kMostPrepared);
    tidb = SimulatedTidb();
    holder = nullptr;
  }
  tracking::BackendModel& model() { return *model_; }
  const tracking::BackendModel& model() const { return *model_; }

  SimulatedTidb tidb;
  const void* holder = nullptr;  // the session that has it, parked or not

 private:
  static constexpr std::size_t kMostPrepared = 4;

  std::unique_ptr<tracking::BackendModel> model_ =
      std::make_unique<tracking::BackendModel>(sql::SessionState(), kMostPrepared);
};

// What the input decides, command by command.
class Choices {
 public:
  explicit Choices(std::string_view input) : input_(input) {}
  bool is_over() const { return input_.empty(); }
  unsigned next(unsigned count);  // below `count`; 0 at the end
  // Of a command that the client has sent.
  Outcome outcome();
  // Of what the proxy asks for by itself.
  Outcome own_outcome(std::string_view payload);

 private:
  std::string_view input_;
  std::uint64_t ids_ = 100;
};

class TrackedSession {
 public:
  TrackedSession(std::uint32_t id, Choices& choices) : model_(id), choices_(choices) {}

  enum class Ending : std::uint8_t { kDone, kLost, kClosed };
  // The next command of the client on that backend. kLost: it is gone, and all that was there; the
  // session goes on. kClosed: the session has ended.
  [[nodiscard]] Ending turn(PooledBackend& backend);
  // Whether the session is through with its backend; it may have asked it for something first.
  [[nodiscard]] bool rest(PooledBackend& backend);
  // The backend that it left parked is wanted by another one.
  void recall(PooledBackend& backend);
  // What it has on the backend must not reach the next session.
  void leave(PooledBackend& backend);
  bool is_bound() const { return model_.is_bound(); }
  void check() const;

 private:
  using CommandPtr = std::unique_ptr<tracking::Command>;

  CommandPtr choose();
  CommandPtr text_command(protocol::Command type, std::string_view text);
  CommandPtr statement_command(protocol::Command type);
  bool shows_warnings(const tracking::Command& command);
  bool answers_itself(const tracking::Command& command);
  void reset(PooledBackend& backend);
  void close_statement(PooledBackend& backend, std::uint32_t id);
  Ending run(PooledBackend& backend, tracking::Command& command);
  bool plan(tracking::CommandContext& context);
  bool exchange(tracking::CommandContext& context, PooledBackend& backend);
  void answer_step(tracking::CommandContext& context, PooledBackend& backend,
                   std::string_view payload);
  void follow(tracking::CommandContext& context, PooledBackend& backend, tracking::StepKind ended,
              const std::string& answer);
  void relayed(tracking::CommandContext& context, const std::string& answer);
  void prepared(tracking::CommandContext& context);
  Ending finish(tracking::CommandContext& context, PooledBackend& backend);
  void capture(PooledBackend& backend);
  void check_relay(const tracking::Command& command, std::string_view payload,
                   const SimulatedTidb& there) const;
  void check_execute(const tracking::Command& command, std::string_view payload,
                     const SimulatedTidb& there) const;
  void check_answer(const tracking::CommandContext& context, std::string answer) const;

  tracking::SessionModel model_;
  Choices& choices_;
  tracking::GlobalSettings globals_;
  SimulatedTidb own_;                                 // the client's own connection
  std::map<std::uint32_t, std::uint32_t> own_ids_{};  // of its statements, by the client's
  std::string own_payload_{};                         // of the command under way, as it came
  std::string own_answer_{};
  bool is_repeated_ = false;
  bool has_opened_cursor_ = false;
  bool has_sent_all_types_ = true;
};

// Nothing of it only the backend knows.
bool is_known(const sql::SessionState& state);
// A zone that was read back stands there by its name, be it that of a fresh session.
bool same_state(const sql::SessionState& one, const sql::SessionState& other);

// Aborts if it does not hold; TIDEPOOL_FUZZ_TRACE=1 shows what.
void require(bool holds, std::string_view what);

}  // namespace tidepool::fuzz
