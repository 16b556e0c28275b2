#include "tidepool/protocol/auth.h"

#include <array>
#include <charconv>
#include <optional>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "digests.h"
#include "sha_crypt.h"
#include "tidepool/base/check.h"
#include "tidepool/protocol/login_messages.h"

namespace tidepool::protocol {
namespace {

constexpr std::size_t kSha1Bytes = 20;
// `$A$005$`: algorithm A, thousands of rounds in hex.
constexpr std::string_view kSha2Prefix = "$A$";
constexpr std::size_t kSha2RoundsAt = 3;
constexpr std::size_t kSha2SaltAt = 7;
constexpr std::size_t kSha2DigestAt = kSha2SaltAt + kSaltBytes;
constexpr std::size_t kSha2HashBytes = kSha2DigestAt + 43;
constexpr std::uint32_t kRoundsUnit = 1000;

std::string sha1(std::string_view first, std::string_view second = {}) {
  std::array<unsigned char, kSha1Bytes> digest{};
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool done = EVP_DigestInit_ex(context, sha1_digest(), nullptr) == 1 &&
                    EVP_DigestUpdate(context, first.data(), first.size()) == 1 &&
                    EVP_DigestUpdate(context, second.data(), second.size()) == 1 &&
                    EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1;
  EVP_MD_CTX_free(context);
  TIDEPOOL_CHECK(done);
  return {digest.begin(), digest.end()};
}

std::string exclusive_or(std::string_view left, std::string_view right) {
  std::string out(left);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<char>(out[i] ^ right[i % right.size()]);
  }
  return out;
}

std::string to_hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    out.push_back(kDigits[value >> 4U]);
    out.push_back(kDigits[value & 0xfU]);
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned value = 0;
    const char* end = hex.data() + i + 2;
    const auto [stop, error] = std::from_chars(hex.data() + i, end, value, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    out.push_back(static_cast<char>(static_cast<unsigned char>(value)));
  }
  return out;
}

std::uint32_t rounds_in(std::string_view sha2_hash) {
  std::uint32_t thousands = 0;
  const char* begin = sha2_hash.data() + kSha2RoundsAt;
  std::from_chars(begin, begin + 3, thousands, 16);
  return thousands * kRoundsUnit;
}

// SHA1(SHA1(password)): what a native hash holds. nullopt for a credential that does not tell.
std::optional<std::string> native_stage2(const Credential& credential) {
  switch (credential.kind()) {
    case Credential::Kind::kPlaintext: return sha1(sha1(credential.secret()));
    case Credential::Kind::kNativeHash: return from_hex(credential.secret().substr(1));
    case Credential::Kind::kSha2Hash: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Credential Credential::plaintext(Secret password) {
  return {Kind::kPlaintext, std::move(password)};
}

Result<Credential> Credential::native_hash(std::string_view hash) {
  const bool shaped = hash.size() == 1 + 2 * kSha1Bytes && hash[0] == '*';
  if (!shaped || !from_hex(hash.substr(1))) {
    return fail(Code::kConfig, "a mysql_native_password hash is '*' and 40 hex digits");
  }
  return Credential(Kind::kNativeHash, hash);
}

Result<Credential> Credential::sha2_hash(std::string_view hash) {
  std::string raw(hash);
  if (hash.starts_with("0x")) raw = from_hex(hash.substr(2)).value_or(std::string());
  const bool shaped = raw.size() == kSha2HashBytes && raw.starts_with(kSha2Prefix) &&
                      raw[kSha2SaltAt - 1] == '$' && rounds_in(raw) > 0;
  if (!shaped) {
    return fail(Code::kConfig,
                "a caching_sha2_password hash is '$A$005$', 20 bytes of salt and 43 characters, "
                "or all that in hex after '0x'");
  }
  return Credential(Kind::kSha2Hash, raw);
}

std::string random_salt() {
  std::array<unsigned char, kSaltBytes> bytes{};
  TIDEPOOL_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  std::string salt;
  for (const unsigned char byte : bytes) {
    const auto letter = static_cast<char>(byte & 0x7fU);  // as MySQL's generate_user_salt
    salt.push_back(letter == '\0' || letter == '$' ? static_cast<char>(letter + 1) : letter);
  }
  return salt;
}

std::string native_scramble(std::string_view password, std::string_view salt) {
  if (password.empty()) return {};
  std::string stage1 = sha1(password);
  const WipedAtEnd wiped(stage1);
  return exclusive_or(stage1, sha1(salt, sha1(stage1)));
}

std::string sha2_scramble(std::string_view password, std::string_view salt) {
  if (password.empty()) return {};
  return exclusive_or(sha256({password}), sha256({sha2_digest(password), salt}));
}

std::string sha2_digest(std::string_view password) {
  std::string once = sha256({password});
  const WipedAtEnd wiped(once);
  return sha256({once});
}

bool verify_native(const Credential& credential, std::string_view scramble, std::string_view salt) {
  if (scramble.empty()) return credential.is_empty_password();
  const auto stage2 = native_stage2(credential);
  if (scramble.size() != kSha1Bytes || !stage2) return false;
  std::string stage1 = exclusive_or(scramble, sha1(salt, *stage2));  // as good as the password
  const WipedAtEnd wiped(stage1);
  // Of an empty password no scramble is made, so none can prove it.
  return constant_time_equal(sha1(stage1), *stage2) && !credential.is_empty_password();
}

bool verify_sha2(const Credential& credential, std::string_view cached_digest,
                 std::string_view scramble, std::string_view salt) {
  if (scramble.empty()) return credential.is_empty_password();
  std::string digest(cached_digest);
  if (credential.kind() == Credential::Kind::kPlaintext) digest = sha2_digest(credential.secret());
  if (scramble.size() != kSha256Bytes) return false;
  // The same work for whom none is known yet: the time that it takes tells nothing.
  const bool is_known = digest.size() == kSha256Bytes;
  if (!is_known) digest.assign(kSha256Bytes, '\0');
  std::string stage1 = exclusive_or(scramble, sha256({digest, salt}));
  const WipedAtEnd wiped(stage1);
  const bool fits = constant_time_equal(sha256({stage1}), digest);
  return fits && is_known && !credential.is_empty_password();
}

bool verify_cleartext(const Credential& credential, std::string_view password) {
  switch (credential.kind()) {
    case Credential::Kind::kPlaintext:
      return constant_time_equal(sha256({password}), sha256({credential.secret()}));
    case Credential::Kind::kNativeHash: {
      const auto stage2 = native_stage2(credential);
      std::string stage1 = sha1(password);
      const WipedAtEnd wiped(stage1);
      return stage2 && constant_time_equal(sha1(stage1), *stage2);
    }
    case Credential::Kind::kSha2Hash: {
      const std::string_view stored = credential.secret();
      const std::string_view salt = stored.substr(kSha2SaltAt, kSaltBytes);
      return constant_time_equal(sha256_crypt(password, salt, rounds_in(stored)),
                                 stored.substr(kSha2DigestAt));
    }
  }
  return false;
}

std::string make_native_hash(std::string_view password) {
  return "*" + to_hex(sha1(sha1(password)));
}

std::string make_sha2_hash(std::string_view password, std::string_view salt) {
  return "$A$005$" + std::string(salt) + sha256_crypt(password, salt, 5 * kRoundsUnit);
}

bool constant_time_equal(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace tidepool::protocol
