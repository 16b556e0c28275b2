#include "tidepool/net/signal.h"

#include <uv.h>

#include "tidepool/base/check.h"

namespace tidepool::net {

Signal::Signal(Loop& loop, int number, std::function<void()> callback)
    : callback_(std::move(callback)) {
  auto* signal = new uv_signal_t;
  TIDEPOOL_CHECK(uv_signal_init(loop.raw(), signal) == 0);
  signal->data = this;
  handle_.reset(signal);
  const int failed = uv_signal_start(
      signal,
      [](uv_signal_t* handle, int) noexcept {
        if (handle->data != nullptr) static_cast<Signal*>(handle->data)->callback_();
      },
      number);
  TIDEPOOL_CHECK(failed == 0);
}

}  // namespace tidepool::net
