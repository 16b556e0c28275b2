// By what a client has shown whose login it is. Labels of metrics and words of the log: stable.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidepool::protocol {

enum class Proof : std::uint8_t {
  kPrimary,      // the user's password
  kSecondary,    // the one beside it, during a rotation
  kCertificate,  // a verified client certificate that names the user
  kUnixUser,     // the kernel says which Unix user is at the other end of the Unix socket
  kTidb,         // TiDB has taken the password of a user that is not listed
};
inline constexpr std::size_t kProofs = 5;

constexpr const char* to_string(Proof proof) {
  switch (proof) {
    case Proof::kPrimary: return "primary";
    case Proof::kSecondary: return "secondary";
    case Proof::kCertificate: return "certificate";
    case Proof::kUnixUser: return "unix_user";
    case Proof::kTidb: return "tidb";
  }
  return "?";
}

}  // namespace tidepool::protocol
