// The connections of the HTTP port: accepts them, and ends the one that has waited longest where
// there is no place for another.
//
// Owned by the HttpServer; on its loop's thread, or while no thread runs the loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http_connection.h"
#include "tidepool/net/descriptor_reserve.h"
#include "tidepool/net/listener.h"
#include "tidepool/net/timer.h"

namespace tidepool::admin {

class HttpService final : private HttpConnectionOwner {
 public:
  // Accepts no peer before resume(). `socket` listens.
  static Result<std::unique_ptr<HttpService>> make(net::Loop& loop, net::UniqueFd socket,
                                                   std::vector<HttpRoute> routes);
  HttpService(const HttpService&) = delete;
  HttpService& operator=(const HttpService&) = delete;
  // Waits for handlers that still run.
  ~HttpService() override;

  void resume() { listener_->resume(); }
  void pause() { listener_->pause(); }
  void set_hosts(std::vector<std::string> names);
  // Accepts no peer any more; `done` runs once no peer waits for an answer, or after `limit`.
  void stop(Duration limit, std::function<void()> done);

  std::uint16_t port() const { return listener_->port(); }
  int fd() const { return listener_->fd(); }

 private:
  HttpService(net::Loop& loop, std::vector<HttpRoute> routes);
  void on_accept(net::UniqueFd fd);
  bool end_oldest(const std::function<bool(const HttpConnection&)>& is_meant);
  bool make_place();
  net::UniqueFd spare_descriptor();
  // HttpConnectionOwner
  void on_end(HttpConnection& connection) override;
  bool end_a_sender(const HttpConnection& except) override;

  HttpCommons commons_;
  net::DescriptorReserve reserve_;
  std::vector<std::unique_ptr<HttpConnection>> connections_;  // in the order of their coming
  std::unique_ptr<net::Listener> listener_;
  net::Timer stop_limit_;
  std::function<void()> on_stopped_;
};

}  // namespace tidepool::admin
