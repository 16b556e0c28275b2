// The whole session machine between scripted clients and scripted backends: sessions, the pool and
// its broker as a worker has them. Nothing crashes or leaks, no client receives another's bytes, no
// more backends are open than allowed; and when the script is over, everything ends.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "fuzz_input.h"
#include "session/script.h"
#include "session/session_world.h"
#include "session/virtual_clock.h"
#include "tidepool/base/log.h"
#include "tidepool/net/process.h"

namespace tidepool::fuzz {
namespace {

using std::chrono::milliseconds;

// A turn of the time after the script, and how many there may be until everything is over, or
// another command of those that clients left behind: longer than any timeout of the sessions.
constexpr milliseconds kTurn(100);
constexpr unsigned kMaxTurns = 900;

void require(bool holds, const char* what, const SessionWorld& world) {
  if (holds) return;
  const pool::BrokerCounts counts = world.counts();
  std::fprintf(stderr, "%s: %u leased, %u parked, %u idle, %u dialling, %u closing, %u waiting\n",
               what, counts.leased, counts.parked, counts.idle, counts.dialling, counts.closing,
               counts.waiting);
  std::abort();
}

// What one input goes through: its script; then clients leave and backends answer, until no session
// is left; then a new client is served; then the pool is drained.
class Execution {
 public:
  explicit Execution(std::string_view input)
      : settings_(take_settings(input)), world_(settings_), script_(world_, input) {}

  void run() {
    world_.run([this] { return next(); });
  }

 private:
  enum class Phase : std::uint8_t { kScript, kEnd, kService, kDrain };

  bool next() {
    if (phase_ == Phase::kScript) {
      if (!script_.step()) end_script();
      return true;
    }
    advance_clock(kTurn);
    if (std::exchange(commands_done_, world_.commands_done()) != world_.commands_done()) turns_ = 0;
    require(++turns_ < kMaxTurns, "it never ends", world_);
    switch (phase_) {
      case Phase::kEnd:
        if (!world_.has_sessions() && is_free()) begin_service();
        return true;
      case Phase::kService:
        if (is_served()) begin_drain();
        return true;
      case Phase::kDrain:
        if (!world_.has_sessions() && world_.pool().is_empty()) return end();
        return true;
      case Phase::kScript: break;
    }
    return true;
  }

  void end_script() {
    phase_ = Phase::kEnd;
    world_.let_go();
    for (std::size_t slot = 0; slot < SessionWorld::kClients; ++slot) {
      if (world_.client(slot) != nullptr) world_.client(slot)->close();
    }
  }

  bool is_free() const {
    const pool::BrokerCounts counts = world_.counts();
    return counts.leased == 0 && counts.parked == 0 && counts.waiting == 0;
  }

  void begin_service() {
    phase_ = Phase::kService;
    turns_ = 0;
    world_.check_gauges();
    world_.add_user("app");
    world_.restore();
    world_.connect(0,
                   {.user = "app",
                    .password = "pw",
                    .plugin = "mysql_native_password",
                    .database = {},
                    .capabilities = 0x8AA201},
                   false);
  }

  bool is_served() {
    ScriptedClient& client = *world_.client(0);
    require(client.is_open(), "a new client was not let in", world_);
    if (!client.is_in()) return false;
    if (!asked_) {
      asked_ = true;
      client.expect_answer();
      client.send_command(
          "\x03"
          "SELECT 'service'");
    }
    return client.has_answer();
  }

  void begin_drain() {
    phase_ = Phase::kDrain;
    turns_ = 0;
    world_.client(0)->close();
    world_.pool().drain();
  }

  bool end() {
    world_.check_gauges();
    require(world_.counts().total() == 0, "the broker still counts backends", world_);
    return false;
  }

  const Settings settings_;
  SessionWorld world_;
  Script script_;
  Phase phase_ = Phase::kScript;
  unsigned turns_ = 0;
  std::uint64_t commands_done_ = 0;
  bool asked_ = false;
};

}  // namespace
}  // namespace tidepool::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  tidepool::net::prepare_process(1);
  tidepool::log::set_level(std::getenv("TIDEPOOL_FUZZ_LOG") != nullptr
                               ? tidepool::log::Level::kDebug
                               : tidepool::log::Level::kError);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tidepool::fuzz::Execution(tidepool::fuzz::as_view(data, size)).run();
  return 0;
}
