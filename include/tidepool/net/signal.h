// Signal: calls back on the loop's thread each time the process gets a signal, for as long as it
// lives. One loop, that of the main thread, watches each signal. The callback may destroy other
// objects, this one through Loop::retire only.
#pragma once

#include <functional>

#include "tidepool/base/error.h"
#include "tidepool/net/loop.h"

namespace tidepool::net {

class Signal {
 public:
  Signal(Loop& loop, int number, std::function<void()> callback);
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal() = default;

 private:
  std::function<void()> callback_;
  Handle<uv_signal_s> handle_;
};

}  // namespace tidepool::net
