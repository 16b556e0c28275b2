// A scripted MySQL server for tests: greeting, mysql_native_password, optional TLS, and answers
// from a function. Blocking sockets on threads of its own, so that it cannot hide a loop that
// blocks. Listens on 127.0.0.1, on a port of its choice.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "certificates.h"

struct ssl_ctx_st;

namespace tidepool::testing {

// One packet with its header.
std::string packet(std::uint8_t sequence, std::string_view payload);
std::string ok_packet(std::uint8_t sequence = 1, std::uint16_t status = 2);
std::string err_packet(std::uint16_t number, std::string_view sqlstate, std::string_view text,
                       std::uint8_t sequence = 1);
std::string eof_packet(std::uint8_t sequence, std::uint16_t status = 2);
// A whole answer of text columns; nullopt is NULL.
std::string text_result(const std::vector<std::string>& columns,
                        const std::vector<std::vector<std::optional<std::string>>>& rows,
                        std::uint16_t status = 2);

class FakeMysql {
 public:
  // What to do with a command (its payload: the command byte and what follows).
  struct Answer {
    std::string bytes;        // whole packets; may be empty
    bool hang_up = false;     // afterwards
    bool with_reset = false;  // hang up with an RST, so that the peer loses what it has not read
    bool silent = false;      // says nothing more until the peer closes
    bool takes_file = false;  // afterwards reads packets up to an empty one, and then answers OK
  };
  using Handler = std::function<Answer(std::string_view command)>;
  // Makes the handler of one connection, by its number from 0. Called on that connection's thread.
  using HandlerMaker = std::function<Handler(int connection)>;

  enum class Opening : std::uint8_t {
    kGreeting,           // as a server does
    kSilence,            // accepts and says nothing
    kGarbage,            // something that is not MySQL
    kError,              // an ERR 1040 instead of the greeting
    kHangUp,             // closes at once
    kSilenceAfterLogin,  // swallows the login
    kUsedUp,             // refuses the login as TiDB Cloud does when the usage quota is used up
    kSilenceInTls,       // takes the SSLRequest and says nothing more
    kResetInTls,         // takes the SSLRequest and hangs up with an RST
    kEndInTls,           // takes the SSLRequest and ends its side of the stream
  };

  struct Options {
    Opening opening = Opening::kGreeting;
    std::string version = "8.0.11-TiDB-v8.5.4";
    std::string user = "app";  // empty: any
    std::string password = "secret";
    std::optional<CertificateFiles> tls;  // nullopt: TLS is not offered
    int newest_tls = 0;                   // as OpenSSL numbers versions; 0: the newest it knows
    bool offer_plugin_auth = true;
    std::string
        switch_to;  // asks for this plugin, records its answer as a command, and refuses the login
    bool asks_in_full = false;  // after that answer, for the password of caching_sha2_password, and
                                // records what comes as a command too
    bool ipv6 = false;          // listens on ::1 instead
    bool joins_answers = false;  // with TLS: to commands of one write, so that they arrive together
    Handler handler;             // none: OK to everything
    HandlerMaker handler_maker;  // instead of `handler`
  };

  struct Login {
    std::uint32_t capabilities = 0;
    std::uint8_t collation = 0;
    bool encrypted = false;
    std::string user;
    std::string server_name;  // from the TLS hello
    std::string plugin;
    std::string rest;  // everything after the fixed part, raw
  };

  explicit FakeMysql(Options options);
  FakeMysql(const FakeMysql&) = delete;
  FakeMysql& operator=(const FakeMysql&) = delete;
  ~FakeMysql();  // hangs up on everybody

  std::uint16_t port() const { return port_; }
  // In the order of their arrival.
  std::vector<Login> logins() const;
  std::vector<std::string> commands() const;
  int connections() const { return accepted_; }
  // Connections that are still open.
  int open_connections() const { return open_; }
  // Most connections that were open at one time.
  int most_open() const { return most_open_; }
  // No command that has arrived is still to be answered, nor a connection to be closed after one.
  bool is_quiet() const { return answering_ == 0; }
  // Bytes that the kernel has taken of all answers so far.
  std::size_t bytes_sent() const { return bytes_sent_; }
  // Whole files that clients have sent for LOCAL INFILE.
  std::vector<std::string> files() const;
  // Hangs up on everybody, and goes on accepting.
  void hang_up();
  // Sends bytes that nobody asked for on every connection.
  void send_unasked(std::string_view bytes);
  // What the next connections get instead of a greeting, or the greeting again.
  void set_opening(Opening opening) { opening_ = opening; }

 private:
  class Peer;
  void listen();
  void accept_all();
  void serve(int fd, int number);
  bool log_in(Peer& peer);
  bool answer_commands(Peer& peer, int number);
  bool carry_out(Peer& peer, const Answer& answer);
  bool take_file(Peer& peer);
  void record(std::string command);
  bool check_scramble(std::string_view salt, std::string_view scramble) const;

  Options options_;
  ssl_ctx_st* tls_ = nullptr;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> accepted_ = 0;
  std::atomic<int> open_ = 0;
  std::atomic<int> most_open_ = 0;
  std::atomic<int> answering_ = 0;
  std::atomic<std::size_t> bytes_sent_ = 0;
  std::atomic<Opening> opening_;
  mutable std::mutex mutex_;
  std::vector<Login> logins_;          // under mutex_
  std::vector<std::string> commands_;  // under mutex_
  std::vector<std::string> files_;     // under mutex_
  std::vector<int> peers_;             // under mutex_; -1: closed
  std::vector<std::thread> threads_;   // of the accepting thread
  std::thread acceptor_;
};

}  // namespace tidepool::testing
