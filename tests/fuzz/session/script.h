// An input as a script: settings, then one operation after the other, each a byte for what is done
// and some for its details. What the bytes lack is zero.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "session_world.h"

namespace tidepool::fuzz {

Settings take_settings(std::string_view& input);

class Script {
 public:
  Script(SessionWorld& world, std::string_view input) : world_(world), input_(input) {}

  // Does what the next turn is for; false: the script is over.
  bool step();

 private:
  std::uint8_t byte();
  std::string bytes();  // a length and as many bytes, without markers
  std::string statement(const ScriptedClient& client);
  ScriptedClient* client();  // null: it is not connected (it is then, from the next turn on)
  void connect(std::size_t slot);

  void operate();
  void client_operation(unsigned kind);
  void command(ScriptedClient& client);
  void execute(ScriptedClient& client);
  void several(ScriptedClient& client);
  void long_data(ScriptedClient& client);
  void leave(ScriptedClient& client);
  void plan();
  void disturb_backend();
  void advance();
  void administer();

  SessionWorld& world_;
  std::string_view input_;
  unsigned operations_ = 0;
  unsigned pause_ = 0;  // turns in which nothing is done
};

}  // namespace tidepool::fuzz
