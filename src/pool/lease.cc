#include "tidepool/pool/lease.h"

#include "node.h"
#include "tidepool/pool/fitness.h"
#include "tidepool/pool/worker_pool.h"

namespace tidepool::pool {

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  give_up();
  pool_ = other.pool_;
  node_ = std::exchange(other.node_, nullptr);
  return *this;
}

BackendId Lease::id() const {
  return node_->id;
}

net::Stream& Lease::stream() {
  return node_->connection->stream();
}

std::uint64_t Lease::tidb_connection() const {
  return node_->tidb_connection;
}

Memory& Lease::memory() {
  return node_->memory;
}

void Lease::set_broken() {
  node_->connection->set_broken();
}

void Lease::note_error(std::uint16_t number, std::string_view message) {
  if (ends_backend(number, message)) node_->is_unfit = true;
}

bool Lease::park(LeaseKeeper& keeper) {
  return pool_->park(*node_, keeper);
}

bool Lease::unpark() {
  return pool_->unpark(*node_);
}

void Lease::release(Release how) {
  pool_->release(*std::exchange(node_, nullptr), how);
}

Ticket& Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  cancel();
  pool_ = std::exchange(other.pool_, nullptr);
  waiter_ = other.waiter_;
  return *this;
}

void Ticket::cancel() {
  if (pool_ != nullptr) std::exchange(pool_, nullptr)->cancel(waiter_);
}

}  // namespace tidepool::pool
