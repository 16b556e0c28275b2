#include "tidb_model.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "fake_mysql.h"
#include "marker.h"
#include "tidepool/protocol/codec.h"

namespace tidepool::fuzz {
namespace {

using testing::err_packet;
using testing::packet;

constexpr std::uint16_t kInTransaction = 1;
constexpr std::uint16_t kAutocommit = 2;
constexpr std::size_t kMaxColumns = 16;

bool begins_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(), [](char left, char right) {
           return left == std::toupper(static_cast<unsigned char>(right));
         });
}

bool contains(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

std::uint32_t statement_id(std::string_view command) {
  protocol::Reader reader(command);
  reader.u8();
  return reader.u32();
}

// What is between the commas outside of quotes and parentheses.
std::vector<std::string_view> items_of(std::string_view text) {
  std::vector<std::string_view> items;
  std::size_t start = 0;
  int depth = 0;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char byte = text[i];
    if (quote != 0) {
      if (byte == quote) quote = 0;
      continue;
    }
    if (byte == '\'' || byte == '"' || byte == '`') quote = byte;
    if (byte == '(') ++depth;
    if (byte == ')') --depth;
    if (byte != ',' || depth > 0) continue;
    items.push_back(text.substr(start, i - start));
    start = i + 1;
  }
  items.push_back(text.substr(start));
  if (items.size() > kMaxColumns) items.resize(kMaxColumns);
  return items;
}

void append_column(std::string& out, std::uint8_t sequence, std::string_view name) {
  std::string payload;
  protocol::Writer writer(payload);
  writer.lenenc_string("def").zeros(3).lenenc_string(name).zeros(1);
  writer.u8(0x0C).u16(45).u32(1024).u8(0xFD).u16(0).u8(0).u16(0);
  out += packet(sequence, payload);
}

// Where a value is given to @t, what follows; nullopt: nowhere.
std::optional<std::string_view> value_for_variable(std::string_view text) {
  for (const std::string_view name : {"@`t`", "@t"}) {
    const std::size_t at = text.find(name);
    if (at == std::string_view::npos) continue;
    std::string_view rest = text.substr(at + name.size());
    while (rest.starts_with(' '))
      rest.remove_prefix(1);
    const bool assigns =
        rest.starts_with(":=") || (begins_with(text, "SET") && rest.starts_with('='));
    if (!assigns) continue;
    return items_of(rest).front();
  }
  return std::nullopt;
}

}  // namespace

std::uint16_t TidbModel::status() const {
  return static_cast<std::uint16_t>((autocommit_ ? kAutocommit : 0) |
                                    (in_transaction_ ? kInTransaction : 0) | extra_status_);
}

std::string TidbModel::ok() const {
  std::string payload;
  protocol::Writer(payload).u8(0).lenenc(1).lenenc(0).u16(status()).u16(warnings_);
  return packet(1, payload);
}

bool TidbModel::has_answer(std::string_view command) {
  return command.empty() || (command[0] != 1 && command[0] != 24 && command[0] != 25);
}

void TidbModel::reset() {
  autocommit_ = true;
  in_transaction_ = false;
  variable_.reset();
  statements_.clear();
}

void TidbModel::apply(std::string_view command) {
  if (command.empty()) return;
  switch (command[0]) {
    case 2: database_ = command.substr(1); break;
    case 3: apply_text(command.substr(1)); break;
    case 23: {
      const auto found = statements_.find(statement_id(command));
      if (found == statements_.end()) break;
      found->second.long_data.clear();
      apply_text(found->second.text);
      break;
    }
    case 24:
      if (command.size() > 7) statements_[statement_id(command)].long_data += command.substr(7);
      break;
    case 25: statements_.erase(statement_id(command)); break;
    case 26: statements_[statement_id(command)].long_data.clear(); break;
    case 31: reset(); break;
    default: break;
  }
}

void TidbModel::apply_text(std::string_view text) {
  if (begins_with(text, "BEGIN") || begins_with(text, "START TRANSACTION")) in_transaction_ = true;
  const bool to_savepoint = begins_with(text, "ROLLBACK TO");
  if (begins_with(text, "COMMIT") || (begins_with(text, "ROLLBACK") && !to_savepoint))
    in_transaction_ = false;
  const bool is_write = begins_with(text, "INSERT") || begins_with(text, "UPDATE");
  if (is_write && !autocommit_) in_transaction_ = true;
  if (begins_with(text, "SET") && contains(text, "autocommit"))
    autocommit_ = !contains(text, "autocommit=OFF") && !contains(text, "autocommit=0");
  if (begins_with(text, "USE ")) database_ = text.substr(4);
  if (const auto value = value_for_variable(text)) variable_ = marker_in(*value);
}

