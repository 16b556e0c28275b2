// Lease: a backend lent to a session. Ticket: a place in the queue for one.
//
// Both are move-only and live on their worker's loop. A lease destroyed without release() gives its
// backend up; a ticket destroyed leaves the queue, and its LeaseSink is not called any more.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "tidepool/base/error.h"
#include "tidepool/net/stream.h"
#include "tidepool/pool/broker_types.h"
#include "tidepool/tracking/backend_model.h"

namespace tidepool::pool {

class LeaseKeeper;
class PooledConnection;
class WorkerPool;

enum class Release : std::uint8_t {
  kClean,  // its state is exactly what its model says
  kReset,  // it carries more than its model says: COM_RESET_CONNECTION before anybody else gets it
  kDiscard,  // it is closed
};

class Lease {
 public:
  Lease() = default;
  Lease(WorkerPool& pool, PooledConnection& pooled) : pool_(&pool), pooled_(&pooled) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Lease(Lease&& other) noexcept
      : pool_(other.pool_), pooled_(std::exchange(other.pooled_, nullptr)) {}
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() {
    if (pooled_ != nullptr) release(Release::kDiscard);
  }

  explicit operator bool() const { return pooled_ != nullptr; }
  BackendId id() const;
  net::Stream& stream();
  tracking::BackendModel& model();
  std::uint64_t tidb_connection() const;  // TiDB's number of it; 0: not known
  void set_broken();                      // the raw exchange failed: no COM_QUIT is sent

  // TiDB has answered with an error. If it says that this backend should not be used again, it is
  // retired instead of going back to the pool.
  void note_error(std::uint16_t number, std::string_view message);

  // Keeps the lease although nothing is under way, because only its holder can read back what is on
  // the backend; the pool may ask `keeper` for it. False: other sessions need it now, read back and
  // release it. The keeper must outlive the lease.
  [[nodiscard]] bool park(LeaseKeeper& keeper);
  // Goes on with it; nothing happens if it is not parked. False: TiDB has closed it meanwhile.
  [[nodiscard]] bool unpark();

  // Ends the lease. Another session may have the backend on the next turn.
  void release(Release how);

 private:
  WorkerPool* pool_ = nullptr;
  PooledConnection* pooled_ = nullptr;
};

// Who waits for a lease. Called once, on a later turn than the waiting began.
class LeaseSink {
 public:
  LeaseSink() = default;
  LeaseSink(const LeaseSink&) = delete;
  LeaseSink& operator=(const LeaseSink&) = delete;
  virtual ~LeaseSink() = default;

  virtual void on_lease(Lease lease) = 0;
  virtual void on_no_lease(const Error& error) = 0;
};

// Who parked a lease.
class LeaseKeeper {
 public:
  LeaseKeeper() = default;
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;
  virtual ~LeaseKeeper() = default;

  // Read back what is to be kept, and release the parked lease soon. On a later turn; may come late
  // and more than once.
  virtual void on_recall() = 0;
};

class Ticket {
 public:
  Ticket() = default;
  Ticket(WorkerPool& pool, WaiterId waiter) : pool_(&pool), waiter_(waiter) {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  Ticket(Ticket&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), waiter_(other.waiter_) {}
  Ticket& operator=(Ticket&& other) noexcept;
  ~Ticket() { cancel(); }

  void cancel();

 private:
  WorkerPool* pool_ = nullptr;
  WaiterId waiter_ = 0;
};

}  // namespace tidepool::pool
