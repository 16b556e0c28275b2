// A client's end of a session's socket: logs in by itself, sends what the script says, and looks at
// every byte that comes for the marker of somebody else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "frames.h"
#include "tidepool/net/fd.h"

namespace tidepool::fuzz {

struct LoginOptions {
  std::string user;
  std::string password;
  std::string plugin;
  std::string database;
  std::uint32_t capabilities = 0;
  std::uint8_t collation = 45;
};

class ScriptedClient {
 public:
  // `owner`: the letter of its marker.
  ScriptedClient(net::UniqueFd fd, char owner, LoginOptions options);

  bool is_open() const { return fd_.is_open(); }
  bool is_in() const { return phase_ == Phase::kIn; }
  char owner() const { return owner_; }
  std::uint32_t session() const { return session_; }
  bool has_answer() const { return has_answer_; }

  void receive();
  void set_reading(bool on) { is_reading_ = on; }
  void send(std::string_view bytes);  // now, or what the socket does not take then is lost
  void send_command(std::string_view payload, std::uint8_t sequence = 0);
  // Goes on with a packet of the answer under way: LOCAL INFILE.
  void send_next(std::string_view payload);
  // All but the last bytes, which come with whatever is sent next.
  void send_part(std::string_view payload);
  void change_user(const std::string& user, const std::string& password,
                   const std::string& database);
  void expect_answer() { has_answer_ = false; }

  void close();  // a reset, if there is something that it has not read
  void half_close() const;

 private:
  enum class Phase : std::uint8_t { kGreeting, kLogin, kIn, kClosed };
  void take(const Frame& frame);
  void on_greeting(const Frame& frame);
  void on_login_answer(const Frame& frame);
  void reply(std::string_view payload);
  void check(std::string_view bytes);

  net::UniqueFd fd_;
  const char owner_;
  LoginOptions options_;
  Phase phase_ = Phase::kGreeting;
  bool is_reading_ = true;
  bool awaits_key_ = false;
  bool has_answer_ = false;
  std::uint32_t session_ = 0;
  std::uint8_t sequence_ = 0;  // of the last frame that came
  std::string salt_;
  std::string rest_;  // of a packet that was sent in part
  std::string tail_;  // the last bytes that came: a marker may come in pieces
  Frames frames_;
};

}  // namespace tidepool::fuzz
