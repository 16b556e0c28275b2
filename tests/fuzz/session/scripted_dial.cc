#include "scripted_dial.h"

#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "connection_state.h"
#include "fake_mysql.h"
#include "mariadb.h"
#include "tidepool/base/check.h"
#include "tidepool/protocol/login_messages.h"

namespace tidepool::backend {

// One dial, which its handle and the dialler know.
class DialCanceler {
 public:
  bool is_canceled = false;
};

}  // namespace tidepool::backend

namespace tidepool::fuzz {

struct Dialler::Pending {
  std::shared_ptr<backend::DialCanceler> canceler;
  backend::DialOptions options;
  backend::OnDialled done;
};

namespace {

// The only way for dial(), which is a function, to find who scripts it.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
Dialler* the_dialler = nullptr;

// Where Connector/C connects to; one for the process.
class Door {
 public:
  Door() : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    name_ = "/tmp/tidepool-fuzz-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    TIDEPOOL_CHECK(name_.size() < sizeof address.sun_path);
    std::memcpy(static_cast<void*>(address.sun_path), name_.data(), name_.size());
    ::unlink(name_.c_str());
    TIDEPOOL_CHECK(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) ==
                   0);
    TIDEPOOL_CHECK(::listen(listener_.get(), 8) == 0);
  }
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;
  ~Door() { ::unlink(name_.c_str()); }

  const char* name() const { return name_.c_str(); }
  net::UniqueFd let_in() const {
    return net::UniqueFd(
        ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  }

 private:
  net::UniqueFd listener_;
  std::string name_;
};

const Door& door() {
  static const Door door;
  return door;
}

std::string greeting() {
  protocol::Greeting greeting;
  greeting.server_version = "8.0.11-TiDB-v8.5.4";
  greeting.connection_id = 1;
  greeting.salt = "abcdefghijklmnopqrst";
  greeting.auth_plugin = "mysql_native_password";
  return testing::packet(0, protocol::encode_greeting(greeting));
}

void send_all(int fd, const std::string& bytes) {
  TIDEPOOL_CHECK(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                 static_cast<ssize_t>(bytes.size()));
}

int wait_io(my_socket, my_bool, int) {
  return 1;
}

// Both sides of a login, in turn: the library's, as far as it goes without waiting, and TiDB's.
backend::MysqlPtr log_in(const backend::DialOptions& options, net::UniqueFd& server) {
  backend::MysqlPtr mysql(mysql_init(nullptr));
  mysql_options(mysql.get(), MYSQL_OPT_NONBLOCK, nullptr);
  mysql_optionsv(mysql.get(), MARIADB_OPT_IO_WAIT, &wait_io);
  MYSQL* made = nullptr;
  int waits =
      mysql_real_connect_start(&made, mysql.get(), nullptr, options.user.c_str(), "", nullptr, 0,
                               door().name(), backend::client_flags(options.profile));
  server = door().let_in();
  TIDEPOOL_CHECK(waits != 0 && server.get() >= 0);
  send_all(server.get(), greeting());
  waits = mysql_real_connect_cont(&made, mysql.get(), MYSQL_WAIT_READ);
  std::string login(4096, '\0');
  TIDEPOOL_CHECK(waits != 0 && ::recv(server.get(), login.data(), login.size(), 0) > 0);
  send_all(server.get(), testing::ok_packet(2));
  waits = mysql_real_connect_cont(&made, mysql.get(), MYSQL_WAIT_READ);
  TIDEPOOL_CHECK(waits == 0 && made != nullptr);
  return mysql;
}

std::unique_ptr<backend::Connection> connect(const backend::DialOptions& options,
                                             net::UniqueFd& server) {
  backend::MysqlPtr mysql = log_in(options, server);
  auto state = std::make_unique<backend::Connection::State>();
  state->fd = mysql_get_socket(mysql.get());
  ::fcntl(state->fd, F_SETFL, ::fcntl(state->fd, F_GETFL) | O_NONBLOCK);
  backend::ServerInfo& info = state->info;
  info.version = mysql_get_server_info(mysql.get());
  info.connection_id = static_cast<std::uint32_t>(mysql_thread_id(mysql.get()));
  info.server_capabilities = static_cast<std::uint32_t>(mysql->server_capabilities);
  info.capabilities = info.server_capabilities & static_cast<std::uint32_t>(mysql->client_flag);
  info.collation = static_cast<std::uint8_t>(mysql->server_language);
  info.endpoint = options.endpoints.front();
  state->profile = options.profile;
  state->dialled_at = Clock::now();
  state->mysql = std::move(mysql);
  return std::make_unique<backend::Connection>(std::move(state));
}

Error error_of(DialFate fate) {
  switch (fate) {
    case DialFate::kRefused: return {Code::kRefused, "nobody listens"};
    case DialFate::kTimeout: return {Code::kTimeout, "no connection in time"};
    case DialFate::kAuth: return {Code::kAuth, "Access denied", 1045, "28000"};
    default: return {Code::kBackend, "Too many connections", 1040, "08004"};
  }
}

}  // namespace

Dialler::Dialler(OnServer on_server) : on_server_(std::move(on_server)) {
  the_dialler = this;
}

Dialler::~Dialler() {
  the_dialler = nullptr;
}

void Dialler::plan(DialFate fate) {
  plans_.push_back(fate);
}

void Dialler::forget_plans() {
  plans_.clear();
  pending_.insert(pending_.end(), hanging_.begin(), hanging_.end());
  hanging_.clear();
}

void Dialler::run() {
  for (const auto& pending : std::exchange(pending_, {})) {
    if (pending->canceler->is_canceled) continue;
    DialFate fate = DialFate::kOk;
    if (!plans_.empty()) {
      fate = plans_.front();
      plans_.pop_front();
    }
    if (fate == DialFate::kNever) {
      hanging_.push_back(pending);
      continue;
    }
    if (fate != DialFate::kOk) {
      pending->done(tl::unexpected(error_of(fate)));
      continue;
    }
    net::UniqueFd server;
    auto connection = connect(pending->options, server);
    on_server_(std::move(server));
    pending->done(std::move(connection));
  }
}

namespace {

void start(backend::DialOptions options, backend::OnDialled done,
           const std::shared_ptr<backend::DialCanceler>& canceler) {
  TIDEPOOL_CHECK(the_dialler != nullptr);
  the_dialler->add(std::make_shared<Dialler::Pending>(
      Dialler::Pending{canceler, std::move(options), std::move(done)}));
}

}  // namespace
}  // namespace tidepool::fuzz

namespace tidepool::backend {

DialHandle::DialHandle() = default;
DialHandle::DialHandle(std::shared_ptr<DialCanceler> canceler, net::Blocking work)
    : canceler_(std::move(canceler)), work_(std::move(work)) {}
DialHandle::DialHandle(DialHandle&& other) noexcept = default;

DialHandle& DialHandle::operator=(DialHandle&& other) noexcept {
  if (this == &other) return *this;
  if (canceler_) canceler_->is_canceled = true;
  canceler_ = std::move(other.canceler_);
  work_ = std::move(other.work_);
  return *this;
}

DialHandle::~DialHandle() {
  if (canceler_) canceler_->is_canceled = true;
}

DialHandle dial(net::Loop&, DialOptions options, OnDialled done) {
  auto canceler = std::make_shared<DialCanceler>();
  fuzz::start(std::move(options), std::move(done), canceler);
  return {std::move(canceler), net::Blocking()};
}

}  // namespace tidepool::backend
