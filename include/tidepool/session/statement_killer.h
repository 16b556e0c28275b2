// Ends what a backend executes: sends TiDB a KILL QUERY on another backend of the same pool.
//
// Owned by the session whose statement it is, which keeps its own lease until on_done: from
// is_sent() to then the KILL may reach the backend at any moment. On the loop's thread. Destroyed,
// it gives up.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tidepool/net/stream.h"
#include "tidepool/net/timer.h"
#include "tidepool/pool/lease.h"
#include "tidepool/pool/worker_pool.h"
#include "tidepool/protocol/response_tracker.h"

namespace tidepool::session {

class StatementKiller final : public pool::LeaseSink, public net::StreamSink {
 public:
  // `connection`: TiDB's number of the backend. `timeout`: for all of it. on_done may destroy it by
  // Loop::retire().
  StatementKiller(net::Loop& loop, pool::WorkerPool& pool, std::uint64_t profile,
                  std::uint64_t connection, Duration timeout, std::function<void()> on_done);
  StatementKiller(const StatementKiller&) = delete;
  StatementKiller& operator=(const StatementKiller&) = delete;
  ~StatementKiller() override;

  bool is_sent() const { return static_cast<bool>(lease_); }

 private:
  void on_lease(pool::Lease lease) override;
  void on_no_lease(const Error& error) override;
  void on_readable() override;
  void on_error(Error error) override;
  void end(pool::Release how);

  net::Loop& loop_;
  const std::uint64_t connection_;
  std::function<void()> on_done_;
  protocol::ResponseTracker tracker_;
  net::Timer timer_;
  pool::Lease lease_;
  pool::Ticket ticket_;
};

}  // namespace tidepool::session
