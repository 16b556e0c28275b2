#include "tidepool/net/signal.h"

#include <csignal>
#include <sys/signalfd.h>
#include <unistd.h>

#include <uv.h>

#include "tidepool/base/check.h"

namespace tidepool::net {
namespace {

sigset_t set_of(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers)
    sigaddset(&set, number);
  return set;
}

sigset_t held_signals() {
  return set_of({SIGTERM, SIGINT, SIGHUP, SIGUSR2});
}

}  // namespace

void hold_signals() {
  const sigset_t held = held_signals();
  TIDEPOOL_CHECK(pthread_sigmask(SIG_BLOCK, &held, nullptr) == 0);
}

void release_signals() {
  const sigset_t held = held_signals();
  TIDEPOOL_CHECK(pthread_sigmask(SIG_UNBLOCK, &held, nullptr) == 0);
}

Signal::Signal(Loop& loop, int number, std::function<void()> callback)
    : callback_(std::move(callback)) {
  const sigset_t set = set_of({number});
  TIDEPOOL_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  fd_ = UniqueFd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  TIDEPOOL_CHECK(fd_.is_open());
  auto* poll = new uv_poll_t;
  TIDEPOOL_CHECK(uv_poll_init(loop.raw(), poll, fd_.get()) == 0);
  poll->data = this;
  poll_.reset(poll);
  const int failed = uv_poll_start(poll, UV_READABLE, [](uv_poll_t* handle, int, int) noexcept {
    auto* self = static_cast<Signal*>(handle->data);
    if (self != nullptr && self->take()) self->callback_();
  });
  TIDEPOOL_CHECK(failed == 0);
}

bool Signal::take() {
  signalfd_siginfo info{};
  return ::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info);
}

}  // namespace tidepool::net
