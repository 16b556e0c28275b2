#include "tidepool/pool/failure_log.h"

#include <utility>

namespace tidepool::pool {
namespace {

constexpr std::chrono::minutes kInterval{1};

}  // namespace

std::optional<unsigned> FailureLog::note(const std::string& text, TimePoint now) {
  ++untold_;
  if (text == last_ && now - told_at_ < kInterval) return std::nullopt;
  last_ = text;
  told_at_ = now;
  return std::exchange(untold_, 0);
}

unsigned FailureLog::end() {
  last_.clear();
  return std::exchange(untold_, 0);
}

}  // namespace tidepool::pool
