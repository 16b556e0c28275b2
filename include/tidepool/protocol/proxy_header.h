// The PROXY header that a load balancer sends ahead of a connection, in version 1 (a line) or 2
// (binary): who the client is. HAProxy's doc/proxy-protocol.txt, sections 2.1 and 2.2.
//
// Pure, one for each connection: told what comes, it says how much more may be read without taking
// what follows the header. What a header has beyond the client's address is passed over unkept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tidepool/base/error.h"

namespace tidepool::protocol {

class ProxyHeader {
 public:
  // The longest line of version 1, with its end.
  static constexpr std::size_t kMaxLine = 107;

  // So many bytes are surely part of the header; 0: it is complete.
  [[nodiscard]] std::size_t wanted() const;
  // Takes what belongs to the header, and says how much that is. After an error of no further use.
  Result<std::size_t> feed(std::string_view bytes);
  [[nodiscard]] bool is_complete() const { return phase_ == Phase::kComplete; }

  // Once it is complete: the client, as "192.0.2.1:5123" or "[2001:db8::1]:5123"; empty: the
  // balancer speaks for itself, or does not know.
  [[nodiscard]] const std::string& client() const { return client_; }

 private:
  enum class Phase : std::uint8_t {
    kSignature,  // of either version
    kLine,       // version 1
    kHead,       // version 2: what follows, and how much
    kAddresses,
    kRest,  // of version 2, not needed
    kComplete,
  };

  Result<void> examine();
  Result<void> examine_signature();
  Result<void> examine_line();
  Result<void> read_line();
  Result<void> read_head();
  void read_addresses();
  void end_addresses();
  [[nodiscard]] std::size_t wanted_of_line() const;

  Phase phase_ = Phase::kSignature;
  std::string kept_;           // of the line, or of the head and the addresses
  std::size_t addresses_ = 0;  // bytes of them
  std::size_t rest_ = 0;       // bytes still to be passed over
  std::string client_;
};

}  // namespace tidepool::protocol
