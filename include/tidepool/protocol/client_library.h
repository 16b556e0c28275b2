// What clients of one library need told in another way than the rest. Pure.
#pragma once

#include <cstdint>

#include "tidepool/protocol/login_messages.h"

namespace tidepool::protocol {

// The error number by which the client that logged in with `attributes` understands `number`.
//
// A server has no word of its own for "the connection was lost": MySQL's numbers for it (2003,
// 2013) belong to client libraries, and nearly all drivers take them from a server too. MariaDB
// Connector/C, which mysqlclient may be built on, does not (since 2023: CONC-648; 3.3.20 was
// tried): it shows any error of a server in the libraries' range as 2027, "Received malformed
// packet", without its text (mariadb_lib.c, ma_net_safe_read). Its clients get a server's error in
// place of it: 4031 (ER_CLIENT_INTERACTION_TIMEOUT), which SQLAlchemy and others take for a lost
// connection too, and 1429 (ER_CONNECT_TO_FOREIGN_DATA_SOURCE).
std::uint16_t number_for_client(std::uint16_t number, const Attributes& attributes);

// Of the attributes, which may be many, those that number_for_client() asks for: one short one, or
// none.
Attributes attributes_to_keep(const Attributes& attributes);

}  // namespace tidepool::protocol
