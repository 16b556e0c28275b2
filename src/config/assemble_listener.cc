#include <sys/un.h>

#include "assemble.h"
#include "values.h"

namespace tidepool::config {
namespace {

void check_socket(const Section& section, const Listener& listener, Findings& findings) {
  constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  if (section.has("address")) {
    findings.problem(section.at("socket"), "found beside address, allowed: one of them");
  }
  if (listener.socket_path.size() > kLongest || listener.socket_path.empty()) {
    findings.problem(section.at("socket"), "found a path of " +
                                               std::to_string(listener.socket_path.size()) +
                                               " bytes, allowed: 1 to " + std::to_string(kLongest));
  }
  if (listener.tls.mode != ClientTlsMode::kOff) {
    findings.problem(section.at("tls.mode"), "found TLS on a Unix socket, allowed: off");
  }
}

void check_tls(const Section& section, const ClientTls& tls, Findings& findings) {
  using Entry = std::pair<std::string_view, const std::string*>;
  for (const auto& [key, path] :
       {Entry{"tls.certificate", &tls.certificate}, Entry{"tls.key", &tls.key}}) {
    if (tls.mode == ClientTlsMode::kOff) {
      if (!path->empty()) {
        findings.problem(
            section.at(key),
            "found while tls.mode is off, allowed: with tls.mode optional or required");
      }
    } else if (path->empty()) {
      findings.problem(section.at(key), "found nothing, allowed: the path of a PEM file");
    } else {
      check_file(section.at(key), *path, findings);
    }
  }
}

// Whose certificates are good, where clients have to show one.
void check_client_ca(const Section& section, ClientTls& tls, Findings& findings) {
  if (!section.has("tls.client_ca")) {
    if (tls.verify_client != VerifyClient::kOff)
      findings.problem(section.at("tls.verify_client"),
                       "found without tls.client_ca, allowed: with it, or off");
    return;
  }
  if (tls.mode == ClientTlsMode::kOff)
    return findings.problem(
        section.at("tls.client_ca"),
        "found while tls.mode is off, allowed: with tls.mode optional or required");
  check_file(section.at("tls.client_ca"), tls.client_ca, findings);
  if (!section.has("tls.verify_client")) tls.verify_client = VerifyClient::kRequired;
}

// Where a password may be sent as it is, and a header be expected.
void check_login_keys(const Section& section, const Listener& listener, Findings& findings) {
  if (listener.clear_password && !listener.is_socket() && listener.tls.mode == ClientTlsMode::kOff)
    findings.problem(section.at("clear_password"),
                     "found true where nothing encrypts it, allowed: with tls.mode optional or "
                     "required, or on a socket");
  if (listener.is_socket() && section.has("proxy_protocol_networks"))
    findings.problem(section.at("proxy_protocol_networks"),
                     "found on a Unix socket, which has no networks, allowed: with address");
}

}  // namespace

Listener assemble_listener(ListenerDraft draft, Findings& findings) {
  const Section& section = draft.section;
  Listener listener = std::move(draft.listener);
  listener.host = std::move(draft.address.host);
  listener.port = draft.address.port;
  if (section.has("socket")) {
    check_socket(section, listener, findings);
  } else if (section.has("socket_mode")) {
    findings.problem(section.at("socket_mode"), "found without socket, allowed: with socket");
  }
  check_tls(section, listener.tls, findings);
  check_client_ca(section, listener.tls, findings);
  check_login_keys(section, listener, findings);
  return listener;
}

}  // namespace tidepool::config
