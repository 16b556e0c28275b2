#include <algorithm>
#include <cstdint>

#include "assemble.h"
#include "url.h"
#include "values.h"

namespace tidepool::config {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class PoolAssembly {
 public:
  PoolAssembly(PoolDraft draft, Findings& findings)
      : draft_(std::move(draft)),
        section_(draft_.section),
        pool_(draft_.pool),
        findings_(findings) {}

  Pool finish() {
    if (section_.has("url")) {
      take_url();
    } else {
      take_keys();
    }
    if (pool_.name.empty()) findings_.problem(section_.at("name"), "found nothing, allowed: text");
    check_tls();
    check_numbers();
    if (std::any_of(pool_.endpoints.begin(), pool_.endpoints.end(), is_cloud)) warn_of_cloud();
    return std::move(draft_.pool);
  }

 private:
  static bool is_cloud(const Endpoint& endpoint) {
    constexpr std::string_view kDomain = ".tidbcloud.com";
    const std::string_view host = endpoint.host;
    return host.size() > kDomain.size() && host.substr(host.size() - kDomain.size()) == kDomain;
  }

  void take_url() {
    const auto url = parse_url(draft_.url);
    if (!url) {
      for (const std::string& text : url.error())
        findings_.problem(section_.at("url"), text);
    }
    for (const std::string key : {"host", "port", "endpoints", "user"})
      refuse_beside_url(key);
    const bool has_password = url && url->password.has_value();
    if (has_password) {
      for (const std::string key : {"password", "password_file"})
        refuse_beside_url(key);
    }
    if (!url) return;
    pool_.user = url->user;
    pool_.endpoints = {{url->host, url->port}};
    for (const std::string& text : url->warnings)
      findings_.warning(section_.at("url"), text);
    if (has_password) {
      pool_.password = *url->password;
    } else {
      take_password(is_loopback(url->host) ? Need::kOptional : Need::kRequired);
    }
    if (!url->database.empty()) {
      refuse_beside_url("database");
      pool_.database = url->database;
    }
    if (url->tls_mode) {
      refuse_beside_url("tls.mode");
      pool_.tls.mode = *url->tls_mode;
    }
    if (!url->ca.empty()) {
      refuse_beside_url("tls.ca");
      pool_.tls.ca = url->ca;
    }
  }

  void refuse_beside_url(const std::string& key) {
    if (!section_.has(key)) return;
    findings_.problem(section_.at(key), "found although " + section_.at("url").label +
                                            " says the same, allowed: one of them");
  }

  void take_keys() {
    if (section_.has("endpoints")) {
      for (const std::string key : {"host", "port"}) {
        if (!section_.has(key)) continue;
        findings_.problem(section_.at(key), "found beside endpoints, allowed: one of them");
      }
    } else if (!section_.has("host")) {
      findings_.problem(section_.at("host"),
                        "found nothing, allowed: " + section_.at("host").label +
                            ", or endpoints, or " + section_.at("url").label);
    } else if (!is_host(draft_.host)) {
      const Place place = section_.at("host");
      findings_.problem(place, found_text(draft_.host, place.origin) +
                                   ", allowed: a host name or an IP address, the port in a key of "
                                   "its own");
    } else {
      pool_.endpoints = {{draft_.host, draft_.port}};
    }
    if (pool_.user.empty() && !pool_.passthrough) {
      findings_.problem(section_.at("user"), "found nothing, allowed: the name of a TiDB account");
    }
    if (!pool_.user.empty() || !pool_.passthrough) take_password(Need::kRequired);
  }

  // A local TiDB's root has none by default, and the URLs of local set-ups do not mention it.
  enum class Need : std::uint8_t { kOptional, kRequired };
  void take_password(Need need) {
    const bool optional = need == Need::kOptional;
    if (optional && !section_.has("password") && !section_.has("password_file")) {
      return findings_.warning(section_.at("url"), "no password: the account is used without one");
    }
    pool_.password = assemble_password(section_, pool_.password, draft_.password_file,
                                       {"password", "password_file"}, findings_);
  }

