#include "tidepool/pool/lease.h"

#include "pooled_connection.h"
#include "retire_on_error.h"
#include "tidepool/pool/worker_pool.h"

namespace tidepool::pool {

Lease& Lease::operator=(Lease&& other) noexcept {
  Lease taken(std::move(other));
  std::swap(pool_, taken.pool_);
  std::swap(pooled_, taken.pooled_);
  return *this;
}

BackendId Lease::id() const {
  return pooled_->id;
}

net::Stream& Lease::stream() {
  return pooled_->connection->stream();
}

std::uint64_t Lease::tidb_connection() const {
  return pooled_->tidb_connection;
}

tracking::BackendModel& Lease::model() {
  return pooled_->model;
}

void Lease::set_broken() {
  pooled_->connection->set_broken();
}

void Lease::note_error(std::uint16_t number, std::string_view message) {
  if (retires_backend(number, message)) pooled_->is_unfit = true;
}

bool Lease::park(LeaseKeeper& keeper) {
  return pool_->park(*pooled_, keeper);
}

bool Lease::unpark() {
  return pool_->unpark(*pooled_);
}

void Lease::release(Release how) {
  pool_->release(*std::exchange(pooled_, nullptr), how);
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
