#include "tidepool/tracking/shown_warnings.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/tracking/warnings.h"

namespace tidepool::tracking {
namespace {

constexpr std::uint32_t kCountWidth = 11;

// How much of `bytes` the result at its beginning takes; nothing while its end has not come, 0 if
// it is none with columns and rows.
std::optional<std::size_t> result_bytes(std::string_view bytes) {
  constexpr std::size_t kEofBytes = 5;
  std::size_t at = 0;
  int eofs = 0;
  for (bool is_head = true; bytes.size() - at > protocol::kHeaderBytes; is_head = false) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[at + i]); };
    const std::size_t length = byte(0) | std::size_t{byte(1)} << 8U | std::size_t{byte(2)} << 16U;
    const std::uint8_t first = byte(protocol::kHeaderBytes);
    if (first == protocol::kErrHeader || (is_head && first == protocol::kOkHeader)) return 0;
    at += protocol::kHeaderBytes + length;
    if (at > bytes.size()) return std::nullopt;
    if (!is_head && first == protocol::kEofHeader && length == kEofBytes && ++eofs == 2) return at;
  }
  return std::nullopt;
}

// With the packet numbers of the answer that begins with that packet.
std::string numbered_from(std::uint8_t sequence, std::string packets) {
  for (std::size_t at = 0; at < packets.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(packets[at + i]); };
    const std::size_t length = byte(0) | std::size_t{byte(1)} << 8U | std::size_t{byte(2)} << 16U;
    packets[at + 3] = static_cast<char>(sequence++);
    at += protocol::kHeaderBytes + length;
  }
  return packets;
}

}  // namespace

std::optional<std::vector<std::string>> texts_that_warn(const protocol::TextResult& warnings) {
  constexpr std::size_t kMost = 1000;
  const std::size_t all = warnings.rows.size();
  if (all > kMost) return std::nullopt;
  const std::size_t errors = only_errors(warnings).rows.size();
  std::string first = all == errors ? "DO 0" : "SELECT ";
  for (std::size_t i = 0; i < all - errors; ++i)
    first += (i == 0 ? "CAST('x" : ",CAST('x") + std::to_string(i) + "' AS SIGNED)";
  std::vector<std::string> texts{first};
  // A text that cannot be parsed leaves the warnings before it, and adds its own error.
  texts.insert(texts.end(), errors, "an error, as there was one");
  return texts;
}

std::optional<protocol::TextResult> shown_by(const sql::Statement& statement,
                                             protocol::TextResult warnings, std::uint64_t most) {
  const std::optional<sql::ShownDiagnostics>& asked = statement.shown;
  if (!asked) return std::nullopt;
  const bool is_limited = !asked->errors;
  const auto limited = [&](protocol::TextResult shown) {
    if (!is_limited || shown.rows.size() <= most) return shown;
    shown.rows.resize(most);
    if (most == 0) fit_widths(shown);  // where TiDB plans to show none, it does not look at them
    return shown;
  };
  if (!is_limited) warnings = only_errors(std::move(warnings));
  if (!asked->counts) return limited(std::move(warnings));
  protocol::Column column = protocol::integer_column("Count");
  column.length = kCountWidth;
  column.type = static_cast<std::uint8_t>(protocol::ColumnType::kLong);
  column.flags = 0;
  warnings.columns = {column};
  warnings.rows = {{std::to_string(warnings.rows.size())}};
  return limited(std::move(warnings));
}

ShownWarnings::ShownWarnings(const sql::Script& script, const protocol::TextResult& warnings,
                             std::uint64_t most, protocol::RowFormat format)
    : format_(format) {
  for (std::size_t i = 0; i < script.size() && script[i].keeps_diagnostics; ++i) {
    auto shown = shown_by(script[i], warnings, most);
    if (!shown) return;
    if (script[i].shown->counts) shown->rows.clear();  // the backend has as many
    results_.push_back(*std::move(shown));
  }
}

std::string ShownWarnings::feed(std::string_view bytes) {
  if (results_.empty()) return std::string(bytes);
  buffered_ += bytes;
  std::string out;
  while (!results_.empty()) {
    const auto length = result_bytes(buffered_);
    if (!length) return out;
    auto result =
        protocol::parse_text_result(std::string_view(buffered_).substr(0, *length), format_);
    if (*length == 0 || !result || result->rows.size() < results_.front().rows.size()) break;
    // What the parser warns of the text itself, or an EXECUTE of its plan, comes after those.
    std::move(results_.front().rows.begin(), results_.front().rows.end(), result->rows.begin());
    results_.pop_front();
    fit_widths(*result);
    const auto sequence = static_cast<std::uint8_t>(buffered_[3]);
    out += numbered_from(sequence,
                         protocol::make_text_result(result->columns, result->rows, result->status,
                                                    result->warnings, format_));
    buffered_.erase(0, *length);
  }
  results_.clear();
  return out + std::exchange(buffered_, {});
}

}  // namespace tidepool::tracking
