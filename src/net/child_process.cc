#include "tidepool/net/child_process.h"

#include <array>

#include <uv.h>

#include "tidepool/base/check.h"

namespace tidepool::net {
namespace {

// As exec() wants them.
std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

uv_stdio_container_t inherited(int fd) {
  uv_stdio_container_t one{};
  one.flags = UV_INHERIT_FD;
  one.data.fd = fd;
  return one;
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(Loop& loop,
                                                          std::vector<std::string> arguments,
                                                          std::vector<std::string> environment,
                                                          int descriptor, OnExit on_exit) {
  TIDEPOOL_CHECK(loop.is_current_thread() && !arguments.empty());
  std::vector<char*> argument_pointers = pointers_to(arguments);
  std::vector<char*> environment_pointers = pointers_to(environment);
  std::array<uv_stdio_container_t, kDescriptor + 1> files = {inherited(0), inherited(1),
                                                             inherited(2), inherited(descriptor)};
  uv_process_options_t options{};
  options.file = arguments.front().c_str();
  options.args = argument_pointers.data();
  options.env = environment_pointers.data();
  options.flags = UV_PROCESS_DETACHED;
  options.stdio = files.data();
  options.stdio_count = static_cast<int>(files.size());
  options.exit_cb = [](uv_process_t* handle, std::int64_t status, int signal) noexcept {
    auto* self = static_cast<ChildProcess*>(handle->data);
    if (self == nullptr) return;
    self->is_running_ = false;
    self->on_exit_(signal != 0 ? 128 + signal : static_cast<int>(status));
  };
  std::unique_ptr<ChildProcess> child(new ChildProcess(std::move(on_exit)));
  auto* process = new uv_process_t;
  const int failed = uv_spawn(loop.raw(), process, &options);
  process->data = child.get();
  child->handle_.reset(process);  // to be closed after a failure too
  if (failed != 0) {
    return fail(Code::kInternal,
                "cannot start '" + arguments.front() + "': " + uv_strerror(failed));
  }
  return child;
}

int ChildProcess::pid() const {
  return uv_process_get_pid(handle_.get());
}

void ChildProcess::signal(int number) {
  if (is_running_) (void)uv_process_kill(handle_.get(), number);
}

}  // namespace tidepool::net
