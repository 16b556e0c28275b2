// SHA-crypt with SHA-256, as MySQL stores caching_sha2 passwords: the algorithm of
// https://www.akkadia.org/drepper/SHA-crypt.txt, whose salt here may be longer than crypt(3)'s 16
// bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tidepool/protocol/sha256.h"

namespace tidepool::protocol {

// The digest in crypt's base 64: 43 characters.
std::string sha256_crypt(std::string_view password, std::string_view salt, std::uint32_t rounds);

}  // namespace tidepool::protocol
