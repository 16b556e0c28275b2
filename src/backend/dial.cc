#include "tidepool/backend/dial.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "connection_state.h"
#include "dial_attempt.h"
#include "library.h"
#include "resolve.h"
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

// What has failed so far, in the order of the attempts; the last one's code counts.
void add_failure(Error& sum, Error one) {
  if (!sum.message.empty()) one.message = sum.message + "; " + one.message;
  sum = std::move(one);
}

// Every address of the endpoint in turn. One that swallows packets leaves time for the others; one
// that answers may take all that is left, since a cluster that wakes up is slow to log in. The
// library could try the addresses itself, but waits for all but the first without any limit, and
// keeps the sockets of those that failed.
Dialled dial_endpoint(const DialOptions& options, const Endpoint& endpoint, TimePoint until,
                      const DialCanceler& canceler) {
  const Result<std::vector<std::string>> addresses = resolve(endpoint);
  if (!addresses) return tl::unexpected(addresses.error());
  Error failure;
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    const TimePoint now = Clock::now();
    if (i > 0 && now >= until) break;
    Duration share = (until - now) / (addresses->size() - i);
    if (options.accept_timeout.count() > 0) share = std::min(share, options.accept_timeout);
    DialAttempt attempt(options, endpoint, (*addresses)[i], {until, share, canceler.fd()});
    Result<std::unique_ptr<Connection::State>> state = attempt.run();
    if (state) return std::make_unique<Connection>(std::move(*state));
    if (is_final(state.error().code)) return tl::unexpected(state.error());
    add_failure(failure, std::move(state.error()));
  }
  return tl::unexpected(failure);
}

Dialled dial_all(const DialOptions& options, const DialCanceler& canceler) {
  if (const Result<void> checked = check_options(options); !checked)
    return tl::unexpected(checked.error());
  const TimePoint deadline = Clock::now() + options.connect_timeout;
  Error failure;
  for (std::size_t i = 0; i < options.endpoints.size(); ++i) {
    const TimePoint now = Clock::now();
    const TimePoint until = now + (deadline - now) / (options.endpoints.size() - i);
    Dialled dialled = dial_endpoint(options, options.endpoints[i], until, canceler);
    if (dialled || is_final(dialled.error().code)) return dialled;
    add_failure(failure, std::move(dialled.error()));
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
