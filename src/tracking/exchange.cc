#include "tidepool/tracking/exchange.h"

#include <algorithm>
#include <utility>

#include "tidepool/base/check.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"

namespace tidepool::tracking {

namespace {

// Of steps that are not written together.
constexpr std::size_t kLarge = std::size_t{64} << 10U;

// A command of 16 MiB and more is several packets, and the answer's numbers go on after theirs.
std::uint8_t byte_at(std::string_view packet, std::size_t at) {
  return static_cast<std::uint8_t>(packet[at]);
}

std::size_t length_of(std::string_view packet) {
  return byte_at(packet, 0) | std::size_t{byte_at(packet, 1)} << 8U |
         std::size_t{byte_at(packet, 2)} << 16U;
}

std::uint8_t sequence_after(std::string_view packets) {
  std::uint8_t last = 0;
  while (packets.size() >= protocol::kHeaderBytes) {
    last = byte_at(packets, 3);
    packets.remove_prefix(std::min(packets.size(), protocol::kHeaderBytes + length_of(packets)));
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
  has_cut_ = false;
  auto step = waiting_.begin();
  for (; step != waiting_.end(); ++step) {
    if (step->after_success && !answering_.empty()) break;
    has_cut_ = !bytes.empty() && bytes.size() + step->bytes.size() > kLarge;
    if (has_cut_) break;
    if (bytes.empty()) {
      bytes.swap(step->bytes);
    } else {
      bytes += step->bytes;
      step->bytes.clear();
    }
    if (step->kind == StepKind::kRelay) relay_written_ = true;
    // What has no answer is through with being written, and does not hold up what comes after it.
    if (!protocol::has_no_reply(step->command)) answering_.push_back(std::move(*step));
  }
  waiting_.erase(waiting_.begin(), step);
  return bytes;
}

Result<Exchange::Progress> Exchange::feed(std::string_view bytes) {
  if (answering_.empty()) return fail(Code::kProtocol, "TiDB sent bytes that nobody asked for");
  if (!tracking_ && answering_.front().kind == StepKind::kFence) return feed_fence(bytes);
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

// The numbers of the packets tell: the command's answer counts on, and the fence's answer begins
// anew.
Result<Exchange::Progress> Exchange::feed_fence(std::string_view bytes) {
  if (surplus_left_ > 0) return progress_of_surplus(bytes);
  const std::size_t missing = protocol::kHeaderBytes - fence_header_.size();
  const std::size_t taken = std::min(missing, bytes.size());
  const std::string before = fence_header_;
  fence_header_ += bytes.substr(0, taken);
  if (taken < missing) return Progress{.consumed = taken, .step = StepKind::kFence};
  const std::string header = std::exchange(fence_header_, {});
  if (byte_at(header, 3) != answering_.front().first_sequence) {
    held_ = before;  // passed on ahead of the rest
    surplus_left_ = taken + length_of(header);
    return progress_of_surplus(bytes);
  }
  tracker_.begin(answering_.front().command);
  tracking_ = true;
  held_.clear();
  if (const auto seen = tracker_.feed(header); !seen) return tl::unexpected(seen.error());
  const Result<std::size_t> rest = tracker_.feed(bytes.substr(taken));
  if (!rest) return tl::unexpected(rest.error());
  return progress_of(bytes, taken + *rest);
}

Exchange::Progress Exchange::progress_of_surplus(std::string_view bytes) {
  const std::size_t taken = std::min(surplus_left_, bytes.size());
  surplus_left_ -= taken;
  const bool is_swallowed = failure_ || prepare_error_;  // as the answer that it belongs to was
  return {.consumed = taken, .relay = !is_swallowed, .step = StepKind::kFence};
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
  if (!step.hold_error || relay_answered_) return false;
  const std::size_t seen = held_.size() + bytes.size();
  if (seen <= protocol::kHeaderBytes) return true;
  const char first = held_.size() > protocol::kHeaderBytes
                         ? held_[protocol::kHeaderBytes]
                         : bytes[protocol::kHeaderBytes - held_.size()];
  return static_cast<std::uint8_t>(first) == protocol::kErrHeader;
}

void Exchange::end_step(StepKind kind) {
  const bool may_fail = answering_.front().may_fail;
  answering_.erase(answering_.begin());
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

void add_probe(Exchange& exchange) {
  exchange.add({.kind = StepKind::kProbe,
                .command = protocol::Command::kPing,
                .bytes = framed(protocol::Command::kPing)});
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

}  // namespace tidepool::tracking
