// What a connection and the HttpReply of its request share: from any thread to the connection,
// until either end is gone.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "tidepool/admin/http_route.h"
#include "tidepool/net/loop.h"

namespace tidepool::admin {

// The connection's end; on the loop's thread.
class ReplySink {
 public:
  ReplySink() = default;
  ReplySink(const ReplySink&) = delete;
  ReplySink& operator=(const ReplySink&) = delete;
  virtual ~ReplySink() = default;

  virtual void on_answer(HttpAnswer answer) = 0;
  virtual void on_begin(HttpAnswer head) = 0;
  virtual void on_piece(std::string_view piece) = 0;
  virtual void on_end() = 0;
  // No handler is left that would answer, or it has sent too much.
  virtual void on_given_up() = 0;
};

class ReplyLine {
 public:
  using Self = std::shared_ptr<ReplyLine>;
  using Task = std::function<void(ReplySink&)>;

  ReplyLine(net::Loop& loop, ReplySink& sink) : loop_(&loop), sink_(&sink) {}

  // Of the connection. From here on nothing reaches it.
  void cut();
  void set_unsent(std::size_t bytes) { unsent_ = bytes; }

  // Of the reply. Returns false if it has been cut.
  static bool post(const Self& self, Task task);
  static bool send(const Self& self, std::string piece);
  static void end(const Self& self, Task task);  // the last one: no cut is told any more
  static void give_up(const Self& self);
  bool is_cut() const;
  void on_cut(std::function<void()> callback);

 private:
  mutable std::mutex mutex_;
  net::Loop* loop_;                 // under mutex_; null: cut
  std::function<void()> callback_;  // under mutex_
  bool is_ended_ = false;           // under mutex_
  std::atomic<std::size_t> on_the_way_ = 0;
  std::atomic<std::size_t> unsent_ = 0;
  ReplySink* sink_;  // on the loop's thread; null: cut
};

// What the copies of an HttpReply share: tells when the last one goes.
class HttpReply::Target {
 public:
  explicit Target(ReplyLine::Self line) : line_(std::move(line)) {}
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  ~Target();

  const ReplyLine::Self& line() const { return line_; }

 private:
  const ReplyLine::Self line_;
};

}  // namespace tidepool::admin
