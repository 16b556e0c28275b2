#include "tidepool/session/prepare_answer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tidepool/protocol/codec.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/statement_messages.h"
#include "tidepool/sql/state/state_encoding.h"
#include "tidepool/tracking/script_outcome.h"

namespace tidepool::session {
namespace {

constexpr std::uint16_t kNoSuchTable = 1146;
constexpr std::uint16_t kSchemaChanged = 8113;
constexpr std::size_t kEofBytes = 5;  // with its header byte, before the flags: 3

// A packet's payload and where it begins.
struct Part {
  std::string_view payload;
  std::size_t offset = 0;
};

// Cuts whole packets; none of them is as long as to be continued.
class Parts {
 public:
  explicit Parts(std::string_view packets) : packets_(packets) {}

  std::optional<Part> next() {
    if (packets_.size() - at_ < protocol::kHeaderBytes) return std::nullopt;
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(packets_[at_ + i]); };
    const std::size_t length = byte(0) | std::size_t{byte(1)} << 8U | std::size_t{byte(2)} << 16U;
    const std::size_t begin = at_ + protocol::kHeaderBytes;
    if (packets_.size() - begin < length) return std::nullopt;
    at_ = begin + length;
    return Part{packets_.substr(begin, length), begin};
  }
  bool at_end() const { return at_ == packets_.size(); }

 private:
  std::string_view packets_;
  std::size_t at_ = 0;
};

// `count` definitions and their EOF, if there are any. Answers where the EOF's flags are.
bool skip_definitions(Parts& parts, std::uint16_t count, std::vector<std::size_t>& places) {
  if (count == 0) return true;
  for (std::uint16_t i = 0; i < count; ++i) {
    if (!parts.next()) return false;
  }
  const auto eof = parts.next();
  if (!eof || eof->payload.size() != kEofBytes) return false;
  places.push_back(eof->offset + 3);
  return true;
}

bool is_plain_kind(sql::StatementKind kind) {
  switch (kind) {
    case sql::StatementKind::kRead:
    case sql::StatementKind::kWrite:
    case sql::StatementKind::kBegin:
    case sql::StatementKind::kEnd:
    case sql::StatementKind::kSet: return true;
    default: return false;
  }
}

}  // namespace

bool is_memorable(const sql::Script& script, const sql::SessionState& state, sql::PinReasons pins) {
  pins.erase(sql::PinReasons{sql::Pin::kTransaction, sql::Pin::kCursor, sql::Pin::kLongData});
  if (script.size() != 1 || !pins.empty() || !state.is_exact()) return false;
  const sql::Statement& statement = script.front();
  return is_plain_kind(statement.kind) && !statement.keeps_diagnostics &&
         !tracking::plans_insert_id(script) &&
         !statement.info_functions.contains(sql::InfoFunction::kUserVariable);
}

std::string prepare_context(const sql::SessionState& state) {
  return sql::encode_system_state(state);
}

std::optional<RememberedPrepare> parse_prepare_answer(std::string_view packets) {
  Parts parts(packets);
  const auto head = parts.next();
  if (!head) return std::nullopt;
  const auto ok = protocol::parse_stmt_prepare_ok(head->payload);
  if (!ok) return std::nullopt;
  RememberedPrepare prepare;
  prepare.params = ok->params;
  prepare.columns = ok->columns;
  prepare.warnings = ok->warnings;
  const bool whole = skip_definitions(parts, ok->params, prepare.status_places) &&
                     skip_definitions(parts, ok->columns, prepare.status_places) && parts.at_end();
  if (!whole) return std::nullopt;
  if (!prepare.status_places.empty()) {
    // TiDB gives the number in the EOFs only.
    protocol::Reader warnings(packets.substr(prepare.status_places.back() - 2, 2));
    prepare.warnings = warnings.u16();
  }
  prepare.packets = packets;
  return prepare;
}

std::string prepare_answer(const RememberedPrepare& prepare, std::uint32_t statement_id,
                           std::uint16_t status) {
  std::string packets = prepare.packets;
  protocol::patch_statement_id(std::span(packets).subspan(protocol::kHeaderBytes), statement_id);
  std::string flags;
  protocol::Writer(flags).u16(status);
  for (const std::size_t place : prepare.status_places)
    flags.copy(packets.data() + place, flags.size());
  return packets;
}

Error execute_error(const Error& prepare_error) {
  if (prepare_error.mysql_errno != kNoSuchTable) return prepare_error;
  return Error{Code::kBackend, "Schema change caused error: [schema:1146]" + prepare_error.message,
               kSchemaChanged, "HY000"};
}

bool tells_of_schema_change(std::uint16_t error) {
  // Unknown column, table, database, privilege; what TiDB says of a schema that changed.
  constexpr std::array<std::uint16_t, 14> kErrors = {1044, 1049, 1051, 1054, 1060, 1109, 1136,
                                                     1142, 1143, 1146, 8027, 8028, 8108, 8113};
  return std::find(kErrors.begin(), kErrors.end(), error) != kErrors.end();
}

}  // namespace tidepool::session
