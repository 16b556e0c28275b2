#include "tidepool/net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tidepool/net/tls_error.h"

namespace tidepool::net {
namespace {

tl::unexpected<Error> fail_file(const char* what, const std::string& file) {
  return fail(Code::kConfig,
              std::string("cannot use the ") + what + " file '" + file + "': " + take_tls_reason());
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::load(const std::string& certificate_file,
                                                     const std::string& key_file) {
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
  SSL_CTX_set_session_id_context(raw, reinterpret_cast<const unsigned char*>("tidepool"), 8);
  if (SSL_CTX_use_certificate_chain_file(raw, certificate_file.c_str()) != 1) {
    return fail_file("certificate", certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(raw, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail_file("key", key_file);
  }
  return context;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

}  // namespace tidepool::net
