#include "tidepool/net/handle.h"

#include <uv.h>

namespace tidepool::net {
namespace {

template <class H>
void close_handle(H* handle) noexcept {
  handle->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<H*>(closed); });
}

}  // namespace

void HandleCloser::operator()(uv_async_s* handle) const noexcept {
  close_handle(handle);
}
void HandleCloser::operator()(uv_idle_s* handle) const noexcept {
  close_handle(handle);
}
void HandleCloser::operator()(uv_poll_s* handle) const noexcept {
  close_handle(handle);
}
void HandleCloser::operator()(uv_process_s* handle) const noexcept {
  close_handle(handle);
}
void HandleCloser::operator()(uv_signal_s* handle) const noexcept {
  close_handle(handle);
}
void HandleCloser::operator()(uv_timer_s* handle) const noexcept {
  close_handle(handle);
}

}  // namespace tidepool::net
