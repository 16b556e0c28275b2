#include "tidepool/net/client_certificate.h"

#include <memory>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace tidepool::net {
namespace {

using Names = std::vector<std::string>;

struct Free {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(unsigned char* text) const { OPENSSL_free(text); }
};

// A NUL inside would have ended the name for an authority that read it as a C string.
void add(Names& names, const unsigned char* text, int size) {
  if (text == nullptr || size <= 0) return;
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  if (name.find('\0') == std::string::npos) names.push_back(std::move(name));
}

void add_common_names(Names& names, X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) {
    unsigned char* raw = nullptr;
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(subject, at);
    const int size = ASN1_STRING_to_UTF8(&raw, X509_NAME_ENTRY_get_data(entry));
    const std::unique_ptr<unsigned char, Free> text(raw);
    add(names, text.get(), size);
  }
}

void add_alternative_names(Names& names, X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, Free> all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all != nullptr && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    int kind = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all.get(), i), &kind);
    if (kind != GEN_DNS && kind != GEN_EMAIL && kind != GEN_URI) continue;
    const auto* text = static_cast<const ASN1_STRING*>(value);
    add(names, ASN1_STRING_get0_data(text), ASN1_STRING_length(text));
  }
}

bool is_valid_now(const X509* certificate) {
  return X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
         X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

}  // namespace

std::vector<std::string> certificate_names_of(const ssl_st* tls) {
  Names names;
  if (tls == nullptr || SSL_get_verify_result(tls) != X509_V_OK) return names;
  if ((SSL_get_verify_mode(tls) & SSL_VERIFY_PEER) == 0) return names;
  X509* certificate = SSL_get0_peer_certificate(tls);
  if (certificate == nullptr || !is_valid_now(certificate)) return names;
  add_common_names(names, certificate);
  add_alternative_names(names, certificate);
  return names;
}

bool has_stale_certificate(const ssl_st* tls) {
  const X509* certificate = SSL_get0_peer_certificate(tls);
  return certificate != nullptr && !is_valid_now(certificate);
}

}  // namespace tidepool::net
