#include "tidepool/net/timer.h"

#include <algorithm>

#include <uv.h>

#include "tidepool/base/check.h"

namespace tidepool::net {

void Timer::start(Duration delay, std::function<void()> callback) {
  TIDEPOOL_CHECK(loop_.is_current_thread());
  if (!handle_) {
    auto* timer = new uv_timer_t;
    TIDEPOOL_CHECK(uv_timer_init(loop_.raw(), timer) == 0);
    timer->data = this;
    handle_.reset(timer);
  }
  callback_ = std::move(callback);
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::max(delay, Duration::zero()));
  uv_timer_start(
      handle_.get(),
      [](uv_timer_t* handle) noexcept {
        if (handle->data != nullptr) static_cast<Timer*>(handle->data)->fire();
      },
      static_cast<std::uint64_t>(ms.count()), 0);
}

void Timer::stop() {
  if (handle_) uv_timer_stop(handle_.get());
  callback_ = nullptr;
}

void Timer::fire() {
  const std::function<void()> callback = std::exchange(callback_, nullptr);
  if (callback) callback();  // may destroy this timer
}

}  // namespace tidepool::net
