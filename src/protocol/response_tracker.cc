// kHead ─count─▶ kDefinitions ─▶ kDefinitionsEnd ─EOF─▶ kRows ─EOF─▶ kComplete, or kHead again with
// MORE_RESULTS
//   └─OK, ERR─▶ kComplete (or kHead again)   └─EOF with CURSOR_EXISTS, or a PREPARE's last─▶
//   kComplete
#include "tidepool/protocol/response_tracker.h"

#include <algorithm>
#include <utility>

#include "release.h"
#include "tidepool/protocol/codec.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/protocol/status.h"

namespace tidepool::protocol {
namespace {

std::uint8_t first_of(std::string_view body) {
  return body.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(body[0]);
}

}  // namespace

void ResponseTracker::begin(Command command, Context context) {
  *this = ResponseTracker();
  command_ = command;
  sequence_ = context.first_sequence;
  deprecate_eof_ = context.deprecate_eof;
  may_request_file_ = context.may_request_file;
  if (has_no_reply(command)) return;
  switch (command) {
    case Command::kFieldList: phase_ = Phase::kFieldList; break;
    case Command::kStmtFetch: phase_ = Phase::kRows; break;
    default: phase_ = Phase::kHead; break;
  }
}

Result<std::size_t> ResponseTracker::feed(std::string_view bytes) {
  if (phase_ == Phase::kFailed) return fail(Code::kProtocol, "the backend is out of step");
  if (wants_local_infile() && !bytes.empty()) {
    return tl::unexpected(broken("TiDB sent bytes while it was to be sent a file").error());
  }
  std::size_t used = 0;
  while (used < bytes.size() && !complete() && !wants_local_infile()) {
    if (header_filled_ < kHeaderBytes) {
      const std::size_t taken =
          std::min(kHeaderBytes - std::size_t{header_filled_}, bytes.size() - used);
      bytes.copy(reinterpret_cast<char*>(header_.data()) + header_filled_, taken, used);
      header_filled_ = static_cast<std::uint8_t>(header_filled_ + taken);
      used += taken;
      if (header_filled_ < kHeaderBytes) break;
      if (auto good = on_header(); !good) return tl::unexpected(good.error());
      if (length_ > 0) continue;
    }
    const std::string_view available = bytes.substr(used, left_);
    const bool whole = available.size() == length_;
    used += take_body(available);
    if (left_ > 0) break;
    const std::string_view seen = whole ? available.substr(0, kMaxGatheredBytes) : gathered_;
    if (auto good = on_packet_end(seen); !good) return tl::unexpected(good.error());
  }
  return used;
}

Result<void> ResponseTracker::on_header() {
  length_ = header_[0] | (std::uint32_t{header_[1]} << 8U) | (std::uint32_t{header_[2]} << 16U);
  if (header_[3] != sequence_) return broken("packets out of order");
  ++sequence_;
  left_ = length_;
  gathers_ = false;
  return {};
}

// Whether a packet that begins so must be seen whole. Rows and definitions need not.
bool ResponseTracker::is_of_interest(std::uint8_t first) const {
  switch (phase_) {
    case Phase::kHead:
    case Phase::kDefinitionsEnd: return true;
    case Phase::kRows:
    case Phase::kFieldList:
      if (first == kErrHeader) return true;
      return first == kEofHeader &&
             length_ < (deprecate_eof_ ? kMaxPayloadBytes : kEofPayloadLimit);
    case Phase::kDefinitions: return first == kErrHeader;
    case Phase::kLocalInfile:
    case Phase::kComplete:
    case Phase::kFailed: return false;
  }
  return false;
}

// `bytes` holds no more than what is left of the packet. Keeps a copy only of what matters and
// comes in pieces.
std::size_t ResponseTracker::take_body(std::string_view bytes) {
  if (left_ == length_ && !bytes.empty() && !continues_) gathers_ = is_of_interest(first_of(bytes));
  if (gathers_ && bytes.size() < length_ && gathered_.size() < kMaxGatheredBytes) {
    gathered_.append(bytes.substr(0, kMaxGatheredBytes - gathered_.size()));
  }
  left_ -= static_cast<std::uint32_t>(bytes.size());
  return bytes.size();
}

Result<void> ResponseTracker::on_packet_end(std::string_view body) {
  header_filled_ = 0;
  if (length_ == kMaxPayloadBytes) {
    if (gathers_) return broken("a packet of 16 MiB where none can be");
    continues_ = true;
    return {};
  }
  continues_ = false;
  Result<void> done;
  switch (phase_) {
    case Phase::kHead: done = on_head(body); break;
    case Phase::kDefinitions: done = gathers_ ? on_err(body) : on_definition(); break;
    case Phase::kDefinitionsEnd: done = on_definitions_end(body); break;
    case Phase::kRows:
    case Phase::kFieldList: done = on_row_end(body); break;
    case Phase::kLocalInfile:
    case Phase::kComplete:
    case Phase::kFailed: done = broken("a packet after the answer"); break;
  }
  if (!gathered_.empty()) release(gathered_);
  return done;
}

Result<void> ResponseTracker::on_head(std::string_view body) {
  if (body.empty()) return broken("an empty packet at the head of an answer");
  if (first_of(body) == kErrHeader) return on_err(body);
  switch (command_) {
    case Command::kQuery:
    case Command::kStmtExecute:
    case Command::kProcessInfo: return on_query_head(body);
    case Command::kStmtPrepare: return on_prepare_head(body);
    case Command::kStatistics:  // one line of text and nothing else
      summary_.outcome = ResponseSummary::Outcome::kOk;
      ++summary_.results;
      phase_ = Phase::kComplete;
      return {};
    default: break;
  }
  if (first_of(body) == kOkHeader) return on_ok(body);
  if (first_of(body) == kEofHeader && body.size() < kEofPayloadLimit) {  // SET_OPTION
    note_eof(body);
    summary_.outcome = ResponseSummary::Outcome::kOk;
    end_result();
    return {};
  }
  return broken("neither OK nor ERR");
}

Result<void> ResponseTracker::on_query_head(std::string_view body) {
  switch (first_of(body)) {
    case kOkHeader: return on_ok(body);
    case kLocalInfileHeader:
      if (command_ != Command::kQuery || !may_request_file_) {
        return broken("TiDB asked for a file that no statement offers");
      }
      phase_ = Phase::kLocalInfile;
      return {};
    default: break;
  }
  Reader reader(body);
  const std::uint64_t count = reader.lenenc();
  if (!reader.ok() || !reader.at_end() || count > 0xffff) return broken("malformed column count");
  summary_.outcome = ResponseSummary::Outcome::kResultSet;
  summary_.columns = static_cast<std::uint32_t>(count);
  ++summary_.result_sets;
  summary_.last_rows = 0;
  begin_definitions(summary_.columns);
  return {};
}

Result<void> ResponseTracker::on_prepare_head(std::string_view body) {
  const auto ok = parse_stmt_prepare_ok(body);
  if (!ok) return broken(ok.error().message);
  summary_.outcome = ResponseSummary::Outcome::kOk;
  summary_.statement_id = ok->statement_id;
  summary_.params = ok->params;
  summary_.columns = ok->columns;
  summary_.warnings = ok->warnings;
  ++summary_.results;
  columns_to_come_ = ok->params > 0 ? ok->columns : 0;
  begin_definitions(ok->params > 0 ? ok->params : ok->columns);
  return {};
}

void ResponseTracker::begin_definitions(std::uint32_t count) {
  definitions_left_ = count;
  phase_ = count > 0 ? Phase::kDefinitions : Phase::kComplete;
}

Result<void> ResponseTracker::on_definition() {
  if (--definitions_left_ > 0) return {};
  if (!deprecate_eof_) {
    phase_ = Phase::kDefinitionsEnd;
    return {};
  }
  if (command_ == Command::kStmtPrepare) {
    begin_definitions(std::exchange(columns_to_come_, 0));
  } else {
    phase_ = Phase::kRows;
  }
  return {};
}

Result<void> ResponseTracker::on_definitions_end(std::string_view body) {
  if (first_of(body) == kErrHeader) return on_err(body);
  if (first_of(body) != kEofHeader || body.size() >= kEofPayloadLimit) {
    return broken("no EOF after the definitions");
  }
  if (command_ == Command::kStmtPrepare) {
    begin_definitions(std::exchange(columns_to_come_, 0));
    return {};
  }
  note_eof(body);
  if ((summary_.status & status::kCursorExists) != 0) {  // the rows come by FETCH
    end_result();
  } else {
    phase_ = Phase::kRows;
  }
  return {};
}

Result<void> ResponseTracker::on_row_end(std::string_view body) {
  if (!gathers_) {
    if (phase_ != Phase::kRows) return {};
    ++summary_.rows;
    ++summary_.last_rows;
    return {};
  }
  if (first_of(body) == kErrHeader) return on_err(body);
  if (deprecate_eof_ && body.size() >= 7) {
    const auto ok = parse_ok(body);
    if (!ok) return broken(ok.error().message);
    summary_.has_status = true;
    summary_.status = ok->status;
    summary_.warnings = ok->warnings;
  } else {
    note_eof(body);
  }
  summary_.outcome = ResponseSummary::Outcome::kResultSet;
  if (command_ != Command::kStmtFetch) summary_.found_rows = summary_.last_rows;
  end_result();
  return {};
}

Result<void> ResponseTracker::on_ok(std::string_view body) {
  const auto ok = parse_ok(body);
  if (!ok) return broken(ok.error().message);
  summary_.outcome = ResponseSummary::Outcome::kOk;
  summary_.has_status = true;
  summary_.status = ok->status;
  summary_.warnings = ok->warnings;
  summary_.affected_rows = ok->affected_rows;
  summary_.ok_insert_id = ok->last_insert_id;
  if (ok->last_insert_id != 0) summary_.last_insert_id = ok->last_insert_id;
  summary_.info = ok->info;
  end_result();
  return {};
}

Result<void> ResponseTracker::on_err(std::string_view body) {
  const auto err = parse_err(body);
  if (!err) return broken(err.error().message);
  summary_.outcome = ResponseSummary::Outcome::kError;
  summary_.ok_insert_id = 0;
  summary_.error_number = err->number;
  summary_.sqlstate = err->sqlstate;
  summary_.message = err->message;
  ++summary_.results;
  phase_ = Phase::kComplete;
  return {};
}

void ResponseTracker::note_eof(std::string_view body) {
  const auto eof = parse_eof(body);
  if (!eof) return;  // an EOF of one byte (before 4.1) says nothing
  summary_.has_status = true;
  summary_.status = eof->status;
  summary_.warnings = eof->warnings;
}

void ResponseTracker::end_result() {
  ++summary_.results;
  const bool more = (summary_.status & status::kMoreResults) != 0;
  const bool can_have_more = command_ == Command::kQuery || command_ == Command::kStmtExecute;
  phase_ = more && can_have_more ? Phase::kHead : Phase::kComplete;
}

void ResponseTracker::on_local_infile_sent(std::uint8_t next_sequence) {
  if (!wants_local_infile()) return;
  sequence_ = next_sequence;
  phase_ = Phase::kHead;
}

Result<void> ResponseTracker::broken(std::string message) {
  phase_ = Phase::kFailed;
  return fail(Code::kProtocol, "unexpected answer from the backend: " + std::move(message));
}

}  // namespace tidepool::protocol
