// How many bytes may be held in all, and who holds which of them. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace tidepool::admin {

class ByteBudget {
 public:
  // A holder's part, which goes back when it goes, or with release(). The budget must
  // outlive it while it holds anything.
  class Share {
   public:
    explicit Share(ByteBudget& budget) : budget_(budget) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { release(); }

    // Returns false if there is no room, and the share stays as it was.
    bool grow_to(std::size_t bytes) {
      if (bytes <= bytes_) return true;
      if (!budget_.take(bytes - bytes_)) return false;
      bytes_ = bytes;
      return true;
    }
    void release() {
      if (bytes_ > 0) budget_.used_ -= std::exchange(bytes_, 0);
    }
    std::size_t bytes() const { return bytes_; }

   private:
    ByteBudget& budget_;
    std::size_t bytes_ = 0;
  };

  explicit ByteBudget(std::size_t limit) : limit_(limit) {}

 private:
  // The only taker may have more.
  bool take(std::size_t bytes) {
    std::size_t used = used_;
    do {
      if (used > 0 && used + bytes > limit_) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes));
    return true;
  }

  const std::size_t limit_;
  std::atomic<std::size_t> used_ = 0;
};

}  // namespace tidepool::admin
