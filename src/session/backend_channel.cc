#include "tidepool/session/backend_channel.h"

#include <utility>

#include "tidepool/base/log.h"

namespace tidepool::session {

bool BackendChannel::acquire(PoolAccess& access, const pool::LeaseRequest& request) {
  traffic_ = &access.stats->backend;
  if (auto lease = access.pool->try_acquire(request)) {
    lease_ = std::move(*lease);
    return true;
  }
  ticket_ = access.pool->wait(request, access.timeout, *this);
  return false;
}

void BackendChannel::on_lease(pool::Lease lease) {
  ticket_ = {};
  lease_ = std::move(lease);
  user_->on_lease();
}

void BackendChannel::on_no_lease(const Error& error) {
  ticket_ = {};
  user_->on_no_lease(error);
}

void BackendChannel::begin_turn() {
  ++turn_;
  lease_.stream().set_sink(this);
  last_ = lease_.id();
}

Flow BackendChannel::write(std::string bytes) {
  const std::size_t size = bytes.size();
  return note_written(lease_.stream().write_large(std::move(bytes)), size);
}

Flow BackendChannel::write_copy(std::string_view bytes) {
  return note_written(lease_.stream().write(bytes), bytes.size());
}

Flow BackendChannel::note_written(const Result<void>& written, std::size_t size) {
  traffic_->sent.add(size);
  if (!written) return lose(written.error());
  if (is_full()) client_.stream().pause(net::PauseReason::kPeerFull);
  return Flow::kGoOn;
}

void BackendChannel::on_drained() {
  client_.stream().resume(net::PauseReason::kPeerFull);
}

void BackendChannel::on_readable() {
  while (lease_) {
    const auto result = lease_.stream().read(loop_.scratch());
    if (!result) return (void)lose(result.error());
    if (result->status == net::ReadResult::Status::kEnd) {
      return (void)lose({Code::kClosed, "TiDB closed the connection"});
    }
    if (result->status == net::ReadResult::Status::kWouldBlock) return;
    traffic_->received.add(result->bytes);
    const bool maybe_more = result->bytes == loop_.scratch().size();
    const std::string_view bytes{loop_.scratch().data(), result->bytes};
    if (reader_->on_backend_bytes(bytes) == Flow::kEnded) return;
    if (!maybe_more && !lease_.stream().has_buffered()) return;
    if (lease_.stream().is_paused()) return;
  }
}

void BackendChannel::pause() {
  if (lease_) lease_.stream().pause(net::PauseReason::kPeerFull);
}

void BackendChannel::resume() {
  if (lease_) lease_.stream().resume(net::PauseReason::kPeerFull);
}

Flow BackendChannel::lose(const Error& error) {
  log::info(
      "backend lost",
      {{"session", session_}, {"state", to_string(status_.state())}, {"error", error.message}});
  user_->on_backend_lost(error);
  return Flow::kEnded;
}

void BackendChannel::release(pool::Release how) {
  ++turn_;
  client_.end_file();
  client_.stream().resume(net::PauseReason::kPeerFull);
  lease_.release(how);
}

void BackendChannel::discard() {
  lease_.set_broken();
  release(pool::Release::kDiscard);
}

void BackendChannel::forget() {
  discard();
  last_ = 0;
}

}  // namespace tidepool::session
