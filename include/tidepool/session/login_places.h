// The places of clients that have not logged in yet, and of those that have: so many of either may
// be connected, and the former together keep a bounded number of bytes.
//
// LoginPlaces: one for the process, owned by the shared state; locks itself. LoginPlace: one
// connection's, owned by its session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include "tidepool/session/session_stats.h"

namespace tidepool::session {

struct LoginLimits {
  std::size_t clients = 0;  // that are logged in
  std::size_t pending = 0;  // that are not yet
  std::size_t pending_per_network = 0;
};

class LoginPlaces {
 public:
  // Of one client before its login, and of all of them.
  static constexpr std::size_t kMaxBytesOfOne = std::size_t{80} << 10U;
  static constexpr std::size_t kMaxBytes = std::size_t{8} << 20U;
  // What a usual login leaves is not counted: whoever fills the rest keeps nobody out with it.
  static constexpr std::size_t kFreeBytes = 1024;

  enum class Entry : std::uint8_t {
    kYes,
    kClientsFull,  // who logs in now would be refused
    kFull,
    kNetworkFull,
  };

  explicit LoginPlaces(LoginStats& stats) : stats_(stats) {}

  void set_limits(const LoginLimits& limits);
  // Half of the places of pending logins are taken.
  bool is_crowded() const;

 private:
  friend class LoginPlace;
  Entry enter(const std::string& network);
  void leave(const std::string& network);
  Entry move(const std::string& from, const std::string& to);
  bool is_full(const std::string& network) const;
  void leave_network(const std::string& network);
  bool admit(const std::string& network);
  void leave_as_client();
  bool hold(std::size_t before, std::size_t now);

  LoginStats& stats_;
  mutable std::mutex mutex_;
  LoginLimits limits_;  // under the mutex, as all that follows
  std::size_t clients_ = 0;
  std::size_t pending_ = 0;
  std::size_t bytes_ = 0;
  std::unordered_map<std::string, std::size_t> networks_;  // of the pending
};

// Who has a place of a pending login.
class PendingClient {
 public:
  PendingClient() = default;
  PendingClient(const PendingClient&) = delete;
  PendingClient& operator=(const PendingClient&) = delete;
  virtual ~PendingClient() = default;

  // It is the client's turn to go on with its login, and nothing has come of it.
  virtual bool is_silent() = 0;
  // Its place or its memory is needed by others.
  virtual void give_way(LoginFailure why) = 0;
};

class LoginPlace {
 public:
  // `network`: see net::network_of(). `on_left` runs once, when the login is no longer pending.
  LoginPlace(LoginPlaces& places, std::string network, std::function<void()> on_left)
      : places_(places), network_(std::move(network)), on_left_(std::move(on_left)) {}
  LoginPlace(const LoginPlace&) = delete;
  LoginPlace& operator=(const LoginPlace&) = delete;
  ~LoginPlace();

  // To be called first, and unless the answer is kYes nothing else.
  LoginPlaces::Entry enter();
  // It is at another address than was thought; unless the answer is kYes, nothing has changed.
  LoginPlaces::Entry move_to(const std::string& network);
  bool is_pending() const { return phase_ == Phase::kPending; }
  // The client has logged in. False: as many as allowed have.
  bool admit();
  // It keeps so many bytes now, before its login. False: that is too much.
  bool hold(std::size_t bytes);

 private:
  enum class Phase : std::uint8_t { kOutside, kPending, kClient };
  void end_pending();

  LoginPlaces& places_;
  std::string network_;
  const std::function<void()> on_left_;
  Phase phase_ = Phase::kOutside;
  std::size_t held_ = 0;  // that count
};

}  // namespace tidepool::session
