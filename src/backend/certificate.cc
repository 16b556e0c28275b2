#include "certificate.h"

#include <arpa/inet.h>
#include <array>
#include <ctime>
#include <memory>

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace tidepool::backend {
namespace {

struct NamesFree {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string common_name(const X509_NAME* name) {
  std::array<char, 256> text{};
  if (X509_NAME_get_text_by_NID(const_cast<X509_NAME*>(name), NID_commonName, text.data(),
                                int(text.size())) > 0) {
    return text.data();
  }
  return X509_NAME_oneline(name, text.data(), int(text.size())) != nullptr ? text.data() : "?";
}

std::string name_text(const GENERAL_NAME* name) {
  int type = 0;
  const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &type));
  if (type == GEN_DNS) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
            std::size_t(ASN1_STRING_length(value))};
  }
  if (type != GEN_IPADD) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(value) == 4 ? AF_INET : AF_INET6;
  return ::inet_ntop(family, ASN1_STRING_get0_data(value), text.data(), text.size()) != nullptr
             ? text.data()
             : "";
}

std::string names_of(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, NamesFree> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string all;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::string name = name_text(sk_GENERAL_NAME_value(names.get(), i));
    if (!name.empty()) all += (all.empty() ? "'" : ", '") + name + "'";
  }
  return all.empty() ? "'" + common_name(X509_get_subject_name(certificate)) + "'" : all;
}

std::string date_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "?";
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text.data();
}

}  // namespace

std::string describe_problem(X509_STORE_CTX* store, const std::string& host,
                             const std::string& authorities) {
  const int error = X509_STORE_CTX_get_error(store);
  const X509* certificate = X509_STORE_CTX_get_current_cert(store);
  const std::string plain = X509_verify_cert_error_string(error);
  if (certificate == nullptr) return "the server's certificate does not verify: " + plain;
  const std::string subject = "'" + common_name(X509_get_subject_name(certificate)) + "'";
  const std::string issuer = "'" + common_name(X509_get_issuer_name(certificate)) + "'";
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the server's certificate is for " + names_of(certificate) + ", not for '" + host +
             "'";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the certificate " + subject + " expired on " +
             date_text(X509_get0_notAfter(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the certificate " + subject + " is valid only from " +
             date_text(X509_get0_notBefore(certificate));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "the certificate " + subject + " is issued by " + issuer + ", which is unknown to " +
             authorities + " (" + plain + ")";
    default:
      return "the certificate " + subject + " issued by " + issuer + " does not verify: " + plain;
  }
}

}  // namespace tidepool::backend