std::string TidbModel::answer(std::string_view command) {
  if (command.empty()) return err_packet(1105, "HY000", "empty");
  if (command[0] == 23) return answer_execute(command);
  apply(command);
  switch (command[0]) {
    case 3: return answer_text(command.substr(1));
    case 4: return testing::eof_packet(1, status());
    case 9: return packet(1, "Uptime: 1");
    case 22: {
      const std::string_view text = command.substr(1);
      const auto params = static_cast<unsigned>(std::count(text.begin(), text.end(), '?'));
      return prepared(text, params, begins_with(text, "SELECT") ? 1 : 0);
    }
    case 1:
    case 24:
    case 25: return {};
    case 27: return testing::eof_packet(1, status());
    case 28: return testing::eof_packet(1, status() | 0x80U);
    default: return ok();
  }
}

std::string TidbModel::answer_execute(std::string_view command) {
  const auto found = statements_.find(statement_id(command));
  if (found == statements_.end()) return err_packet(1243, "HY000", "Unknown statement");
  const std::string echo =
      found->second.text + found->second.long_data + std::string(command.substr(1));
  apply(command);
  const bool is_select = begins_with(found->second.text, "SELECT");
  return is_select ? rows('\0' + echo, 1, 1) : ok();
}

std::string TidbModel::answer_text(std::string_view text) {
  if (begins_with(text, "SHOW COUNT")) return rows("1", 1, 1);
  if (begins_with(text, "SHOW")) return rows("Note", 3, 1);
  if (begins_with(text, "EXPLAIN") || begins_with(text, "EXECUTE")) return rows(text, 1, 1);
  if (begins_with(text, "SELECT")) return select(text);
  if (contains(text, "LOCAL INFILE"))
    return packet(1,
                  "\xFB"
                  "file");
  if (contains(text, "nowhere")) return err_packet(1049, "42000", "Unknown database 'nowhere'");
  if (contains(text, "broken")) return err_packet(1064, "42000", "broken");
  return ok();
}

std::string TidbModel::value_of(std::string_view item, std::string_view echo) const {
  if (contains(item, "CONNECTION_ID()")) return std::to_string(connection_);
  if (contains(item, "COLLATION(@`t`)")) return "utf8mb4_bin";
  if (contains(item, "CAST(CONCAT(@`t`")) return "0";
  if (contains(item, "@`t`") || contains(item, "@t"))
    return variable_ ? marker_of(*variable_) : "none";
  if (contains(item, "character_set")) return "utf8mb4";
  if (contains(item, "collation")) return "utf8mb4_bin";
  if (contains(item, "sql_mode")) return "";
  if (contains(item, "autocommit")) return autocommit_ ? "1" : "0";
  if (contains(item, "@@") || contains(item, "()")) return "1";
  return std::string(echo);
}

std::string TidbModel::select(std::string_view text) const {
  const std::vector<std::string_view> items = items_of(text.substr(6));
  std::string out = packet(1, std::string(1, static_cast<char>(items.size())));
  std::uint8_t sequence = 2;
  for (const std::string_view item : items)
    append_column(out, sequence++, item.substr(0, 64));
  out += testing::eof_packet(sequence++, status());
  std::string row;
  for (const std::string_view item : items)
    protocol::Writer(row).lenenc_string(value_of(item, text));
  out += packet(sequence++, row);
  return out + testing::eof_packet(sequence, status());
}

std::string TidbModel::rows(std::string_view echo, unsigned columns, unsigned rows) const {
  std::string out = packet(1, std::string(1, static_cast<char>(columns)));
  std::uint8_t sequence = 2;
  for (unsigned i = 0; i < columns; ++i)
    append_column(out, sequence++, "c");
  out += testing::eof_packet(sequence++, status());
  std::string row;
  protocol::Writer writer(row);
  for (unsigned i = 0; i < columns; ++i)
    writer.lenenc_string(i == 1 && columns == 3 ? "1105" : echo);
  for (unsigned i = 0; i < rows; ++i)
    out += packet(sequence++, row);
  return out + testing::eof_packet(sequence, status());
}

std::string TidbModel::prepared(std::string_view text, unsigned params, unsigned columns) {
  const std::uint32_t id = next_id_++;
  statements_[id] = {std::string(text), {}};
  std::string head;
  protocol::Writer(head)
      .u8(0)
      .u32(id)
      .u16(static_cast<std::uint16_t>(columns))
      .u16(static_cast<std::uint16_t>(params))
      .u8(0)
      .u16(warnings_);
  std::string out = packet(1, head);
  std::uint8_t sequence = 2;
  for (const unsigned count : {params, columns}) {
    for (unsigned i = 0; i < count; ++i)
      append_column(out, sequence++, "?");
    if (count > 0) out += testing::eof_packet(sequence++, status());
  }
  return out;
}

}  // namespace tidepool::fuzz
