#include "tidepool/admin/http_server.h"

#include <atomic>
#include <optional>
#include <semaphore>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <httplib.h>

#include "http_socket.h"
#include "http_stream.h"

namespace tidepool::admin {
namespace {

constexpr std::size_t kThreads = 2;
constexpr std::ptrdiff_t kConnections = 16;  // being answered or queued; accept() waits beyond
constexpr std::size_t kMaxRequestBytes = 16'384;

// httplib's own queue has no bound.
class BoundedTasks {
 public:
  void enqueue(std::function<void()> task) {
    places_.acquire();
    threads_.enqueue([this, task = std::move(task)] {
      task();
      places_.release();
    });
  }
  void shutdown() { threads_.shutdown(); }

 private:
  std::counting_semaphore<kConnections> places_{kConnections};
  httplib::ThreadPool threads_{kThreads};
};

// Reads requests and answers them; who connects is found elsewhere.
class Answerer final : public httplib::Server {
 public:
  void answer(int fd) {
    HttpStream stream(fd);
    bool is_closed = false;
    if (stream.is_readable()) process_request(stream, true, is_closed, nullptr);
  }
};

httplib::Server::HandlerResponse refuse_other_methods(const httplib::Request& request,
                                                      httplib::Response& response) {
  if (request.method == "GET" || request.method == "HEAD") {
    return httplib::Server::HandlerResponse::Unhandled;
  }
  response.status = 405;
  response.set_header("Allow", "GET, HEAD");
  response.set_content("only GET and HEAD\n", "text/plain");
  return httplib::Server::HandlerResponse::Handled;
}

void explain_error(const httplib::Request& request, httplib::Response& response) {
  if (!response.body.empty()) return;
  const bool unknown = response.status == 404 && !request.path.empty();
  response.set_content(unknown ? "not found; try /, /status.json, /metrics, /healthz or /readyz\n"
                               : "error " + std::to_string(response.status) + "\n",
                       "text/plain");
}

void set_limits(httplib::Server& server) {
  server.set_payload_max_length(kMaxRequestBytes);
  server.set_default_headers({
      {"Cache-Control", "no-store"},
      {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"},
      {"X-Content-Type-Options", "nosniff"},
  });
  server.set_pre_routing_handler(refuse_other_methods);
  server.set_error_handler(httplib::Server::Handler(explain_error));
}

void set_routes(httplib::Server& server, const HttpSources& sources) {
  using httplib::Request;
  using httplib::Response;
  server.Get("/metrics", [&](const Request&, Response& response) {
    response.set_content(sources.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  });
  server.Get("/healthz", [](const Request&, Response& response) {
    response.set_content("ok\n", "text/plain");
  });
  server.Get("/readyz", [&](const Request&, Response& response) {
    const Readiness readiness = sources.readiness();
    response.status = readiness.ready ? 200 : 503;
    response.set_content((readiness.ready ? "ready" : readiness.reason) + "\n",
                         "text/plain; charset=utf-8");
  });
  server.Get("/status.json", [&](const Request&, Response& response) {
    response.set_content(to_json(sources.status()), "application/json");
  });
  server.Get("/", [&](const Request&, Response& response) {
    response.set_content(to_html(sources.status()), "text/html; charset=utf-8");
  });
}

}  // namespace

class HttpServer::Listener {
 public:
  Listener(HttpSocket socket, HttpSources sources)
      : sources_(std::move(sources)), socket_(std::move(socket)) {
    set_limits(server_);
    set_routes(server_, sources_);
  }

  ~Listener() { stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void run() {
    join();
    eventfd_t ignored = 0;
    (void)eventfd_read(wake_, &ignored);
    ended_ = false;
    thread_ = std::thread([this] { accept_all(); });
  }

  void pause() {
    ended_ = true;
    (void)eventfd_write(wake_, 1);
  }

  void stop() {
    if (wake_ < 0) return;
    pause();
    join();
    close(std::exchange(wake_, -1));
    socket_.reset();
  }

  int fd() const { return socket_ ? socket_->fd() : -1; }
  std::uint16_t port() const { return socket_ ? socket_->port() : 0; }

 private:
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  void accept_all() {
    BoundedTasks tasks;
    while (!ended_) {
      const int fd = socket_->accept(wake_);
      if (fd >= 0) tasks.enqueue([this, fd] { server_.answer(fd); });
    }
    tasks.shutdown();
  }

  const HttpSources sources_;
  Answerer server_;
  std::optional<HttpSocket> socket_;
  int wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}

HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const ListenAddress& address,
                                                       HttpSources sources, int inherited) {
  auto socket = HttpSocket::open(address, inherited);
  if (!socket) return tl::unexpected(socket.error());
  return std::unique_ptr<HttpServer>(
      new HttpServer(std::make_unique<Listener>(std::move(*socket), std::move(sources))));
}

void HttpServer::serve() {
  listener_->run();
}

void HttpServer::pause() {
  listener_->pause();
}

std::uint16_t HttpServer::port() const {
  return listener_->port();
}

int HttpServer::fd() const {
  return listener_->fd();
}

void HttpServer::stop() {
  listener_->stop();
}

}  // namespace tidepool::admin
