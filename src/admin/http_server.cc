#include "tidepool/admin/http_server.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <semaphore>
#include <sys/socket.h>
#include <thread>
#include <utility>

#include <httplib.h>

namespace tidepool::admin {
namespace {

constexpr std::size_t kThreads = 2;
constexpr std::ptrdiff_t kConnections = 16;  // being answered or queued; accept() waits beyond
constexpr int kBacklog = 64;                 // connections that the kernel holds meanwhile
constexpr std::size_t kMaxRequestBytes = 16'384;

// httplib's own queue has no bound, and a task cannot be refused: it owns the socket.
class BoundedTasks final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> task) override {
    places_.acquire();
    threads_.enqueue([this, task = std::move(task)] {
      task();
      places_.release();
    });
  }
  void shutdown() override { threads_.shutdown(); }

 private:
  std::counting_semaphore<kConnections> places_{kConnections};
  httplib::ThreadPool threads_{kThreads};
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
  server.new_task_queue = [] { return std::make_unique<BoundedTasks>().release(); };
  server.set_keep_alive_max_count(1);
  server.set_keep_alive_timeout(1);
  server.set_read_timeout(std::chrono::seconds(1));
  server.set_write_timeout(std::chrono::seconds(2));
  server.set_payload_max_length(kMaxRequestBytes);
  server.set_tcp_nodelay(true);
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

std::string text_of(const ListenAddress& address) {
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

// httplib reports no reason, but leaves errno of the call that failed, unless the name did not
// resolve.
tl::unexpected<Error> cannot_listen(const ListenAddress& address, int error) {
  std::string why = "not an address of this machine";
  if (error == EADDRINUSE) why = "the port is taken";
  if (error == EACCES) why = "not permitted";
  return fail(Code::kConfig, "cannot listen for HTTP on " + text_of(address) + ": " + why);
}

}  // namespace

class HttpServer::Listener {
 public:
  explicit Listener(HttpSources sources) : sources_(std::move(sources)) {
    set_limits(server_);
    set_routes(server_, sources_);
    // httplib sets SO_REUSEPORT by default: two processes would share a port unnoticed.
    server_.set_socket_options([this](int socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
      socket_ = socket;
    });
  }

  ~Listener() { stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  bool bind(const ListenAddress& address) {
    const std::string& host = address.host;
    port_ = address.port;
    if (port_ == 0) {
      port_ = server_.bind_to_any_port(host);
    } else if (!server_.bind_to_port(host, port_)) {
      port_ = -1;
    }
    // httplib's backlog of 5 makes a burst of probes wait for a second SYN.
    return port_ > 0 && listen(socket_, kBacklog) == 0;
  }

  void run() {
    thread_ = std::thread([this] {
      server_.listen_after_bind();
      ended_ = true;
    });
    // Its stop() does nothing before this point.
    while (!server_.is_running() && !ended_)
      std::this_thread::yield();
  }

  void stop() {
    if (!thread_.joinable()) return;
    server_.stop();
    thread_.join();
  }

  int port() const { return port_; }

 private:
  const HttpSources sources_;
  httplib::Server server_;
  int socket_ = -1;  // of server_, which closes it
  int port_ = 0;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}

HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(const ListenAddress& address,
                                                      HttpSources sources) {
  auto listener = std::make_unique<Listener>(std::move(sources));
  errno = 0;
  if (!listener->bind(address)) return cannot_listen(address, errno);
  listener->run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(listener)));
}

std::uint16_t HttpServer::port() const {
  return static_cast<std::uint16_t>(listener_->port());
}

void HttpServer::stop() {
  listener_->stop();
}

}  // namespace tidepool::admin
