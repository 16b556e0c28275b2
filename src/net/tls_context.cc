#include "tidepool/net/tls_context.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string_view>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls_error.h"

namespace tidepool::net {
namespace {

tl::unexpected<Error> fail_file(const char* what, const std::string& file) {
  return fail(Code::kConfig,
              std::string("cannot use the ") + what + " file '" + file + "': " + take_tls_reason());
}

// A chain longer than this is none of a client's.
constexpr int kMaxDepth = 8;
// Of a client's certificate and its chain; OpenSSL would take 100 KiB from anybody.
constexpr long kMaxClientChainBytes = 16L << 10U;

// A session is resumed only where its client was looked at in the same way.
void set_session_context(SSL_CTX* context, std::string_view rules) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(rules.data(), rules.size(), digest.data(), &size, EVP_sha256(), nullptr);
  SSL_CTX_set_session_id_context(context, digest.data(), size);
}

std::string text_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::int64_t expiry_of(const X509* certificate) {
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return 0;
  return ::timegm(&time);
}

}  // namespace

std::optional<std::int64_t> last_expiry(const std::string& ca_file) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(ca_file.c_str(), "r"),
                                                       &BIO_free);
  std::optional<std::int64_t> last;
  while (file != nullptr) {
    const std::unique_ptr<X509, decltype(&X509_free)> one(
        PEM_read_bio_X509_AUX(file.get(), nullptr, nullptr, nullptr), &X509_free);
    if (one == nullptr) break;
    last = std::max(last.value_or(0), expiry_of(one.get()));
  }
  ERR_clear_error();
  return last;
}

Result<std::unique_ptr<TlsContext>> TlsContext::load(const std::string& certificate_file,
                                                     const std::string& key_file,
                                                     const ClientCertificates& clients) {
  ERR_clear_error();
  SSL_CTX* raw = SSL_CTX_new(TLS_server_method());
  if (raw == nullptr) return fail(Code::kInternal, "cannot set up TLS: " + take_tls_reason());
  std::unique_ptr<TlsContext> context(new TlsContext(raw));
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  // A client that closes without a close_notify may still read: an error would end the writing too.
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Of TLS 1.2 what TLS 1.3 has left of it: no CBC, and no password read later with the server's
  // key.
  SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set1_groups_list(raw, "X25519:P-256");
  set_session_context(raw, "tidepool");
  if (SSL_CTX_use_certificate_chain_file(raw, certificate_file.c_str()) != 1) {
    return fail_file("certificate", certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(raw, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail_file("key", key_file);
  }
  if (!clients.ca_file.empty()) {
    if (auto asked = context->ask_clients(clients); !asked) return tl::unexpected(asked.error());
  }
  return context;
}

// OpenSSL itself sees to it that the certificate is one for clients (X509_PURPOSE_SSL_CLIENT).
Result<void> TlsContext::ask_clients(const ClientCertificates& clients) {
  const std::string& file = clients.ca_file;
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file.c_str());
  if (names == nullptr) return fail_file("client CA", file);
  SSL_CTX_set_client_CA_list(context_, names);  // which owns them from here on
  if (SSL_CTX_load_verify_file(context_, file.c_str()) != 1) return fail_file("client CA", file);
  const int mode = SSL_VERIFY_PEER | (clients.are_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
  SSL_CTX_set_verify(context_, mode, nullptr);
  SSL_CTX_set_verify_depth(context_, kMaxDepth);
  SSL_CTX_set_max_cert_list(context_, kMaxClientChainBytes);
  set_session_context(context_, (clients.are_required ? "required " : "optional ") + text_of(file));
  return {};
}

std::int64_t TlsContext::expires() const {
  std::int64_t first = expiry_of(SSL_CTX_get0_certificate(context_));
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context_, &chain);
  for (int i = 0; i < sk_X509_num(chain); ++i)
    first = std::min(first, expiry_of(sk_X509_value(chain, i)));
  return first;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

}  // namespace tidepool::net