  [[nodiscard]] Place tls_mode_place() const {
    return section_.has("url") && !section_.has("tls.mode") ? section_.at("url")
                                                            : section_.at("tls.mode");
  }

  void check_tls() {
    const Tls& tls = pool_.tls;
    const Place place = tls_mode_place();
    if (!tls.ca.empty()) {
      const Place ca =
          section_.has("tls.ca") || !section_.has("url") ? section_.at("tls.ca") : place;
      check_file(ca, tls.ca, findings_);
      if (tls.mode == TlsMode::kDisabled) {
        findings_.problem(ca, "found a CA although TLS is disabled, allowed: one of them");
      } else if (tls.mode == TlsMode::kRequired) {
        findings_.warning(ca, "the CA is not used: mode required verifies nothing");
      }
    }
    if (tls.mode == TlsMode::kVerifyCa) {
      findings_.warning(place, "TLS mode verify_ca: the host name of TiDB is not verified");
    }
    check_server_key();
    if (tls.mode == TlsMode::kRequired && tls.server_public_key.empty()) {
      findings_.warning(place, "TLS mode required: who answers as TiDB is not verified");
    }
    if (tls.mode == TlsMode::kDisabled) check_plaintext(place);
  }

  void check_server_key() {
    if (pool_.tls.server_public_key.empty()) return;
    const Place key = section_.at("tls.server_public_key");
    check_file(key, pool_.tls.server_public_key, findings_);
    if (pool_.tls.mode == TlsMode::kDisabled)
      findings_.problem(key, "found a key although TLS is disabled, allowed: one of them");
  }

  void check_plaintext(const Place& place) {
    for (const Endpoint& endpoint : pool_.endpoints) {
      if (is_loopback(endpoint.host)) continue;
      if (pool_.tls.allow_plaintext) {
        findings_.warning(place,
                          "plaintext to " + endpoint.host + ": password and data can be read");
        continue;
      }
      findings_.problem(place, "found TLS disabled for " + endpoint.host +
                                   ", allowed: verify_identity, verify_ca or required; disabled "
                                   "only to this machine, or with " +
                                   section_.at("tls.allow_plaintext").label + " true");
    }
  }

  void check_numbers() {
    if (pool_.min_idle > pool_.size) {
      findings_.problem(section_.at("min_idle"), "found " + std::to_string(pool_.min_idle) +
                                                     ", allowed: at most size, " +
                                                     std::to_string(pool_.size));
    }
    if (pool_.backoff.initial > pool_.backoff.max) {
      findings_.problem(section_.at("backoff.initial"),
                        "found " + duration_text(pool_.backoff.initial) +
                            ", allowed: at most backoff.max, " + duration_text(pool_.backoff.max));
    }
  }

  void warn_of_cloud() {
    const Milliseconds idle = pool_.idle_timeout;
    if (idle >= seconds(340) || idle.count() == 0) {
      findings_.warning(section_.at("idle_timeout"),
                        "TiDB Cloud's public endpoints cut connections that are idle for 340s");
    }
    if (pool_.recycle > minutes(30) || pool_.recycle.count() == 0) {
      findings_.warning(section_.at("recycle"),
                        "TiDB Cloud may end connections that are older than 30m; 5m is its advice");
    }
    if (pool_.user.find('.') == std::string::npos && !pool_.user.empty()) {
      findings_.warning(section_.has("url") ? section_.at("url") : section_.at("user"),
                        "TiDB Cloud Serverless wants a cluster prefix, as in 3pTAoNNegb47Uc8.root");
    }
  }

  PoolDraft draft_;
  const Section& section_;
  Pool& pool_;
  Findings& findings_;
};

}  // namespace

Pool assemble_pool(PoolDraft draft, Findings& findings) {
  return PoolAssembly(std::move(draft), findings).finish();
}

}  // namespace tidepool::config
