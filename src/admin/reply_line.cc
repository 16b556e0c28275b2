#include "reply_line.h"

#include <utility>

namespace tidepool::admin {
namespace {

constexpr std::size_t kMaxUntaken = 262'144;

}  // namespace

void ReplyLine::cut() {
  sink_ = nullptr;
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
    if (!is_ended_) callback = std::exchange(callback_, nullptr);
  }
  if (callback) callback();
}

// Under the lock, so that the loop cannot go meanwhile.
bool ReplyLine::post(const Self& self, Task task) {
  const std::lock_guard lock(self->mutex_);
  if (self->loop_ == nullptr) return false;
  self->loop_->post([self, task = std::move(task)] {
    if (self->sink_ != nullptr) task(*self->sink_);
  });
  return true;
}

bool ReplyLine::send(const Self& self, std::string piece) {
  const std::size_t bytes = piece.size();
  const std::size_t untaken = self->on_the_way_.fetch_add(bytes) + self->unsent_;
  if (untaken > 0 && untaken + bytes > kMaxUntaken) {
    (void)post(self, [](ReplySink& sink) { sink.on_given_up(); });
    return false;
  }
  return post(self, [line = self.get(), piece = std::move(piece)](ReplySink& sink) {
    line->on_the_way_ -= piece.size();
    sink.on_piece(piece);
  });
}

void ReplyLine::end(const Self& self, Task task) {
  {
    const std::lock_guard lock(self->mutex_);
    self->is_ended_ = true;
  }
  (void)post(self, std::move(task));
}

// After an answer that the loop may not have seen yet: it takes what its own thread posted first.
void ReplyLine::give_up(const Self& self) {
  {
    const std::lock_guard lock(self->mutex_);
    if (self->is_ended_) return;
  }
  (void)post(self, [](ReplySink& sink) { sink.on_given_up(); });
}

bool ReplyLine::is_cut() const {
  const std::lock_guard lock(mutex_);
  return loop_ == nullptr;
}

void ReplyLine::on_cut(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (is_ended_) return;
    if (loop_ != nullptr) {
      callback_ = std::move(callback);
      return;
    }
  }
  callback();
}

HttpReply::Target::~Target() {
  ReplyLine::give_up(line_);
}

void HttpReply::answer(HttpAnswer answer) const {
  ReplyLine::end(target_->line(), [answer = std::move(answer)](ReplySink& sink) mutable {
    sink.on_answer(std::move(answer));
  });
}

void HttpReply::begin(HttpAnswer head) const {
  (void)ReplyLine::post(target_->line(), [head = std::move(head)](ReplySink& sink) mutable {
    sink.on_begin(std::move(head));
  });
}

bool HttpReply::send(std::string piece) const {
  return ReplyLine::send(target_->line(), std::move(piece));
}

void HttpReply::end() const {
  ReplyLine::end(target_->line(), [](ReplySink& sink) { sink.on_end(); });
}

bool HttpReply::is_gone() const {
  return target_->line()->is_cut();
}

void HttpReply::on_gone(std::function<void()> callback) const {
  target_->line()->on_cut(std::move(callback));
}

}  // namespace tidepool::admin
