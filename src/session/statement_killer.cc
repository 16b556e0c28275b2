#include "tidepool/session/statement_killer.h"

#include <utility>

#include "tidepool/base/log.h"
#include "tidepool/tracking/exchange.h"

namespace tidepool::session {

StatementKiller::StatementKiller(net::Loop& loop, pool::WorkerPool& pool, std::uint64_t profile,
                                 std::uint64_t connection, Duration timeout,
                                 std::function<void()> on_done)
    : loop_(loop), connection_(connection), on_done_(std::move(on_done)), timer_(loop) {
  pool::LeaseRequest request{.profile = profile};
  request.is_urgent = true;
  ticket_ = pool.wait(request, timeout, *this);
  timer_.start(timeout, [this] {
    if (lease_) end(pool::Release::kDiscard);
  });
}

StatementKiller::~StatementKiller() {
  if (lease_) lease_.set_broken();
}

void StatementKiller::on_lease(pool::Lease lease) {
  ticket_ = {};
  lease_ = std::move(lease);
  lease_.stream().set_sink(this);
  lease_.model().last_session = 0;
  tracker_.begin(protocol::Command::kQuery);
  const std::string text = "KILL QUERY " + std::to_string(connection_);
  if (!lease_.stream().write(tracking::framed(protocol::Command::kQuery, text))) {
    end(pool::Release::kDiscard);
  }
}

void StatementKiller::on_no_lease(const Error& error) {
  ticket_ = {};
  log::info("statement not killed", {{"tidb_connection", connection_}, {"error", error.message}});
  on_done_();
}

void StatementKiller::on_readable() {
  const auto result = lease_.stream().read(loop_.scratch());
  if (!result || result->status == net::ReadResult::Status::kEnd) {
    return end(pool::Release::kDiscard);
  }
  if (result->status == net::ReadResult::Status::kWouldBlock) return;
  const auto used = tracker_.feed({loop_.scratch().data(), result->bytes});
  if (!used || *used < result->bytes) return end(pool::Release::kDiscard);
  if (tracker_.complete()) end(pool::Release::kClean);
}

void StatementKiller::on_error(Error /*error*/) {
  end(pool::Release::kDiscard);
}

void StatementKiller::end(pool::Release how) {
  timer_.stop();
  if (how == pool::Release::kDiscard) lease_.set_broken();
  lease_.release(how);
  on_done_();
}

}  // namespace tidepool::session
