// BackendChannel: the backend's end of a session: the wait for a lease, the lease and its stream.
//
// Owned by the session; on its loop's thread. One task at a time uses it, its BackendUser; bytes
// that come from TiDB go to the one BackendReader. Both outlive it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tidepool/pool/lease.h"
#include "tidepool/session/client_connection.h"
#include "tidepool/session/status.h"

namespace tidepool::session {

// Whether a callback may go on with the command and the lease that it began with. Either may end
// in the middle of a call: its answer is over, its backend lost, the session closed.
enum class [[nodiscard]] Flow : std::uint8_t{kGoOn, kEnded};

// Who uses the backend, or waits for one.
class BackendUser {
 public:
  BackendUser() = default;
  BackendUser(const BackendUser&) = delete;
  BackendUser& operator=(const BackendUser&) = delete;
  virtual ~BackendUser() = default;

  // Nothing more comes from the backend. The lease is still there, for what is known of it.
  virtual void on_backend_lost(const Error& error) = 0;
  // For who waits for a lease.
  virtual void on_lease() {}
  virtual void on_no_lease(const Error& /*error*/) {}
  // The client's statement is to end while it waits for a lease, with this error.
  virtual void on_interrupted(const Error& /*error*/) {}
  // query_timeout has passed.
  virtual void on_time_up() {}
};

class BackendReader {
 public:
  BackendReader() = default;
  BackendReader(const BackendReader&) = delete;
  BackendReader& operator=(const BackendReader&) = delete;
  virtual ~BackendReader() = default;

  virtual Flow on_backend_bytes(std::string_view bytes) = 0;
};

class BackendChannel final : net::StreamSink, pool::LeaseSink {
 public:
  BackendChannel(net::Loop& loop, std::uint32_t session, ClientConnection& client,
                 const Status& status)
      : loop_(loop), session_(session), client_(client), status_(status) {}

  // Before all else; then the user for each task anew.
  void set_reader(BackendReader& reader) { reader_ = &reader; }
  void set_user(BackendUser& user) { user_ = &user; }
  BackendUser& user() { return *user_; }

  // Returns whether there is a lease now; else the user is told later. Requires that there is none,
  // and that none is waited for.
  [[nodiscard]] bool acquire(PoolAccess& access, const pool::LeaseRequest& request);
  void stop_waiting() { ticket_.cancel(); }
  bool has_lease() const { return static_cast<bool>(lease_); }
  pool::Lease& lease() { return lease_; }
  tracking::BackendModel& model() { return lease_.model(); }
  std::uint64_t tidb_connection() const { return lease_.tidb_connection(); }
  // That was used last; 0: none, or it is gone.
  pool::BackendId last() const { return last_; }

  // A command begins on the lease.
  void begin_turn();
  // Counts the times that a command began on a lease, or the lease ended.
  std::uint64_t turn() const { return turn_; }
  Flow flow_since(std::uint64_t turn) const {
    return turn == turn_ && lease_ ? Flow::kGoOn : Flow::kEnded;
  }

  // What the backend cannot take is queued; then the client is not read. kEnded: it is lost, and
  // the user knows.
  Flow write(std::string bytes);
  Flow write_copy(std::string_view bytes);
  bool is_full() { return lease_.stream().queued_bytes() > ClientConnection::kHighWatermark; }
  // While the client takes no more of its answer.
  void pause();
  void resume();

  // As a loss: its user is told.
  Flow lose(const Error& error);
  // The next user finds the client's stream flowing.
  void release(pool::Release how);
  // It is closed without a farewell.
  void discard();
  // The same for one that is lost: it will not be asked for again.
  void forget();

 private:
  void on_lease(pool::Lease lease) override;
  void on_no_lease(const Error& error) override;
  void on_readable() override;
  void on_drained() override;
  void on_error(Error error) override { (void)lose(error); }
  Flow note_written(const Result<void>& written, std::size_t size);

  net::Loop& loop_;
  const std::uint32_t session_;  // for logs
  ClientConnection& client_;
  const Status& status_;  // for logs
  BackendReader* reader_ = nullptr;
  BackendUser* user_ = nullptr;
  Traffic* traffic_ = nullptr;  // of the pool that the lease is of
  std::uint64_t turn_ = 0;
  pool::BackendId last_ = 0;
  pool::Lease lease_;
  pool::Ticket ticket_;  // last: it refers to this object
};

}  // namespace tidepool::session
