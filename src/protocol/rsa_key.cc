#include <memory>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "tidepool/protocol/auth.h"

namespace tidepool::protocol {
namespace {

constexpr int kKeyBits = 2048;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Bio = std::unique_ptr<BIO, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free>;

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* as_bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string masked(std::string_view text, std::string_view salt) {
  std::string out(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<char>(out[i] ^ salt[i % salt.size()]);
  }
  return out;
}

// OAEP with SHA-1, as caching_sha2_password has it (MySQL sql/auth/sha2_password.cc).
bool use_oaep(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0;
}

// OpenSSL asks again and again whether to go on. Null: an error, or it was told not to.
EVP_PKEY* generate_key(const std::atomic<bool>& is_unwanted) {
  const KeyContext context(EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nullptr));
  if (!context || EVP_PKEY_keygen_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), kKeyBits) <= 0) {
    return nullptr;
  }
  EVP_PKEY_CTX_set_app_data(context.get(), const_cast<std::atomic<bool>*>(&is_unwanted));
  EVP_PKEY_CTX_set_cb(context.get(), [](EVP_PKEY_CTX* asked) {
    const auto* answer = static_cast<const std::atomic<bool>*>(EVP_PKEY_CTX_get_app_data(asked));
    return answer->load() ? 0 : 1;
  });
  EVP_PKEY* key = nullptr;
  return EVP_PKEY_keygen(context.get(), &key) > 0 ? key : nullptr;
}

}  // namespace

void RsaKey::KeyDeleter::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

const std::atomic<bool> RsaKey::kWanted = false;

Result<RsaKey> RsaKey::generate(const std::atomic<bool>& is_unwanted) {
  KeyPointer key(generate_key(is_unwanted));
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!key || !bio || PEM_write_bio_PUBKEY(bio.get(), key.get()) != 1) {
    return fail(Code::kInternal, "OpenSSL cannot make an RSA key");
  }
  char* text = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &text));
  return RsaKey(std::move(key), std::string(text, size));
}

Result<Secret> RsaKey::decrypt_password(std::string_view cipher, std::string_view salt) const {
  const auto refused = [] { return fail(Code::kAuth, "the encrypted password is not readable"); };
  const KeyContext context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  if (!context || EVP_PKEY_decrypt_init(context.get()) <= 0 || !use_oaep(context.get())) {
    return refused();
  }
  auto size = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
  std::string plain(size, '\0');
  const WipedAtEnd wiped(plain);
  // OpenSSL would take a shorter text for one with zeros in front.
  if (salt.empty() || cipher.size() != size ||
      EVP_PKEY_decrypt(context.get(), as_bytes(plain), &size, as_bytes(cipher), cipher.size()) <=
          0) {
    return refused();
  }
  plain.resize(size);
  std::string password = masked(plain, salt);
  const WipedAtEnd wiped_too(password);
  if (password.empty() || password.back() != '\0') return refused();
  return Secret(std::string_view(password).substr(0, password.size() - 1));
}

Result<std::string> encrypt_password(std::string_view password, std::string_view salt,
                                     std::string_view public_pem) {
  const auto refused = [] { return fail(Code::kAuth, "the password cannot be encrypted"); };
  if (salt.empty()) return refused();
  const Bio bio(BIO_new_mem_buf(public_pem.data(), static_cast<int>(public_pem.size())));
  const Key key(bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!key) return refused();
  const KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  if (!context || EVP_PKEY_encrypt_init(context.get()) <= 0 || !use_oaep(context.get())) {
    return refused();
  }
  const std::string plain = masked(std::string(password) + '\0', salt);
  auto size = static_cast<std::size_t>(EVP_PKEY_get_size(key.get()));
  std::string cipher(size, '\0');
  if (EVP_PKEY_encrypt(context.get(), as_bytes(cipher), &size, as_bytes(plain), plain.size()) <=
      0) {
    return refused();
  }
  cipher.resize(size);
  return cipher;
}

}  // namespace tidepool::protocol
