// A client for tests that speaks the protocol packet by packet on a blocking socket: what it sends
// is under the test's control to the byte, and every wait ends after a minute.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/net/fd.h"
#include "tidepool/protocol/capabilities.h"
#include "tidepool/protocol/login_messages.h"

struct ssl_st;
struct ssl_ctx_st;

namespace tidepool::testing {

// A whole answer, as far as tests look at it.
struct Reply {
  enum class Kind : std::uint8_t { kOk, kError, kRows, kFileRequest, kClosed, kTimeout };

  Kind kind = Kind::kTimeout;
  std::string bytes;              // as received
  std::uint16_t number = 0;       // of an error
  std::string text;               // of an error
  std::uint16_t status = 0;       // of the OK or the last EOF
  std::vector<std::string> rows;  // the first value of each
  std::uint32_t statement = 0;    // of a prepare

  bool is_ok() const { return kind == Kind::kOk; }
  bool is_error(std::uint16_t wanted) const { return kind == Kind::kError && number == wanted; }
  bool is_closed() const { return kind == Kind::kClosed; }
};
// For assertions: "ok", "error 1045: Access …", "rows 1 2", "closed", …
std::string describe(const Reply& reply);

class RawClient {
 public:
  struct Options {
    std::uint16_t port = 0;
    std::string socket_path = {};  // instead of the port
    std::string user = "app";
    std::string password = "pw";
    std::string database = {};
    std::string plugin = "mysql_native_password";
    std::uint32_t capabilities = kUsual;
    std::uint8_t collation = 45;  // that of the pool's backends: nothing to restore
    bool tls = false;
    std::string certificate = {};  // PEM files of the client's own, over TLS
    std::string key = {};
  };
  static constexpr std::uint32_t kUsual =
      protocol::capability::kProtocol41 | protocol::capability::kLongPassword |
      protocol::capability::kTransactions | protocol::capability::kSecureConnection |
      protocol::capability::kPluginAuth | protocol::capability::kMultiResults;

  explicit RawClient(Options options);  // connects
  RawClient(RawClient&&) noexcept;
  RawClient& operator=(RawClient&&) noexcept;
  ~RawClient();

  // From the greeting to the OK, ERR or end.
  Reply log_in();

  // The same up to the login packet, whose answer is not waited for. A value: what came in the
  // greeting's place.
  std::optional<Reply> begin_login();

  // COM_CHANGE_USER, to the database that the options name.
  Reply change_user(const std::string& user, const std::string& password);

  Reply query(std::string_view text) { return command('\x03' + std::string(text)); }
  Reply ping() { return command("\x0e"); }
  // A prepare's answer is told apart by its command byte.
  Reply command(std::string_view payload);
  Reply prepare(std::string_view text) { return command('\x16' + std::string(text)); }
  // Without parameters, or with the raw bytes that follow the iteration count.
  Reply execute(std::uint32_t statement, std::string_view parameters = {}, std::uint8_t cursor = 0);

  void send(std::string_view payload, std::uint8_t sequence = 0);  // a command, framed
  void send_bytes(std::string_view bytes);
  // As much as the peer takes without waiting; answers how much.
  std::size_t send_some(std::string_view bytes);
  Reply read_reply(char command = '\x03');
  // One packet's payload; nothing at the end, or when nothing came in time.
  std::optional<std::string> read_packet();
  std::uint8_t last_sequence() const { return sequence_; }
  // No more bytes come before the end of the stream, within the limit.
  bool is_closed();
  // Whether nothing comes for a short while.
  bool hears_nothing();

  void end_input();  // no more is sent, what comes is read
  void close();
  void close_with_reset();
  void set_receive_buffer(int bytes);
  std::uint16_t local_port() const;
  const protocol::Greeting& greeting() const { return greeting_; }

 private:
  struct Tls;
  std::string answer_to(std::string_view salt, std::string_view plugin) const;
  bool receive(char* into, std::size_t size);
  Reply finish_login();
  Reply full_authentication();
  void start_tls();
  Reply read_rows(Reply reply);
  Reply read_definitions(Reply reply, int packets);
  Reply ended() const;

  Options options_;
  net::UniqueFd fd_;
  std::unique_ptr<Tls> tls_;
  protocol::Greeting greeting_;
  std::uint8_t sequence_ = 0;
  bool timed_out_ = false;
  std::string received_;  // of the reply being read
};

}  // namespace tidepool::testing
