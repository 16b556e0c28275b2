// What a client is to see in SHOW STATUS of the encryption of its own connection, where TiDB shows
// that of the backend: Ssl_cipher, Ssl_cipher_list, Ssl_verify_mode, Ssl_version
// (sessionctx/variable/statusvar.go). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidepool/net/encryption.h"

namespace tidepool::session {

// The bytes of one answer go through it, packet by packet; the columns of a result are held back
// until all are there.
class ShownStatus {
 public:
  explicit ShownStatus(net::Encryption own) : own_(std::move(own)) {}

  // What is to be passed on of the answer's next bytes.
  std::string feed(std::string_view bytes);

 private:
  enum class Place : std::uint8_t { kHead, kColumns, kStatusRows, kRows };

  void take(std::string_view packet, std::string& out);
  void end_columns(std::string& out);
  bool is_of_status() const;
  std::string own_row(std::string_view payload) const;
  std::string value_of(std::string_view name, std::string_view there) const;

  net::Encryption own_;
  Place place_ = Place::kHead;
  bool continues_ = false;            // the next packet goes on with the payload of the last one
  std::string buffered_;              // of a packet that is not whole yet
  std::vector<std::string> columns_;  // packets
  std::string head_;                  // the packet with their number
};

}  // namespace tidepool::session
