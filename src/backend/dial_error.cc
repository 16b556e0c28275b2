#include "dial_error.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace tidepool::backend {
namespace {

bool concerns_account(unsigned number) {
  switch (number) {
    case 1044:  // no access to the database
    case 1045:  // user or password
    case 1049:  // unknown database
    case 1130:  // host not allowed
    case 1251:  // authentication protocol
    case 1524:  // plugin not loaded
    case 1698:
    case 1820:  // password must be changed
    case 1862:  // password expired
    case 3118:  // account locked
    case 3955:  // account blocked after failed logins
      return true;
    default: return false;
  }
}

// TiDB Cloud's gateway has no number of its own for these, and they do not mend themselves. Texts:
// its documentation and users' reports.
bool gateway_refuses_account(unsigned number, std::string_view text) {
  if (number != 1105) return false;
  constexpr auto kRefusals = std::to_array<std::string_view>({
      "usage quota being exhausted",
      "Missing user name prefix",
      "Access denied",
      "insecure transport are prohibited",
  });
  return std::any_of(kRefusals.begin(), kRefusals.end(), [&](std::string_view refusal) {
    return text.find(refusal) != std::string_view::npos;
  });
}

}  // namespace

bool is_library_error(unsigned number) {
  return (number >= kFirst && number <= kLast) ||
         (number >= kFirstMariadb && number <= kLastMariadb);
}

Error server_error(unsigned number, std::string sqlstate, std::string text) {
  Code code = Code::kBackend;
  if (concerns_account(number) || gateway_refuses_account(number, text)) code = Code::kAuth;
  if (number == 3159) code = Code::kTls;  // TLS is required by the server
  return Error{code, std::move(text), static_cast<std::uint16_t>(number), std::move(sqlstate)};
}

std::optional<Error> early_server_error(const std::string& library_text) {
  constexpr std::string_view kBefore = "authenticity of the following error cannot be verified: ";
  constexpr std::string_view kBetween = " - ";
  const std::size_t at = library_text.find(kBefore);
  if (at == std::string::npos) return std::nullopt;
  const std::string_view rest = std::string_view(library_text).substr(at + kBefore.size());
  unsigned number = 0;
  const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  const std::string_view text = rest.substr(static_cast<std::size_t>(end - rest.data()));
  if (failed != std::errc() || !text.starts_with(kBetween)) return std::nullopt;
  return server_error(number, "", std::string(text.substr(kBetween.size())));
}

Error unverified_server(const std::string& where) {
  return Error{Code::kAuth, where +
                                ": the server asks for the account's password itself (as TiDB does "
                                "for caching_sha2_password), which goes only to a server that is "
                                "verified: set tls.mode to verify_identity or verify_ca, or "
                                "tls.server_public_key, or give the account "
                                "mysql_native_password"};
}

Error library_error(unsigned number, const std::string& text, const std::string& where,
                    const std::string& phase) {
  switch (number) {
    case kConnection:
    case kConnectHost: return Error{Code::kRefused, where + ": cannot connect: " + text};
    case kUnknownHost: return Error{Code::kRefused, where + ": the name does not resolve: " + text};
    case kServerGone:
    case kServerLost:  // the library's text names an errno that has nothing to do with it
      return Error{Code::kClosed,
                   where + ": the server hung up, or does not speak MySQL, while " + phase};
    case kTlsFailed: return Error{Code::kTls, where + ": " + text};
    case kCannotLoadPlugin:
      // No name: when the connection ends behind the TLS handshake, the library may take what its
      // buffer had before for the server's wish for another plugin.
      if (text.starts_with("Plugin  could")) return library_error(kServerLost, text, where, phase);
      return Error{Code::kAuth,
                   where + ": the account's authentication plugin is not available: " + text};
    case kPluginNotAllowed:  // the library's text names the wrong one
      return unverified_server(where);
    case kVersion:
    case kServerHandshake:
    case kMalformedPacket: return Error{Code::kProtocol, where + ": not a MySQL server: " + text};
    default:
      return Error{Code::kInternal, where + ": " + text + " (" + std::to_string(number) + ")"};
  }
}

}  // namespace tidepool::backend
