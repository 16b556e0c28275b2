// An answer as it goes over the wire.
#pragma once

#include <cstdint>
#include <string>

#include "tidepool/admin/http_message.h"

namespace tidepool::admin {

// What tells the client where the answer ends; it is always the last one of its connection.
enum class Framing : std::uint8_t { kLength, kChunks, kClose };

// The status line and the headers, up to the empty line.
std::string head_text(const HttpAnswer& answer, Framing framing);

// A piece with Framing::kChunks; an empty one is the end.
std::string chunk_text(std::string_view piece);

// Compressed, if that is worth it and the client takes it.
HttpAnswer packed(HttpAnswer answer, const HttpRequest& request);

}  // namespace tidepool::admin
