#include "tidepool/net/blocking.h"

#include <uv.h>

#include "tidepool/base/check.h"

namespace tidepool::net {

// Owned by libuv from uv_queue_work until its after-work callback, which frees it.
struct BlockingRequest {
  uv_work_t work{};
  std::unique_ptr<BlockingTask> task;
  Blocking* owner = nullptr;  // null: the result is not wanted

  void moved_to(Blocking* blocking) { owner = blocking; }
  void finish(int status);
};

void BlockingRequest::finish(int status) {
  const std::unique_ptr<BlockingRequest> self(this);
  if (owner == nullptr) return;
  owner->request_ = nullptr;
  TIDEPOOL_CHECK(status == 0);  // only its owner's going away cancels work
  task->finish();
}

Blocking::Blocking(BlockingRequest* request) : request_(request) {
  request_->moved_to(this);
}

Blocking::Blocking(Blocking&& other) noexcept : request_(std::exchange(other.request_, nullptr)) {
  if (request_ != nullptr) request_->moved_to(this);
}

Blocking& Blocking::operator=(Blocking&& other) noexcept {
  if (this == &other) return *this;
  cancel();
  request_ = std::exchange(other.request_, nullptr);
  if (request_ != nullptr) request_->moved_to(this);
  return *this;
}

void Blocking::cancel() {
  if (request_ == nullptr) return;
  BlockingRequest* request = std::exchange(request_, nullptr);
  request->moved_to(nullptr);
  request->task->forget();
  uv_cancel(reinterpret_cast<uv_req_t*>(
      &request->work));  // fails if it has begun; then it ends by itself
}

Blocking start_blocking(Loop& loop, std::unique_ptr<BlockingTask> task) {
  TIDEPOOL_CHECK(loop.is_current_thread());
  auto request = std::make_unique<BlockingRequest>();
  request->task = std::move(task);
  request->work.data = request.get();
  const int failed = uv_queue_work(
      loop.raw(), &request->work,
      [](uv_work_t* work) noexcept { static_cast<BlockingRequest*>(work->data)->task->work(); },
      [](uv_work_t* work, int status) noexcept {
        static_cast<BlockingRequest*>(work->data)->finish(status);
      });
  TIDEPOOL_CHECK(failed == 0);
  return Blocking(request.release());
}

}  // namespace tidepool::net
