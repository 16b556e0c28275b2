#include "script.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "../fuzz_input.h"
#include "marker.h"
#include "statements.h"
#include "tidepool/protocol/auth.h"
#include "tidepool/protocol/capabilities.h"
#include "tidepool/protocol/codec.h"
#include "virtual_clock.h"

namespace tidepool::fuzz {
namespace {

namespace capability = protocol::capability;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr unsigned kMaxOperations = 150;
constexpr std::uint32_t kUsual = capability::kProtocol41 | capability::kLongPassword |
                                 capability::kTransactions | capability::kSecureConnection |
                                 capability::kPluginAuth | capability::kMultiResults;
constexpr auto kTimes =
    std::to_array<milliseconds>({milliseconds(1), milliseconds(20), milliseconds(200), seconds(1),
                                 seconds(2), seconds(6), seconds(31), std::chrono::minutes(6)});

std::string with_marker(std::string_view text, char owner) {
  std::string out;
  for (const char byte : text) {
    if (byte == '%') {
      out += marker_of(owner);
    } else {
      out += byte;
    }
  }
  return out;
}

}  // namespace

Settings take_settings(std::string_view& input) {
  const unsigned pool = take_byte(input);
  const unsigned times = take_byte(input);
  const unsigned more = take_byte(input);
  Settings settings;
  pool::Limits& limits = settings.limits;
  limits.size = 1 + pool % 2;
  limits.max_overflow = pool / 2 % 2;
  limits.min_idle = pool / 4 % 2;
  limits.max_waiters = pool / 8 % 2;
  limits.recycle = (pool & 16U) != 0 ? milliseconds(seconds(3)) : std::chrono::minutes(5);
  limits.parking.busy = (pool & 32U) != 0 ? milliseconds(seconds(1)) : milliseconds(0);
  limits.ping_interval = (pool & 64U) != 0 ? milliseconds(500) : milliseconds(0);
  limits.idle_timeout = (pool & 128U) != 0 ? seconds(2) : seconds(300);
  limits.backoff_refused = seconds(1);
  limits.backoff_max = seconds(1);
  limits.dial_rate = 1000;
  settings.timeout = (times & 1U) != 0 ? seconds(1) : seconds(30);
  settings.timeouts.query = (times & 2U) != 0 ? seconds(1) : seconds(0);
  settings.timeouts.idle_transaction = (times & 4U) != 0 ? seconds(1) : seconds(0);
  settings.timeouts.client_idle = (times & 8U) != 0 ? seconds(5) : seconds(0);
  settings.prepare_cache_ttl = (times & 16U) != 0 ? seconds(60) : seconds(0);
  settings.max_prepared = (more & 1U) != 0 ? 2 : 256;
  settings.max_leases = (more & 2U) != 0 ? 1 : 0;
  settings.max_sessions = (more & 4U) != 0 ? 2 : 0;
  settings.limits_leases_by_database = (more & 8U) != 0;
  limits.max_leases_per_database = (more & 8U) != 0 ? 1 : 0;
  settings.retries = (more & 16U) == 0;
  return settings;
}

std::uint8_t Script::byte() {
  return take_byte(input_);
}

std::string Script::bytes() {
  const std::size_t size = byte();
  return size == 0 ? std::string() : without_markers(take_piece(input_, size));
}

std::string Script::statement(const ScriptedClient& client) {
  const std::size_t choice = byte();
  if (choice == 0xFF) return bytes();
  return with_marker(kStatements[choice % kStatements.size()], client.owner());
}

bool Script::step() {
  if (pause_ > 0) {
    --pause_;
    return true;
  }
  if (input_.empty() || operations_++ >= kMaxOperations) return false;
  operate();
  return true;
}

void Script::operate() {
  const unsigned kind = byte();
  switch (kind % 32) {
    case 24: return plan();
    case 25: return plan();
    case 26: return world_.hold(byte() % 2 == 1);
    case 27: return world_.answer_one(byte());
    case 28: return disturb_backend();
    case 29: return advance();
    case 30: return administer();
    case 31: pause_ = byte() % 8U; return;
    default: return client_operation(kind % 24);
  }
}

ScriptedClient* Script::client() {
  const std::size_t slot = byte() % SessionWorld::kClients;
  ScriptedClient* client = world_.client(slot);
  if (client != nullptr && client->is_open()) return client;
  connect(slot);
  return nullptr;
}

void Script::connect(std::size_t slot) {
  const unsigned how = byte();
  LoginOptions options;
  options.user = (how & 1U) != 0 ? "rep" : "app";
  options.plugin = (how & 2U) != 0 ? protocol::kCachingSha2Password : protocol::kNativePassword;
  options.password = (how & 4U) != 0 && (how & 8U) != 0 ? "wrong" : "pw";
  options.database = (how & 16U) != 0 ? "d1" : "";
  options.capabilities = kUsual;
  if ((how & 32U) != 0) options.capabilities |= capability::kLocalFiles;
  if ((how & 64U) != 0) options.capabilities |= capability::kMultiStatements;
  if ((how & 128U) != 0) options.capabilities |= capability::kFoundRows;
  world_.connect(slot, options, how % 16 == 2);
}

void Script::client_operation(unsigned kind) {
  ScriptedClient* client = this->client();
  if (client == nullptr) return;
  switch (kind) {
    default: return client->send_command('\x03' + statement(*client));
    case 7: return several(*client);
    case 8: return several(*client);
    case 9:
      return client->send_command(
          '\x16' + with_marker(kPrepares[byte() % kPrepares.size()], client->owner()));
    case 10: return execute(*client);
    case 11: return execute(*client);
    case 12: return command(*client);
    case 13: return command(*client);
    case 14: return client->send_command(bytes(), byte() % 4);
    case 15: return client->send(bytes());
    case 16: return client->send_part('\x03' + statement(*client));
    case 17: return client->send_next(bytes());
    case 18: return client->send_next({});
    case 19: {
      const unsigned how = byte();
      return client->change_user((how & 1U) != 0 ? "rep" : "app", (how & 6U) == 6 ? "wrong" : "pw",
                                 (how & 8U) != 0 ? "d1" : "");
    }
    case 20: return leave(*client);
    case 21: return client->set_reading(byte() % 2 == 1);
    case 22: return long_data(*client);
    case 23: return client->send_command('\x16' + statement(*client));
  }
}

// In one write.
void Script::several(ScriptedClient& client) {
  const unsigned count = byte() % 4U + 2;
  std::string all;
  for (unsigned i = 0; i < count; ++i) {
    const std::string text = statement(client);
    std::uint8_t sequence = 0;
    const bool is_ping = text.empty();
    protocol::append_packet(all, sequence, is_ping ? std::string("\x0e") : '\x03' + text);
  }
  client.send(all);
}

void Script::execute(ScriptedClient& client) {
  const std::uint32_t id = byte() % 8U;
  const unsigned how = byte();
  std::string payload("\x17");
  protocol::Writer writer(payload);
  writer.u32(id).u8((how & 1U) != 0 ? 1 : 0).u32(1);
  const unsigned parameters = how / 2 % 3;
  if (parameters > 0) {
    writer.u8(0).u8(1);
    for (unsigned i = 0; i < parameters; ++i)
      writer.u16((how & 16U) != 0 ? 0x03 : 0xFD);
    for (unsigned i = 0; i < parameters; ++i) {
      if ((how & 16U) != 0) {
        writer.u32(how);
      } else {
        writer.lenenc_string(marker_of(client.owner()));
      }
    }
  }
  client.send_command(payload);
}

void Script::long_data(ScriptedClient& client) {
  std::string payload("\x18");
  protocol::Writer(payload).u32(byte() % 8U).u16(0).bytes(marker_of(client.owner()));
  client.send_command(payload);
}

void Script::command(ScriptedClient& client) {
  static constexpr auto kSimple = std::to_array<char>({1, 4, 7, 8, 9, 13, 14, 14, 31, 31, 5, 6});
  const unsigned choice = byte();
  std::string payload;
  protocol::Writer writer(payload);
  switch (choice % 20) {
    case 12: writer.u8(25).u32(byte() % 8U); break;         // close
    case 13: writer.u8(26).u32(byte() % 8U); break;         // reset
    case 14: writer.u8(28).u32(byte() % 8U).u32(1); break;  // fetch
    case 15: writer.u8(27).u16(byte() % 2U); break;         // set option
    case 16: writer.u8(12).u32(byte() % 4U); break;         // process kill
    case 17: writer.u8(2).bytes("d1"); break;               // init db
    case 18: writer.u8(2).bytes("nowhere"); break;
    case 19: writer.u8(4).nul_string("a"); break;  // field list
    default: writer.u8(static_cast<std::uint8_t>(kSimple[choice % 20]));
  }
  client.send_command(payload);
}

void Script::leave(ScriptedClient& client) {
  if (byte() % 3 == 1) return client.half_close();
  client.close();
}

void Script::plan() {
  Answer answer;
  answer.kind = static_cast<AnswerKind>(byte() % kAnswerKinds);
  answer.argument = byte();
  const bool takes_bytes = answer.kind == AnswerKind::kPacket ||
                           answer.kind == AnswerKind::kBytes ||
                           answer.kind == AnswerKind::kAnyError;
  if (takes_bytes) answer.bytes = bytes();
  const unsigned usual_before = answer.kind == AnswerKind::kUsual ? answer.argument % 4U : 0;
  for (unsigned i = 0; i < usual_before; ++i)
    world_.plan({});
  world_.plan(std::move(answer));
}

void Script::disturb_backend() {
  const unsigned how = byte();
  ScriptedBackend* backend = world_.backend(how / 8U);
  if (backend == nullptr) return;
  switch (how % 8) {
    case 0: return backend->close();
    case 1: return backend->half_close();
    case 2: return backend->send_unasked(bytes());
    case 3: return backend->send_unasked(std::string("\x07\0\0\1\0\0\0\2\0\0\0", 11));
    default: return backend->interrupt();
  }
}

void Script::advance() {
  advance_clock(kTimes[byte() % kTimes.size()]);
}

void Script::administer() {
  const unsigned what = byte();
  const unsigned argument = what / 8;
  switch (what % 8) {
    case 0: return world_.kill(argument % 4 + 1, session::KillKind::kQuery);
    case 1: return world_.kill(argument % 4 + 1, session::KillKind::kConnection);
    case 2: return world_.remove_user(argument % 2 == 0 ? "app" : "rep");
    case 3: return world_.add_user(argument % 2 == 0 ? "app" : "rep");
    case 4: return world_.dialler().plan(static_cast<DialFate>(argument % kDialFates));
    case 5: return argument % 4 == 0 ? world_.drain_sessions() : world_.pool().resume();
    case 6: return argument % 4 == 0 ? world_.pool().drain() : world_.pool().resume();
    default: return world_.set_size(1 + argument % 3);
  }
}

}  // namespace tidepool::fuzz
