// WriteQueue: the bytes that a stream could not write yet, in order, and whether its owner is to be
// told when they have become few. Pure. An empty queue holds no buffer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tidepool::net {

class WriteQueue {
 public:
  bool is_empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size() - taken_; }
  std::string_view waiting() const { return std::string_view(bytes_).substr(taken_); }

  void append(std::string_view bytes) {
    bytes_.append(bytes);
    note_added();
  }
  // Queues all but the first `taken` bytes without a copy. Requires an empty queue.
  void adopt(std::string bytes, std::size_t taken) {
    bytes_.swap(bytes);
    taken_ = taken;
    note_added();
  }
  // So many of those that wait are written.
  void take(std::size_t count) {
    taken_ += count;
    if (taken_ == bytes_.size()) forget();
  }
  // Gives the place of what is written to what comes, if that is worth a copy.
  void compact() {
    if (taken_ < kCompactBytes || taken_ <= bytes_.size() / 2) return;
    bytes_.erase(0, taken_);
    taken_ = 0;
  }
  // Nothing is to be written any more, nor told.
  void clear() {
    forget();
    is_above_low_ = false;
  }

  void set_low_watermark(std::size_t bytes) { low_watermark_ = bytes; }
  // Whether the queue has shrunk to the low watermark or below, after having been above it: once
  // each time.
  [[nodiscard]] bool take_drained() {
    if (!is_above_low_ || size() > low_watermark_) return false;
    is_above_low_ = false;
    return true;
  }

 private:
  static constexpr std::size_t kCompactBytes = std::size_t{64} * 1024;

  void note_added() {
    if (size() > low_watermark_) is_above_low_ = true;
  }
  void forget() {
    std::string().swap(bytes_);  // an assignment might keep the buffer
    taken_ = 0;
  }

  std::string bytes_;
  std::size_t taken_ = 0;  // bytes of bytes_ already written
  std::size_t low_watermark_ = 16384;
  bool is_above_low_ = false;
};

}  // namespace tidepool::net
