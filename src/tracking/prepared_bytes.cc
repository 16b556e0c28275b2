#include "tidepool/tracking/prepared_bytes.h"

#include <utility>

namespace tidepool::tracking {

// Of two that come at once to the last room perhaps neither gets it.
bool PoolPreparedBytes::take(std::size_t bytes) {
  add(bytes);
  const std::uint64_t most = limit();
  if (most == 0 || bytes_.value() <= static_cast<std::int64_t>(most)) return true;
  give_back(bytes);
  return false;
}

void PreparedBytes::join(PoolPreparedBytes* pool) {
  if (pool_ == pool) return;
  if (pool_ != nullptr) pool_->give_back(bytes_);
  pool_ = pool;
  if (pool_ != nullptr) pool_->add(bytes_);
}

PreparedLimit PreparedBytes::take(std::size_t bytes) {
  if (limit_ != 0 && bytes_ + bytes > limit_) return PreparedLimit::kSession;
  if (pool_ != nullptr && !pool_->take(bytes)) return PreparedLimit::kPool;
  bytes_ += bytes;
  return PreparedLimit::kNone;
}

void PreparedBytes::add(std::size_t bytes) {
  bytes_ += bytes;
  if (pool_ != nullptr) pool_->add(bytes);
}

void PreparedBytes::give_back(std::size_t bytes) {
  bytes_ -= bytes;
  if (pool_ != nullptr) pool_->give_back(bytes);
}

PreparedShare::PreparedShare(PreparedShare&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

PreparedShare& PreparedShare::operator=(PreparedShare&& other) noexcept {
  if (this == &other) return *this;
  release();
  memory_ = std::exchange(other.memory_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

PreparedLimit PreparedShare::try_set(PreparedBytes& memory, std::size_t bytes) {
  if (bytes > bytes_) {
    const PreparedLimit limit = memory.take(bytes - bytes_);
    if (limit != PreparedLimit::kNone) return limit;
    memory_ = &memory;
    bytes_ = bytes;
  } else {
    set(memory, bytes);
  }
  return PreparedLimit::kNone;
}

void PreparedShare::set(PreparedBytes& memory, std::size_t bytes) {
  if (bytes == bytes_) return;
  if (bytes > bytes_) {
    memory.add(bytes - bytes_);
  } else {
    memory.give_back(bytes_ - bytes);
  }
  memory_ = &memory;
  bytes_ = bytes;
}

void PreparedShare::release() {
  if (bytes_ > 0) memory_->give_back(std::exchange(bytes_, 0));
}

}  // namespace tidepool::tracking
