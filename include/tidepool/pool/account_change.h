// Lives while TiDB may be changing an account: when it ends, what was refused before may not be any
// more. Pools are accounts of one cluster as a rule, so each pool has one.
#pragma once

#include <utility>

namespace tidepool::pool {

class WorkerPool;

class AccountChange {
 public:
  // The pool must outlive it. On its loop.
  explicit AccountChange(WorkerPool& pool) : pool_(&pool) {}
  AccountChange(const AccountChange&) = delete;
  AccountChange& operator=(const AccountChange&) = delete;
  AccountChange(AccountChange&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
  AccountChange& operator=(AccountChange&&) = delete;
  ~AccountChange();

 private:
  WorkerPool* pool_;
};

}  // namespace tidepool::pool
