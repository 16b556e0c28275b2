// TlsContext: what the listener needs to speak TLS to clients: a certificate chain, its key,
// TLS 1.2 or later, session tickets. Immutable once made, so it may be shared by all loops; TLS
// sessions made from it outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tidepool/base/error.h"

struct ssl_ctx_st;

namespace tidepool::net {

// Whether clients show certificates of their own: with a CA file they may, or must.
struct ClientCertificates {
  std::string ca_file = {};  // PEM, of those who sign them; empty: clients are not asked
  bool are_required = false;
};

// Unix seconds from which on no certificate of a PEM file is valid any more; nothing: there is none
// in it, or it cannot be read.
std::optional<std::int64_t> last_expiry(const std::string& ca_file);

class TlsContext {
 public:
  // PEM files; the certificate's own chain follows it in its file. An error (kConfig) names the
  // file and what is wrong.
  static Result<std::unique_ptr<TlsContext>> load(const std::string& certificate_file,
                                                  const std::string& key_file,
                                                  const ClientCertificates& clients = {});

  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  ssl_ctx_st* raw() const { return context_; }
  // Unix seconds at which the certificate, or one of the chain behind it, is no longer valid.
  std::int64_t expires() const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  Result<void> ask_clients(const ClientCertificates& clients);
  ssl_ctx_st* context_;
};

}  // namespace tidepool::net
