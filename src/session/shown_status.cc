#include "tidepool/session/shown_status.h"

#include <algorithm>
#include <cstddef>

#include "tidepool/protocol/codec.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"
#include "tidepool/protocol/text_result.h"

namespace tidepool::session {
namespace {

using protocol::kHeaderBytes;

constexpr std::size_t kEofBytes = 5;
// SHOW describes a string column as wide as its widest value before LIKE, and each byte as a
// character of four (executor/show.go, ShowExec.Next). But for the list of ciphers that is TiDB's
// server_id, a UUID.
constexpr std::size_t kWidestOther = 36;
constexpr std::size_t kBytesPerCharacter = 4;
// A row of the binary protocol: its header, and the bitmap of NULLs for two columns.
constexpr std::string_view kBinaryRow("\0\0", 2);

std::size_t length_of(std::string_view packet) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(packet[i]); };
  return byte(0) | std::size_t{byte(1)} << 8U | std::size_t{byte(2)} << 16U;
}

std::string_view payload_of(std::string_view packet) {
  return packet.substr(kHeaderBytes);
}

// As `packet`, with another payload.
std::string packet_like(std::string_view packet, std::string_view payload) {
  std::string out;
  auto sequence = static_cast<std::uint8_t>(packet[3]);
  protocol::append_packet(out, sequence, payload);
  return out;
}

std::uint8_t first_byte(std::string_view payload) {
  return payload.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(payload[0]);
}

bool is_eof(std::string_view payload) {
  return payload.size() == kEofBytes && first_byte(payload) == protocol::kEofHeader;
}

}  // namespace

std::string ShownStatus::feed(std::string_view bytes) {
  std::string out;
  buffered_ += bytes;
  std::size_t at = 0;
  while (buffered_.size() - at >= kHeaderBytes) {
    const std::size_t size = kHeaderBytes + length_of(std::string_view(buffered_).substr(at));
    if (buffered_.size() - at < size) break;
    take(std::string_view(buffered_).substr(at, size), out);
    at += size;
  }
  buffered_.erase(0, at);
  return out;
}

void ShownStatus::take(std::string_view packet, std::string& out) {
  const std::string_view payload = payload_of(packet);
  const bool is_start = !continues_;
  continues_ = payload.size() == protocol::kMaxPayloadBytes;
  const bool ends = is_start && is_eof(payload);
  const bool is_error = is_start && first_byte(payload) == protocol::kErrHeader;
  switch (place_) {
    case Place::kHead:
      if (payload.size() != 1 || is_error) {  // an OK, a file request: no columns follow
        out += packet;
        return;
      }
      head_ = packet;
      place_ = Place::kColumns;
      return;
    case Place::kColumns:
      if (!ends && !is_error) {
        columns_.emplace_back(packet);
        return;
      }
      end_columns(out);
      out += packet;
      if (is_error) place_ = Place::kHead;
      return;
    case Place::kStatusRows:
      if (!ends && !is_error) {
        out += packet_like(packet, own_row(payload));
        return;
      }
      [[fallthrough]];
    case Place::kRows:
      if (ends || is_error) place_ = Place::kHead;
      out += packet;
      return;
  }
}

bool ShownStatus::is_of_status() const {
  if (columns_.size() != 2) return false;
  const auto name = protocol::parse_column(payload_of(columns_[0]));
  const auto value = protocol::parse_column(payload_of(columns_[1]));
  return name && value && name->name == "Variable_name" && value->name == "Value";
}

// The columns are told now: their width comes from all values, those that LIKE leaves out too.
void ShownStatus::end_columns(std::string& out) {
  const bool is_status = is_of_status();
  place_ = is_status ? Place::kStatusRows : Place::kRows;
  if (is_status) {
    auto column = *protocol::parse_column(payload_of(columns_[1]));
    const std::size_t other = std::min(column.length / kBytesPerCharacter, kWidestOther);
    const std::size_t width = std::max(other, own_.ciphers.size());
    column.length = static_cast<std::uint32_t>(width * kBytesPerCharacter);
    columns_[1] = packet_like(columns_[1], protocol::encode_column(column));
  }
  out += head_;
  for (const std::string& column : columns_)
    out += column;
  columns_.clear();
}

std::string ShownStatus::own_row(std::string_view payload) const {
  const bool is_binary = payload.starts_with(kBinaryRow);
  protocol::Reader reader(payload.substr(is_binary ? kBinaryRow.size() : 0));
  const std::string_view name = reader.lenenc_string();
  const std::string_view value = reader.lenenc_string();
  if (!reader.ok() || !reader.at_end()) return std::string(payload);
  std::string row(is_binary ? kBinaryRow : std::string_view());
  protocol::Writer(row).lenenc_string(name).lenenc_string(value_of(name, value));
  return row;
}

// VerifyClientCertIfGiven is what TiDB shows of any encrypted connection.
std::string ShownStatus::value_of(std::string_view name, std::string_view there) const {
  if (name == "Ssl_cipher") return own_.cipher;
  if (name == "Ssl_cipher_list") return own_.ciphers;
  if (name == "Ssl_version") return own_.version;
  if (name == "Ssl_verify_mode") return own_.cipher.empty() ? "0" : "5";
  return std::string(there);
}

}  // namespace tidepool::session
