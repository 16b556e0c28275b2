// Which of TiDB's errors say that the connection they came on should not be used again, although it
// still answers. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace tidepool::pool {

// The numbers and the text of an ERR packet.
bool retires_backend(std::uint16_t number, std::string_view message);

}  // namespace tidepool::pool
