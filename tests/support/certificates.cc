#include "certificates.h"

#include <arpa/inet.h>
#include <array>
#include <cstdio>
#include <cstdlib>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace tidepool::testing {
namespace {

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FileClose {
  void operator()(FILE* file) const { std::fclose(file); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyFree>;
using Certificate = std::unique_ptr<X509, CertificateFree>;
using File = std::unique_ptr<FILE, FileClose>;

Key make_key() {
  return Key(EVP_EC_gen("P-256"));
}

bool is_address(const std::string& name) {
  std::array<char, 16> bytes{};
  return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

void set_name(X509_NAME* name, const std::string& common_name) {
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

constexpr long kDay = 24L * 60 * 60;

Certificate make_certificate(EVP_PKEY* key, const std::string& subject, long serial,
                             long from_seconds, long to_seconds) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to_seconds);
  set_name(X509_get_subject_name(certificate.get()), subject);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

void write_certificate(const std::string& path, X509* certificate) {
  const File file(std::fopen(path.c_str(), "w"));
  PEM_write_X509(file.get(), certificate);
}

void write_key(const std::string& path, EVP_PKEY* key) {
  const File file(std::fopen(path.c_str(), "w"));
  PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "tidepool-test-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

struct CertificateAuthority::Keys {
  Key key;
  Certificate certificate;
};

CertificateAuthority::CertificateAuthority(const std::string& name)
    : keys_(std::make_unique<Keys>()) {
  keys_->key = make_key();
  keys_->certificate = make_certificate(keys_->key.get(), name, 1, -kDay, 365 * kDay);
  X509* certificate = keys_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate, keys_->key.get(), EVP_sha256());
  write_certificate(file(), certificate);
}

CertificateAuthority::~CertificateAuthority() = default;

std::string CertificateAuthority::file() const {
  return directory_.file("ca.pem");
}

CertificateFiles CertificateAuthority::issue(const std::vector<std::string>& names, int from_days,
                                             int to_days) {
  const std::string stem = "server" + std::to_string(++issued_);
  CertificateFiles files{directory_.file(stem + ".pem"), directory_.file(stem + ".key")};
  const Key key = make_key();
  const Certificate certificate =
      make_certificate(key.get(), names.front(), issued_ + 1, from_days * kDay, to_days * kDay);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(keys_->certificate.get()));
  std::string alternatives;
  for (const std::string& name : names) {
    alternatives +=
        (alternatives.empty() ? "" : ",") + std::string(is_address(name) ? "IP:" : "DNS:") + name;
  }
  add_extension(certificate.get(), NID_subject_alt_name, alternatives);
  X509_sign(certificate.get(), keys_->key.get(), EVP_sha256());
  write_certificate(files.certificate, certificate.get());
  write_key(files.key, key.get());
  return files;
}

CertificateFiles CertificateAuthority::issue_client(const std::string& common_name,
                                                    const ClientCertificate& with) {
  const std::string stem = "client" + std::to_string(++issued_);
  CertificateFiles files{directory_.file(stem + ".pem"), directory_.file(stem + ".key")};
  const Key key = make_key();
  const Certificate certificate =
      make_certificate(key.get(), common_name, issued_ + 1, with.from_seconds, with.to_seconds);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(keys_->certificate.get()));
  if (!with.alternatives.empty())
    add_extension(certificate.get(), NID_subject_alt_name, with.alternatives);
  if (!with.usage.empty()) add_extension(certificate.get(), NID_ext_key_usage, with.usage);
  X509_sign(certificate.get(), keys_->key.get(), EVP_sha256());
  write_certificate(files.certificate, certificate.get());
  write_key(files.key, key.get());
  return files;
}

}  // namespace tidepool::testing
