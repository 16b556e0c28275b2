// Ownership of libuv handles without naming libuv: Handle<uv_timer_s> closes its handle when it
// goes.
//
// libuv needs a handle's memory until its close callback, a turn after uv_close; so the handle
// lives on the heap and outlives its C++ owner. The closer nulls `data` first: a trampoline that
// still fires sees an orphan and returns. Wrap a handle only after its uv_*_init succeeded. On the
// loop's thread.
#pragma once

#include <memory>

struct uv_async_s;
struct uv_idle_s;
struct uv_loop_s;
struct uv_poll_s;
struct uv_process_s;
struct uv_signal_s;
struct uv_timer_s;
struct uv_work_s;

namespace tidepool::net {

struct HandleCloser {
  void operator()(uv_async_s* handle) const noexcept;
  void operator()(uv_idle_s* handle) const noexcept;
  void operator()(uv_poll_s* handle) const noexcept;
  void operator()(uv_process_s* handle) const noexcept;
  void operator()(uv_signal_s* handle) const noexcept;
  void operator()(uv_timer_s* handle) const noexcept;
};

template <class H>
using Handle = std::unique_ptr<H, HandleCloser>;

}  // namespace tidepool::net
