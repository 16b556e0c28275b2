// Certificates made for one test: an authority of its own (ECDSA P-256) and servers' and clients'
// certificates from it, as PEM files in a temporary directory that goes with the object.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tidepool::testing {

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

struct CertificateFiles {
  std::string certificate;
  std::string key;
};

// Of a client, beside its common name.
struct ClientCertificate {
  std::string alternatives = {};     // as OpenSSL's configuration has them: "DNS:a,email:b@c,URI:d"
  std::string usage = "clientAuth";  // extended key usage; empty: any
  long from_seconds = -24L * 60 * 60;  // from now
  long to_seconds = 30L * 24 * 60 * 60;
};

class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& name = "Tidepool test CA");
  ~CertificateAuthority();

  // The authority's own certificate.
  std::string file() const;
  // For these names (DNS names or IP addresses), valid from `from_days` to `to_days` from now.
  CertificateFiles issue(const std::vector<std::string>& names, int from_days = -1,
                         int to_days = 30);
  CertificateFiles issue_client(const std::string& common_name, const ClientCertificate& with = {});

 private:
  struct Keys;
  TemporaryDirectory directory_;
  std::unique_ptr<Keys> keys_;
  int issued_ = 0;
};

}  // namespace tidepool::testing
