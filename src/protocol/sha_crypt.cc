#include "sha_crypt.h"

#include <array>
#include <memory>

#include <openssl/evp.h>

#include "digests.h"
#include "tidepool/base/check.h"
#include "tidepool/base/secret.h"

namespace tidepool::protocol {
namespace {

// One SHA-256 computation; the context is reused because a SHA-crypt makes thousands.
class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) { restart(); }

  Sha256& add(std::string_view bytes) {
    TIDEPOOL_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
    return *this;
  }

  // The digest; then starts anew.
  std::string finish() {
    std::array<unsigned char, kSha256Bytes> digest{};
    TIDEPOOL_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    restart();
    return {digest.begin(), digest.end()};
  }

 private:
  struct Deleter {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  void restart() {
    TIDEPOOL_CHECK(EVP_DigestInit_ex(context_.get(), sha256_digest(), nullptr) == 1);
  }

  std::unique_ptr<EVP_MD_CTX, Deleter> context_;
};

// `digest` repeated to `size` bytes.
std::string stretched(std::string_view digest, std::size_t size) {
  std::string out;
  out.reserve(size);
  while (out.size() < size)
    out.append(digest.substr(0, size - out.size()));
  return out;
}

// Steps 1 to 12 of the specification.
std::string initial_digest(std::string_view password, std::string_view salt) {
  const std::string other = sha256({password, salt, password});
  Sha256 hash;
  hash.add(password).add(salt).add(stretched(other, password.size()));
  for (std::size_t bits = password.size(); bits > 0; bits >>= 1U) {
    hash.add((bits & 1U) != 0 ? std::string_view(other) : password);
  }
  return hash.finish();
}

// Steps 13 to 20: bytes derived from `text`, as many as it has.
std::string derived_bytes(std::string_view text, std::size_t repetitions) {
  Sha256 hash;
  for (std::size_t i = 0; i < repetitions; ++i)
    hash.add(text);
  return stretched(hash.finish(), text.size());
}

void append_base64(std::string& out, std::uint32_t bits, int characters) {
  static constexpr std::string_view kAlphabet =
      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (int i = 0; i < characters; ++i, bits >>= 6U)
    out.push_back(kAlphabet[bits & 0x3fU]);
}

// Step 22: crypt's own order of the bytes.
std::string crypt_base64(std::string_view digest) {
  const auto at = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(digest[i]));
  };
  std::string out;
  std::size_t a = 0;
  std::size_t b = 10;
  std::size_t c = 20;
  for (int i = 0; i < 10; ++i) {
    append_base64(out, (at(a) << 16U) | (at(b) << 8U) | at(c), 4);
    const std::size_t last = c;
    c = b + 1;
    b = a + 1;
    a = last + 1;
  }
  append_base64(out, (at(31) << 8U) | at(30), 3);
  return out;
}

}  // namespace

std::string sha256(std::initializer_list<std::string_view> pieces) {
  Sha256 hash;
  for (const std::string_view piece : pieces)
    hash.add(piece);
  return hash.finish();
}

std::string sha256_crypt(std::string_view password, std::string_view salt, std::uint32_t rounds) {
  std::string digest = initial_digest(password, salt);
  std::string p = derived_bytes(password, password.size());
  const WipedAtEnd wiped(p);
  const auto repetitions = std::size_t{16} + static_cast<unsigned char>(digest[0]);
  const std::string s = derived_bytes(salt, repetitions);
  Sha256 hash;
  for (std::uint32_t i = 0; i < rounds; ++i) {  // step 21
    const bool odd = i % 2 != 0;
    hash.add(odd ? p : digest);
    if (i % 3 != 0) hash.add(s);
    if (i % 7 != 0) hash.add(p);
    hash.add(odd ? digest : p);
    digest = hash.finish();
  }
  return crypt_base64(digest);
}

}  // namespace tidepool::protocol
