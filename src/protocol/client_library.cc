#include "tidepool/protocol/client_library.h"

#include <algorithm>

namespace tidepool::protocol {
namespace {

constexpr std::uint16_t kHostUnreachable = 2003;     // CR_CONN_HOST_ERROR
constexpr std::uint16_t kServerLost = 2013;          // CR_SERVER_LOST
constexpr std::uint16_t kForeignSource = 1429;       // ER_CONNECT_TO_FOREIGN_DATA_SOURCE
constexpr std::uint16_t kInteractionTimeout = 4031;  // ER_CLIENT_INTERACTION_TIMEOUT

bool is_connector_c(const std::pair<std::string, std::string>& attribute) {
  return attribute.first == "_client_name" && attribute.second == "libmariadb";
}

}  // namespace

std::uint16_t number_for_client(std::uint16_t number, const Attributes& attributes) {
  if (number != kHostUnreachable && number != kServerLost) return number;
  if (std::none_of(attributes.begin(), attributes.end(), is_connector_c)) return number;
  return number == kServerLost ? kInteractionTimeout : kForeignSource;
}

Attributes attributes_to_keep(const Attributes& attributes) {
  const auto found = std::find_if(attributes.begin(), attributes.end(), is_connector_c);
  return found == attributes.end() ? Attributes{} : Attributes{*found};
}

}  // namespace tidepool::protocol
