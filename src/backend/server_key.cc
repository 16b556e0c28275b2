#include "server_key.h"

#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace tidepool::backend {
namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

}  // namespace

Result<ServerKey> ServerKey::read(const std::string& path) {
  const std::unique_ptr<BIO, BioFree> file(BIO_new_file(path.c_str(), "r"));
  if (!file) {
    ERR_clear_error();
    return fail(Code::kConfig, "cannot read the file of tls.server_public_key, '" + path + "'");
  }
  Key key(PEM_read_bio_PUBKEY(file.get(), nullptr, nullptr, nullptr));
  if (!key && BIO_reset(file.get()) == 0) {
    const std::unique_ptr<X509, X509Free> certificate(
        PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
    if (certificate) key.reset(X509_get_pubkey(certificate.get()));
  }
  ERR_clear_error();
  if (key) return ServerKey(std::move(key));
  return fail(Code::kConfig, "the file of tls.server_public_key, '" + path +
                                 "', holds neither a public key nor a certificate in PEM");
}

bool ServerKey::is_key_of(const X509* certificate) const {
  const EVP_PKEY* shown = certificate != nullptr ? X509_get0_pubkey(certificate) : nullptr;
  return shown != nullptr && EVP_PKEY_eq(shown, key_.get()) == 1;
}

}  // namespace tidepool::backend
