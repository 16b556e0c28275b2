#include "tidepool/protocol/text_result.h"

#include <cstdlib>

#include "tidepool/protocol/codec.h"
#include "tidepool/protocol/login_messages.h"
#include "tidepool/protocol/packet.h"
#include "tidepool/protocol/reply_messages.h"

namespace tidepool::protocol {
namespace {

constexpr std::uint8_t kNullValue = 0xfb;
constexpr std::uint16_t kBinaryCharset = 63;
constexpr std::uint16_t kNotNullFlag = 0x0001;
constexpr std::uint16_t kBinaryFlag = 0x0080;
constexpr std::uint8_t kUnspecifiedDecimals = 0x1f;
constexpr std::uint8_t kFixedFieldsBytes = 0x0c;

// Reads the packets of a captured answer one after another.
class AnswerReader {
 public:
  explicit AnswerReader(std::string_view bytes) : bytes_(bytes) { assembler_.ignore_sequence(); }

  // The next payload; an ERR packet becomes its Error.
  Result<std::string_view> next() {
    auto packet = assembler_.next(bytes_);
    if (!packet) return tl::unexpected(packet.error());
    if (!packet->has_value()) return fail(Code::kProtocol, "the answer ends early");
    const std::string_view payload = (*packet)->payload;
    if (payload.empty() || static_cast<std::uint8_t>(payload[0]) != kErrHeader) return payload;
    const auto err = parse_err(payload);
    if (!err) return tl::unexpected(err.error());
    return tl::unexpected<Error>(Error{Code::kBackend, err->message, err->number, err->sqlstate});
  }

 private:
  std::string_view bytes_;
  PacketAssembler assembler_;
};

bool is_eof(std::string_view payload) {
  return !payload.empty() && static_cast<std::uint8_t>(payload[0]) == kEofHeader &&
         payload.size() < kEofPayloadLimit;
}

bool is_long(const Column& column) {
  return column.type == static_cast<std::uint8_t>(ColumnType::kLong);
}

bool is_string(const Column& column) {
  return column.type == static_cast<std::uint8_t>(ColumnType::kVarString) ||
         column.type == static_cast<std::uint8_t>(ColumnType::kString) ||
         column.type == static_cast<std::uint8_t>(ColumnType::kBlob);
}

// The NULL bitmap of a binary row begins with two bits that stand for nothing.
constexpr std::size_t kBitsBefore = 2;

bool is_null(std::string_view bitmap, std::size_t column) {
  const std::size_t bit = column + kBitsBefore;
  return (static_cast<std::uint8_t>(bitmap[bit / 8]) >> (bit % 8) & 1U) != 0;
}

// Protocol::BinaryResultsetRow.
Result<Row> parse_binary_row(std::string_view payload, const std::vector<Column>& columns) {
  Reader reader(payload);
  reader.u8();
  const std::string_view bitmap = reader.bytes((columns.size() + kBitsBefore + 7) / 8);
  Row row;
  row.reserve(columns.size());
  for (std::size_t i = 0; i < columns.size() && reader.ok(); ++i) {
    if (is_null(bitmap, i)) {
      row.emplace_back(std::nullopt);
    } else if (is_long(columns[i])) {
      row.emplace_back(std::to_string(static_cast<std::int32_t>(reader.u32())));
    } else if (is_string(columns[i])) {
      row.emplace_back(reader.lenenc_string());
    } else {
      return fail(Code::kProtocol, "a binary column of another type");
    }
  }
  if (!reader.ok() || !reader.at_end()) return fail(Code::kProtocol, "malformed binary row");
  return row;
}

void write_binary_row(Writer& writer, const Row& row, const std::vector<Column>& columns) {
  std::string bitmap((row.size() + kBitsBefore + 7) / 8, '\0');
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::size_t bit = i + kBitsBefore;
    const auto byte = static_cast<std::uint8_t>(bitmap[bit / 8]);
    if (!row[i]) bitmap[bit / 8] = static_cast<char>(byte | 1U << (bit % 8));
  }
  writer.u8(0).bytes(bitmap);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!row[i]) continue;
    if (is_long(columns[i])) {
      writer.u32(static_cast<std::uint32_t>(std::strtol(row[i]->c_str(), nullptr, 10)));
    } else {
      writer.lenenc_string(*row[i]);
    }
  }
}

void write_text_row(Writer& writer, const Row& row) {
  for (const auto& value : row) {
    value ? writer.lenenc_string(*value) : writer.u8(kNullValue);
  }
}

Result<Row> parse_row(std::string_view payload, std::size_t columns) {
  Reader reader(payload);
  Row row;
  row.reserve(columns);
  for (std::size_t i = 0; i < columns; ++i) {
    const auto value = reader.nullable_lenenc_string();
    row.emplace_back(value ? std::optional<std::string>(*value) : std::nullopt);
  }
  if (!reader.ok() || !reader.at_end()) return fail(Code::kProtocol, "malformed text row");
  return row;
}

