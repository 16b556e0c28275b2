#include "tidepool/backend/dial.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <netdb.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "connection_state.h"
#include "dial_attempt.h"
#include "library.h"
#include "tidepool/net/fd.h"

namespace tidepool::backend {

// Tells the dialling thread to give up, also in the midst of a wait.
class DialCanceler {
 public:
  DialCanceler() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  void cancel() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
  }
  int fd() const { return event_.get(); }

 private:
  net::UniqueFd event_;
};

namespace {

using Dialled = Result<std::unique_ptr<Connection>>;

// How many addresses a connect may have to try, so that one which swallows packets leaves time for
// the others. Zero: the name does not resolve, which the attempt will say better.
std::size_t count_addresses(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(endpoint.host.c_str(), nullptr, &hints, &found) != 0) return 0;
  std::size_t count = 0;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next)
    ++count;
  ::freeaddrinfo(found);
  return count;
}

Result<void> check_options(const DialOptions& options) {
  if (options.endpoints.empty()) return fail(Code::kConfig, "no endpoint to connect to");
  const bool needs_ca =
      options.tls == TlsMode::kVerifyIdentity || options.tls == TlsMode::kVerifyCa;
  if (needs_ca && !options.ca_file.empty() && !std::ifstream(options.ca_file).good()) {
    return fail(Code::kConfig, "cannot read the CA file '" + options.ca_file +
                                   "': " + std::generic_category().message(errno));
  }
  return {};
}

// Another endpoint would be asked with the same account and the same wish.
bool is_final(Code code) {
  return code == Code::kAuth || code == Code::kConfig || code == Code::kCanceled;
}

Dialled dial_all(const DialOptions& options, const DialCanceler& canceler) {
  if (const Result<void> checked = check_options(options); !checked)
    return tl::unexpected(checked.error());
  const TimePoint deadline = Clock::now() + options.connect_timeout;
  Error failure;
  for (std::size_t i = 0; i < options.endpoints.size(); ++i) {
    const Endpoint& endpoint = options.endpoints[i];
    const std::size_t endpoints_left = options.endpoints.size() - i;
    const TimePoint now = Clock::now();
    const TimePoint until = now + (deadline - now) / endpoints_left;
    const auto addresses = std::max<std::size_t>(count_addresses(endpoint), 1);
    DialAttempt attempt(options, endpoint, {until, (until - now) / addresses, canceler.fd()});
    Result<std::unique_ptr<Connection::State>> state = attempt.run();
    if (state) return std::make_unique<Connection>(std::move(*state));
    if (is_final(state.error().code)) return tl::unexpected(state.error());
    if (!failure.message.empty())
      state.error().message = failure.message + "; " + state.error().message;
    failure = state.error();
  }
  return tl::unexpected(failure);
}

}  // namespace

DialHandle::DialHandle() = default;
DialHandle::DialHandle(std::shared_ptr<DialCanceler> canceler, net::Blocking work)
    : canceler_(std::move(canceler)), work_(std::move(work)) {}
DialHandle::DialHandle(DialHandle&& other) noexcept = default;

DialHandle& DialHandle::operator=(DialHandle&& other) noexcept {
  if (this == &other) return *this;
  if (work_.is_pending()) canceler_->cancel();
  canceler_ = std::move(other.canceler_);
  work_ = std::move(other.work_);
  return *this;
}

DialHandle::~DialHandle() {
  if (work_.is_pending()) canceler_->cancel();
}

DialHandle dial(net::Loop& loop, DialOptions options, OnDialled done) {
  initialize_library();
  auto canceler = std::make_shared<DialCanceler>();
  std::function<Dialled()> work = [options = std::move(options), canceler] {
    return dial_all(options, *canceler);
  };
  net::Blocking blocking = net::run_blocking<Dialled>(loop, std::move(work), std::move(done));
  return {std::move(canceler), std::move(blocking)};
}

}  // namespace tidepool::backend
