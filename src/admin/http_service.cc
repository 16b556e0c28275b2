#include "http_service.h"

#include <algorithm>
#include <sys/socket.h>
#include <utility>

#include "tidepool/net/socket.h"

namespace tidepool::admin {
namespace {

constexpr std::size_t kMaxConnections = 128;
constexpr std::size_t kReservedDescriptors = 8;
constexpr std::size_t kHeldBytes = std::size_t{16} * 1024 * 1024;
constexpr std::size_t kWorkThreads = 2;
constexpr std::size_t kWorkQueue = 32;
constexpr std::size_t kProbeThreads = 1;
constexpr std::size_t kProbeQueue = 16;
constexpr int kSocketBuffer = 65'536;  // what the kernel holds for a peer that takes nothing

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

}  // namespace

Result<std::unique_ptr<HttpService>> HttpService::make(net::Loop& loop, net::UniqueFd socket,
                                                       std::vector<HttpRoute> routes) {
  std::unique_ptr<HttpService> service(new HttpService(loop, std::move(routes)));
  HttpService* self = service.get();
  auto listener = net::Listener::from_fd(loop, std::move(socket), [self](net::Accepted accepted) {
    self->on_accept(std::move(accepted.fd));
  });
  if (!listener) return tl::unexpected(listener.error());
  service->listener_ = std::move(*listener);
  service->listener_->set_spare([self] { return self->spare_descriptor(); });
  service->pause();
  return service;
}

HttpService::HttpService(net::Loop& loop, std::vector<HttpRoute> routes)
    : commons_{.loop = loop,
               .routes = std::move(routes),
               .budget = ByteBudget(kHeldBytes),
               .work = {kWorkThreads, kWorkQueue},
               .probes = {kProbeThreads, kProbeQueue}},
      reserve_(kReservedDescriptors),
      stop_limit_(loop) {
  connections_.reserve(kMaxConnections);
}

HttpService::~HttpService() = default;

void HttpService::set_hosts(std::vector<std::string> names) {
  for (std::string& name : names)
    name = lower(std::move(name));
  commons_.hosts = std::move(names);
}

void HttpService::on_accept(net::UniqueFd fd) {
  if (connections_.size() >= kMaxConnections && !make_place()) return;
  net::set_keep_alive(fd.get(), {});
  for (const int option : {SO_SNDBUF, SO_RCVBUF})
    ::setsockopt(fd.get(), SOL_SOCKET, option, &kSocketBuffer, sizeof kSocketBuffer);
  HttpConnectionOwner& owner = *this;
  connections_.push_back(std::make_unique<HttpConnection>(commons_, owner, std::move(fd)));
}

bool HttpService::make_place() {
  return end_oldest([](const HttpConnection& one) { return one.may_be_ended(); });
}

bool HttpService::end_a_sender(const HttpConnection& except) {
  return end_oldest([&except](const HttpConnection& one) {
    return &one != &except && one.phase() == HttpConnection::Phase::kSending;
  });
}

// Of those that are meant the one that has been in its phase for longest.
bool HttpService::end_oldest(const std::function<bool(const HttpConnection&)>& is_meant) {
  HttpConnection* oldest = nullptr;
  for (const auto& one : connections_) {
    if (!is_meant(*one)) continue;
    if (oldest == nullptr || one->since() < oldest->since()) oldest = one.get();
  }
  if (oldest == nullptr) return false;
  oldest->end();
  return true;
}

// The process has no descriptor left: returns a reserved one, or a connection's.
net::UniqueFd HttpService::spare_descriptor() {
  net::UniqueFd fd = reserve_.take();
  if (fd.is_open() || !make_place()) return fd;
  return reserve_.take();
}

void HttpService::on_end(HttpConnection& connection) {
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [&](const auto& one) { return one.get() == &connection; });
  reserve_.give_back(connection.release_fd());
  commons_.loop.retire(std::move(*found));
  connections_.erase(found);
  if (on_stopped_ && connections_.empty()) on_stopped_();
}

void HttpService::stop(Duration limit, std::function<void()> done) {
  listener_->pause();
  std::vector<HttpConnection*> idle;
  for (const auto& one : connections_) {
    const bool is_stream = one->phase() == HttpConnection::Phase::kStreaming;
    if (is_stream || !one->has_begun()) idle.push_back(one.get());
  }
  for (HttpConnection* one : idle)
    one->end();
  on_stopped_ = std::move(done);
  if (connections_.empty()) return on_stopped_();
  stop_limit_.start(limit, [this] { on_stopped_(); });
}

}  // namespace tidepool::admin
