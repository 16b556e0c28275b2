#include "tidepool/base/stream_hash.h"

#include <cstring>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "tidepool/base/check.h"

namespace tidepool {
namespace {

// The algorithm and the key, the same for all as long as the process lives.
struct Keyed {
  Keyed() : algorithm(EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_SIPHASH, nullptr)) {
    TIDEPOOL_CHECK(algorithm != nullptr);
    TIDEPOOL_CHECK(RAND_bytes(key.data(), static_cast<int>(key.size())) == 1);
  }
  Keyed(const Keyed&) = delete;
  Keyed& operator=(const Keyed&) = delete;
  ~Keyed() { EVP_MAC_free(algorithm); }

  EVP_MAC* algorithm;
  std::array<std::uint8_t, 16> key{};
};

const Keyed& keyed() {
  static const Keyed keyed;
  return keyed;
}

}  // namespace

StreamHash::StreamHash() : context_(EVP_MAC_CTX_new(keyed().algorithm)) {
  TIDEPOOL_CHECK(context_ != nullptr);
  clear();
}

void StreamHash::add(std::string_view bytes) {
  const auto* begin = reinterpret_cast<const unsigned char*>(bytes.data());
  TIDEPOOL_CHECK(EVP_MAC_update(context_.get(), begin, bytes.size()) == 1);
  bytes_ += bytes.size();
}

void StreamHash::clear() {
  const auto& key = keyed().key;
  TIDEPOOL_CHECK(EVP_MAC_init(context_.get(), key.data(), key.size(), nullptr) == 1);
  bytes_ = 0;
}

StreamHash::Value StreamHash::value() const {
  const std::unique_ptr<EVP_MAC_CTX, Free> end(EVP_MAC_CTX_dup(context_.get()));
  TIDEPOOL_CHECK(end != nullptr);
  Value value{};
  std::size_t size = 0;
  TIDEPOOL_CHECK(EVP_MAC_final(end.get(), value.data(), &size, value.size()) == 1);
  TIDEPOOL_CHECK(size == value.size());
  return value;
}

std::uint64_t keyed_number(std::string_view name) {
  StreamHash hash;
  hash.add(name);
  const StreamHash::Value value = hash.value();
  std::uint64_t number = 0;
  std::memcpy(&number, value.data(), sizeof number);
  return number == 0 ? 1 : number;
}

void StreamHash::Free::operator()(evp_mac_ctx_st* context) const {
  EVP_MAC_CTX_free(context);
}

}  // namespace tidepool
