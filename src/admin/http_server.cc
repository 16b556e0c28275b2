#include "tidepool/admin/http_server.h"

#include <future>
#include <thread>
#include <utility>

#include "http_service.h"
#include "listen_socket.h"

namespace tidepool::admin {
namespace {

constexpr Duration kStopLimit = std::chrono::seconds(2);

}  // namespace

class HttpServer::Impl {
 public:
  Impl() = default;
  ~Impl() { stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> open(net::UniqueFd socket, std::vector<HttpRoute> routes) {
    auto service = HttpService::make(loop_, std::move(socket), std::move(routes));
    if (!service) return tl::unexpected(service.error());
    service_ = std::move(*service);
    return {};
  }

  void serve() {
    if (!service_) return;
    if (!thread_.joinable()) thread_ = std::thread([this] { loop_.run(); });
    call([this] { service_->resume(); });
  }

  // On the loop's thread, which never waits long; after stop() nothing.
  void call(const std::function<void()>& task) {
    if (!service_) return;
    if (!thread_.joinable()) return task();
    std::promise<void> done;
    loop_.post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  void stop() {
    if (!service_) return;
    if (thread_.joinable()) {
      call([this] { service_->stop(kStopLimit, [this] { loop_.stop(); }); });
      thread_.join();
    }
    service_.reset();
  }

  HttpService* service() { return service_.get(); }

 private:
  net::Loop loop_;
  std::unique_ptr<HttpService> service_;
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const ListenAddress& address,
                                                       std::vector<HttpRoute> routes,
                                                       int inherited) {
  auto socket =
      inherited >= 0 ? Result<net::UniqueFd>(net::UniqueFd(inherited)) : open_socket(address);
  if (!socket) return tl::unexpected(socket.error());
  auto impl = std::make_unique<Impl>();
  if (auto opened = impl->open(std::move(*socket), std::move(routes)); !opened) {
    return tl::unexpected(opened.error());
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

void HttpServer::set_hosts(std::vector<std::string> names) {
  impl_->call([&] { impl_->service()->set_hosts(std::move(names)); });
}

void HttpServer::serve() {
  impl_->serve();
}

void HttpServer::pause() {
  impl_->call([this] { impl_->service()->pause(); });
}

std::uint16_t HttpServer::port() const {
  return impl_->service() == nullptr ? 0 : impl_->service()->port();
}

int HttpServer::fd() const {
  return impl_->service() == nullptr ? -1 : impl_->service()->fd();
}

void HttpServer::stop() {
  impl_->stop();
}

}  // namespace tidepool::admin