Result<void> read_columns(AnswerReader& answer, std::uint64_t count, TextResult& result) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto payload = answer.next();
    if (!payload) return tl::unexpected(payload.error());
    auto column = parse_column(*payload);
    if (!column) return tl::unexpected(column.error());
    result.columns.push_back(std::move(*column));
  }
  const auto end = answer.next();
  if (!end) return tl::unexpected(end.error());
  if (!is_eof(*end)) return fail(Code::kProtocol, "no EOF after the column definitions");
  return {};
}

Result<void> read_rows(AnswerReader& answer, TextResult& result, RowFormat format) {
  while (true) {
    const auto payload = answer.next();
    if (!payload) return tl::unexpected(payload.error());
    if (is_eof(*payload)) {
      const auto eof = parse_eof(*payload);
      if (!eof) return tl::unexpected(eof.error());
      result.status = eof->status;
      result.warnings = eof->warnings;
      return {};
    }
    auto row = format == RowFormat::kBinary ? parse_binary_row(*payload, result.columns)
                                            : parse_row(*payload, result.columns.size());
    if (!row) return tl::unexpected(row.error());
    result.rows.push_back(std::move(*row));
  }
}

}  // namespace

Column integer_column(std::string_view name) {
  Column column;
  column.name = name;
  column.charset = kBinaryCharset;
  column.length = 20;
  column.type = static_cast<std::uint8_t>(ColumnType::kLongLong);
  column.flags = kNotNullFlag | kBinaryFlag;
  return column;
}

Column string_column(std::string_view name) {
  Column column;
  column.name = name;
  column.charset = kUtf8mb4Bin;
  column.length = 256;
  column.type = static_cast<std::uint8_t>(ColumnType::kVarString);
  column.decimals = kUnspecifiedDecimals;
  return column;
}

std::string encode_column(const Column& column) {
  std::string out;
  Writer writer(out);
  writer.lenenc_string("def").lenenc_string(column.schema).lenenc_string(column.table);
  writer.lenenc_string(column.org_table).lenenc_string(column.name).lenenc_string(column.org_name);
  writer.u8(kFixedFieldsBytes).u16(column.charset).u32(column.length).u8(column.type);
  writer.u16(column.flags).u8(column.decimals).zeros(2);
  return out;
}

Result<Column> parse_column(std::string_view payload) {
  Reader reader(payload);
  Column column;
  reader.lenenc_string();  // the catalog
  column.schema = reader.lenenc_string();
  column.table = reader.lenenc_string();
  column.org_table = reader.lenenc_string();
  column.name = reader.lenenc_string();
  column.org_name = reader.lenenc_string();
  reader.lenenc();
  column.charset = reader.u16();
  column.length = reader.u32();
  column.type = reader.u8();
  column.flags = reader.u16();
  column.decimals = reader.u8();
  if (!reader.ok()) return fail(Code::kProtocol, "malformed column definition");
  return column;
}

std::string make_text_result(const std::vector<Column>& columns, const std::vector<Row>& rows,
                             std::uint16_t status, std::uint16_t warnings, RowFormat format) {
  std::string out;
  std::uint8_t sequence = 1;
  std::string payload;
  Writer writer(payload);
  writer.lenenc(columns.size());
  append_packet(out, sequence, payload);
  for (const Column& column : columns)
    append_packet(out, sequence, encode_column(column));
  append_packet(out, sequence, encode_eof({.warnings = warnings, .status = status}));
  for (const Row& row : rows) {
    payload.clear();
    format == RowFormat::kBinary ? write_binary_row(writer, row, columns)
                                 : write_text_row(writer, row);
    append_packet(out, sequence, payload);
  }
  append_packet(out, sequence, encode_eof({.warnings = warnings, .status = status}));
  return out;
}

Result<TextResult> parse_text_result(std::string_view bytes, RowFormat format) {
  AnswerReader answer(bytes);
  const auto head = answer.next();
  if (!head) return tl::unexpected(head.error());
  TextResult result;
  if (!head->empty() && static_cast<std::uint8_t>((*head)[0]) == kOkHeader) {
    const auto ok = parse_ok(*head);
    if (!ok) return tl::unexpected(ok.error());
    result.status = ok->status;
    result.warnings = ok->warnings;
    return result;
  }
  Reader reader(*head);
  const std::uint64_t count = reader.lenenc();
  if (!reader.ok() || !reader.at_end()) return fail(Code::kProtocol, "malformed column count");
  if (auto done = read_columns(answer, count, result); !done) {
    return tl::unexpected(done.error());
  }
  if (auto done = read_rows(answer, result, format); !done) return tl::unexpected(done.error());
  return result;
}

}  // namespace tidepool::protocol
