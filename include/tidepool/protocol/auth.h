// Passwords on the wire: mysql_native_password and caching_sha2_password, both ends.
//
// Pure functions besides the random numbers and keys, which come from OpenSSL. Comparisons of
// secrets take constant time. Sources: MySQL sql/auth/sha2_password.cc and password.c; SHA-crypt as
// in https://www.akkadia.org/drepper/SHA-crypt.txt with MySQL's 20-byte salt; TiDB pkg/parser/auth.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tidepool/base/error.h"
#include "tidepool/base/secret.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace tidepool::protocol {

inline constexpr std::string_view kNativePassword = "mysql_native_password";
inline constexpr std::string_view kCachingSha2Password = "caching_sha2_password";
inline constexpr std::string_view kClearPassword = "mysql_clear_password";
// As MySQL (CACHING_SHA2_PASSWORD_MAX_PASSWORD_LENGTH): what a longer one makes for work is
// quadratic.
inline constexpr std::size_t kMaxPasswordBytes = 256;

// What the proxy knows of a user's password.
class Credential {
 public:
  enum class Kind : std::uint8_t {
    kPlaintext,   // the password itself
    kNativeHash,  // hex SHA1(SHA1(password)) after a '*', as in mysql.user
    kSha2Hash,    // `$A$005$`, 20 bytes of salt and 43 of digest, as in mysql.user
  };

  Credential() = default;  // the empty password
  static Credential plaintext(Secret password);
  // "*" and 40 hex digits.
  static Result<Credential> native_hash(std::string_view hash);
  // The 70 raw bytes, or the same in hex after "0x", as SHOW CREATE USER prints them.
  static Result<Credential> sha2_hash(std::string_view hash);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] std::string_view secret() const { return secret_; }
  [[nodiscard]] bool is_empty_password() const {
    return kind_ == Kind::kPlaintext && secret_.empty();
  }
  // As written; not for what a client sends.
  bool operator==(const Credential&) const = default;

 private:
  Credential(Kind kind, Secret secret) : kind_(kind), secret_(std::move(secret)) {}

  Kind kind_ = Kind::kPlaintext;
  Secret secret_;
};

// kSaltBytes random bytes without NUL or '$', which clients and MySQL's own storage format trip
// over.
std::string random_salt();

// What a client answers to a salt of 20 bytes: 20 and 32 bytes; nothing for an empty password.
std::string native_scramble(std::string_view password, std::string_view salt);
std::string sha2_scramble(std::string_view password, std::string_view salt);

// SHA256(SHA256(password)): enough to judge a caching_sha2 scramble, useless for logging in
// elsewhere. What the session caches after a full authentication.
std::string sha2_digest(std::string_view password);

// Whether a scramble proves the password. An empty scramble proves the empty password only. A
// kSha2Hash proves nothing by native scramble, and a kNativeHash nothing by a sha2 one.
bool verify_native(const Credential& credential, std::string_view scramble, std::string_view salt);
// `cached_digest`: an earlier sha2_digest() of the user, or empty.
bool verify_sha2(const Credential& credential, std::string_view cached_digest,
                 std::string_view scramble, std::string_view salt);
// Full authentication. With kSha2Hash this is 5,000 rounds and more of SHA-256: milliseconds.
bool verify_cleartext(const Credential& credential, std::string_view password);

// The stored forms of a password, for tests and for a command that prints them.
std::string make_native_hash(std::string_view password);
std::string make_sha2_hash(std::string_view password, std::string_view salt);

bool constant_time_equal(std::string_view left, std::string_view right);

// The key pair of caching_sha2_password over plain TCP. Shared by all workers: immutable.
class RsaKey {
 public:
  // 2048 bits; tens of milliseconds, or seconds of a slow processor. An error soon after
  // `is_unwanted` has become true.
  static Result<RsaKey> generate(const std::atomic<bool>& is_unwanted = kWanted);

  // "-----BEGIN PUBLIC KEY-----…", as the client asks for it.
  [[nodiscard]] const std::string& public_pem() const { return public_pem_; }

  // The password that a client sent: OAEP (SHA-1), XOR with the repeated salt, NUL at its end.
  // kAuth for anything else.
  [[nodiscard]] Result<Secret> decrypt_password(std::string_view cipher,
                                                std::string_view salt) const;

 private:
  static const std::atomic<bool> kWanted;  // for ever
  struct KeyDeleter {
    void operator()(evp_pkey_st* key) const;
  };
  using KeyPointer = std::unique_ptr<evp_pkey_st, KeyDeleter>;

  RsaKey(KeyPointer key, std::string public_pem)
      : key_(std::move(key)), public_pem_(std::move(public_pem)) {}

  KeyPointer key_;
  std::string public_pem_;
};

// The client's half, for tests.
Result<std::string> encrypt_password(std::string_view password, std::string_view salt,
                                     std::string_view public_pem);

}  // namespace tidepool::protocol
