#include "tidepool/protocol/statement_messages.h"

#include "tidepool/protocol/codec.h"
#include "tidepool/protocol/reply_messages.h"

namespace tidepool::protocol {

std::string encode_stmt_prepare_ok(const StmtPrepareOk& ok) {
  std::string out;
  Writer writer(out);
  writer.u8(kOkHeader).u32(ok.statement_id).u16(ok.columns).u16(ok.params);
  writer.u8(0).u16(ok.warnings);
  return out;
}

Result<StmtPrepareOk> parse_stmt_prepare_ok(std::string_view payload) {
  Reader reader(payload);
  const std::uint8_t header = reader.u8();
  StmtPrepareOk ok;
  ok.statement_id = reader.u32();
  ok.columns = reader.u16();
  ok.params = reader.u16();
  if (!reader.ok() || header != kOkHeader) {
    return fail(Code::kProtocol, "malformed COM_STMT_PREPARE_OK");
  }
  if (reader.remaining() >= 3) {
    reader.skip(1);
    ok.warnings = reader.u16();
  }
  return ok;
}

Result<std::uint32_t> parse_statement_id(std::string_view payload) {
  Reader reader(payload);
  reader.skip(1);
  const std::uint32_t id = reader.u32();
  if (!reader.ok()) return fail(Code::kProtocol, "no statement id in the packet");
  return id;
}

bool patch_statement_id(std::span<char> payload, std::uint32_t statement_id) {
  if (payload.size() < 5) return false;
  std::string id;
  Writer(id).u32(statement_id);
  id.copy(payload.data() + 1, id.size());
  return true;
}

std::string encode_statement_command(Command command, std::uint32_t statement_id) {
  std::string out;
  Writer(out).u8(static_cast<std::uint8_t>(command)).u32(statement_id);
  return out;
}

Result<StmtExecute> parse_stmt_execute(std::string_view payload, std::uint16_t params) {
  Reader reader(payload);
  const std::uint8_t command = reader.u8();
  StmtExecute execute;
  execute.statement_id = reader.u32();
  execute.cursor_flags = reader.u8();
  execute.iterations = reader.u32();
  if (params > 0) {
    execute.null_bitmap = reader.bytes((params + std::size_t{7}) / 8);
    execute.has_types = reader.u8() == 1;
    if (execute.has_types) execute.types = reader.bytes(std::size_t{2} * params);
    execute.values = reader.rest();
  }
  if (!reader.ok() || command != static_cast<std::uint8_t>(Command::kStmtExecute)) {
    return fail(Code::kProtocol, "malformed COM_STMT_EXECUTE");
  }
  return execute;
}

Result<LongData> parse_long_data(std::string_view payload) {
  Reader reader(payload);
  const std::uint8_t command = reader.u8();
  LongData data;
  data.statement_id = reader.u32();
  data.param = reader.u16();
  if (!reader.ok() || command != static_cast<std::uint8_t>(Command::kStmtSendLongData)) {
    return fail(Code::kProtocol, "malformed COM_STMT_SEND_LONG_DATA");
  }
  return data;
}

std::string encode_stmt_execute(const StmtExecute& execute) {
  std::string out;
  out.reserve(16 + execute.null_bitmap.size() + execute.types.size() + execute.values.size());
  Writer writer(out);
  writer.u8(static_cast<std::uint8_t>(Command::kStmtExecute)).u32(execute.statement_id);
  writer.u8(execute.cursor_flags).u32(execute.iterations);
  if (execute.null_bitmap.empty()) return out;
  writer.bytes(execute.null_bitmap).u8(execute.has_types ? 1 : 0);
  if (execute.has_types) writer.bytes(execute.types);
  writer.bytes(execute.values);
  return out;
}

}  // namespace tidepool::protocol
