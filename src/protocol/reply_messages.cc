#include "tidepool/protocol/reply_messages.h"

#include "tidepool/protocol/codec.h"
#include "tidepool/protocol/packet.h"

namespace tidepool::protocol {
namespace {

std::string framed(std::string_view payload, std::uint8_t sequence) {
  std::string packet;
  append_packet(packet, sequence, payload);
  return packet;
}

}  // namespace

std::string encode_ok(const OkMessage& ok) {
  std::string out;
  Writer writer(out);
  writer.u8(ok.header).lenenc(ok.affected_rows).lenenc(ok.last_insert_id);
  writer.u16(ok.status).u16(ok.warnings);
  if (!ok.info.empty()) writer.lenenc_string(ok.info);
  return out;
}

Result<OkMessage> parse_ok(std::string_view payload) {
  Reader reader(payload);
  OkMessage ok;
  ok.header = reader.u8();
  ok.affected_rows = reader.lenenc();
  ok.last_insert_id = reader.lenenc();
  ok.status = reader.u16();
  ok.warnings = reader.u16();
  const bool is_ok = ok.header == kOkHeader || ok.header == kEofHeader;
  if (!reader.ok() || !is_ok) return fail(Code::kProtocol, "malformed OK packet");
  // An info that is not length-encoded (MySQL without session tracking) or cut off is no reason to
  // refuse an OK.
  Reader strict(payload.substr(reader.position()));
  const std::string_view info = strict.lenenc_string();
  ok.info = strict.ok() ? info : reader.rest();
  return ok;
}

std::string encode_eof(const EofMessage& eof) {
  std::string out;
  Writer(out).u8(kEofHeader).u16(eof.warnings).u16(eof.status);
  return out;
}

Result<EofMessage> parse_eof(std::string_view payload) {
  Reader reader(payload);
  const std::uint8_t header = reader.u8();
  EofMessage eof;
  eof.warnings = reader.u16();
  eof.status = reader.u16();
  if (!reader.ok() || header != kEofHeader || payload.size() >= kEofPayloadLimit) {
    return fail(Code::kProtocol, "malformed EOF packet");
  }
  return eof;
}

std::string encode_err(const ErrMessage& err) {
  std::string out;
  Writer writer(out);
  writer.u8(kErrHeader).u16(err.number);
  if (!err.sqlstate.empty()) {
    std::string state = err.sqlstate;
    state.resize(5, '0');
    writer.u8('#').bytes(state);
  }
  writer.bytes(err.message);
  return out;
}

Result<ErrMessage> parse_err(std::string_view payload) {
  Reader reader(payload);
  const std::uint8_t header = reader.u8();
  ErrMessage err;
  err.sqlstate.clear();
  err.number = reader.u16();
  if (!reader.ok() || header != kErrHeader) {
    return fail(Code::kProtocol, "malformed ERR packet");
  }
  if (reader.peek() == '#' && reader.remaining() >= 6) {
    reader.skip(1);
    err.sqlstate = reader.bytes(5);
  }
  err.message = reader.rest();
  return err;
}

std::string ok_packet(const OkMessage& ok, std::uint8_t sequence) {
  return framed(encode_ok(ok), sequence);
}

std::string eof_packet(const EofMessage& eof, std::uint8_t sequence) {
  return framed(encode_eof(eof), sequence);
}

std::string err_packet(const ErrMessage& err, std::uint8_t sequence) {
  return framed(encode_err(err), sequence);
}

}  // namespace tidepool::protocol
