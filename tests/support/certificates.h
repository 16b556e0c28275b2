// Certificates made for one test: an authority of its own (ECDSA P-256) and servers' certificates
// from it, as PEM files in a temporary directory that goes with the object.
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

class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& name = "Tidepool test CA");
  ~CertificateAuthority();

  // The authority's own certificate.
  std::string file() const;
  // For these names (DNS names or IP addresses), valid from `from_days` to `to_days` from now.
  CertificateFiles issue(const std::vector<std::string>& names, int from_days = -1,
                         int to_days = 30);

 private:
  struct Keys;
  TemporaryDirectory directory_;
  std::unique_ptr<Keys> keys_;
  int issued_ = 0;
};

}  // namespace tidepool::testing
