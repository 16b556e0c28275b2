#include "tidepool/session/exchange.h"

#include <algorithm>
#include <utility>

#include "tidepool/base/check.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"

namespace tidepool::session {

namespace {

// A command of 16 MiB and more is several packets, and the answer's numbers go on after theirs.
std::uint8_t sequence_after(std::string_view packets) {
  std::uint8_t last = 0;
  while (packets.size() >= protocol::kHeaderBytes) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(packets[at]); };
    const std::size_t length = byte(0) | std::size_t{byte(1)} << 8U | std::size_t{byte(2)} << 16U;
    last = byte(3);
    packets.remove_prefix(std::min(packets.size(), protocol::kHeaderBytes + length));
  }
  return static_cast<std::uint8_t>(last + 1);
}

}  // namespace

void Exchange::add(Step step) {
  step.first_sequence = sequence_after(step.bytes);
  waiting_.push_back(std::move(step));
}

std::string Exchange::take_writable() {
  std::string bytes;
  while (!waiting_.empty()) {
    Step& step = waiting_.front();
    if (step.after_success && !answering_.empty()) break;
    bytes += step.bytes;
    step.bytes.clear();
    if (step.kind == StepKind::kRelay) relay_written_ = true;
    // What has no answer is through with being written, and does not hold up what comes after it.
    if (!protocol::has_no_reply(step.command)) answering_.push_back(std::move(step));
    waiting_.pop_front();
  }
  return bytes;
}

Result<Exchange::Progress> Exchange::feed(std::string_view bytes) {
  if (answering_.empty()) return fail(Code::kProtocol, "TiDB sent bytes that nobody asked for");
  if (!tracking_) {
    const Step& step = answering_.front();
    tracker_.begin(step.command, {.first_sequence = step.first_sequence,
                                  .may_request_file = step.may_request_file});
    tracking_ = true;
    held_.clear();
  }
  const Result<std::size_t> consumed = tracker_.feed(bytes);
  if (!consumed) return tl::unexpected(consumed.error());
  return progress_of(bytes, *consumed);
}

Exchange::Progress Exchange::progress_of(std::string_view bytes, std::size_t consumed) {
  const Step& step = answering_.front();
  Progress progress{.consumed = consumed, .is_first = !relay_answered_, .step = step.kind};
  if (holds(step, bytes.substr(0, consumed))) {
    held_ += bytes.substr(0, consumed);
  } else {
    progress.relay = step.kind == StepKind::kRelay && !failure_ && !prepare_error_;
    relay_answered_ = relay_answered_ || (progress.relay && consumed > 0);
  }
  if (tracker_.complete()) {
    progress.ended = step.kind;
    end_step(step.kind);
  }
  return progress;
}

// An ERR is known by its first byte behind the header.
bool Exchange::holds(const Step& step, std::string_view bytes) const {
  if (step.hold_answer) return true;
  if (!step.hold_refusal || relay_answered_) return false;
  const std::size_t seen = held_.size() + bytes.size();
  if (seen <= protocol::kHeaderBytes) return true;
  const char first = held_.size() > protocol::kHeaderBytes
                         ? held_[protocol::kHeaderBytes]
                         : bytes[protocol::kHeaderBytes - held_.size()];
  return static_cast<std::uint8_t>(first) == protocol::kErrHeader;
}

void Exchange::end_step(StepKind kind) {
  const bool may_fail = answering_.front().may_fail;
  answering_.pop_front();
  tracking_ = false;
  if (may_fail || !tracker_.summary().has_error()) return;
  std::optional<Error>& failure = kind == StepKind::kPrepare ? prepare_error_ : failure_;
  if (kind != StepKind::kRestore && kind != StepKind::kPrepare) return;
  if (!failure) failure = error_of(tracker_.summary());
  waiting_.clear();
}

void Exchange::set_relay_bytes(std::string bytes) {
  const auto relay = std::find_if(waiting_.begin(), waiting_.end(),
                                  [](const Step& step) { return step.kind == StepKind::kRelay; });
  if (relay == waiting_.end()) return;
  relay->first_sequence = sequence_after(bytes);
  relay->bytes = std::move(bytes);
}

Error error_of(const protocol::ResponseSummary& summary) {
  return Error{Code::kBackend, summary.message, summary.error_number, summary.sqlstate};
}

std::string framed(std::string_view payload) {
  std::string bytes;
  std::uint8_t sequence = 0;
  protocol::append_packet(bytes, sequence, payload);
  return bytes;
}

std::string framed(protocol::Command command, std::string_view argument) {
  std::string payload(1, static_cast<char>(command));
  payload += argument;
  return framed(payload);
}

}  // namespace tidepool::session
