#include "url_query.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "values.h"

namespace tidepool::config {
namespace {

// Parameters of drivers that do not concern the proxy, which ignores them.
constexpr std::array<std::string_view, 38> kDriverParameters = {"allowNativePasswords",
                                                                "auth_plugin",
                                                                "autocommit",
                                                                "autoReconnect",
                                                                "binary_prefix",
                                                                "characterEncoding",
                                                                "client_flag",
                                                                "collation",
                                                                "connection_timeout",
                                                                "connect_timeout",
                                                                "connectTimeout",
                                                                "connectionLimit",
                                                                "connection_limit",
                                                                "conv",
                                                                "echo",
                                                                "init_command",
                                                                "interpolateParams",
                                                                "loc",
                                                                "local_infile",
                                                                "max_allowed_packet",
                                                                "maxsize",
                                                                "minsize",
                                                                "multiStatements",
                                                                "parseTime",
                                                                "pool_name",
                                                                "pool_recycle",
                                                                "pool_size",
                                                                "pool_timeout",
                                                                "program_name",
                                                                "raise_on_warnings",
                                                                "read_timeout",
                                                                "readTimeout",
                                                                "serverTimezone",
                                                                "sql_mode",
                                                                "timeout",
                                                                "use_pure",
                                                                "write_timeout",
                                                                "writeTimeout"};

// What a client and its proxy agree on between themselves: not even worth a warning.
constexpr std::array<std::string_view, 3> kIgnored = {"charset", "use_unicode", "useUnicode"};

constexpr std::array<std::string_view, 15> kTlsParameters = {"ssl",
                                                             "tls",
                                                             "useSSL",
                                                             "requireSSL",
                                                             "ssl_disabled",
                                                             "ssl_ca",
                                                             "ssl-ca",
                                                             "sslcert",
                                                             "ssl_mode",
                                                             "ssl-mode",
                                                             "sslMode",
                                                             "sslmode",
                                                             "ssl_verify_cert",
                                                             "ssl_verify_identity",
                                                             "sslaccept"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string lower(std::string text) {
  for (char& c : text)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::optional<bool> as_bool(const std::string& value) {
  const std::string text = lower(value);
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  return std::nullopt;
}

// Everything the parameters said, before it is made one mode.
class TlsWishes {
 public:
  explicit TlsWishes(Url& url) : url_(url) {}

  void take(const Parameter& parameter) {
    const std::string& name = parameter.name;
    if (name == "ssl_ca" || name == "ssl-ca" || name == "sslcert") {
      if (parameter.value.empty()) return refuse(parameter, "the path of a file");
      url_.ca = parameter.value;
    } else if (lower(name) == "sslmode" || name == "ssl_mode" || name == "ssl-mode") {
      take_mode(parameter);
    } else if (name == "sslaccept") {
      take_word(parameter, {{"strict", TlsMode::kVerifyIdentity}}, "strict");
    } else if (name == "ssl_verify_cert") {
      take_bool(parameter, verify_cert_);
    } else if (name == "ssl_verify_identity") {
      take_bool(parameter, verify_identity_);
    } else if (name == "ssl_disabled") {
      std::optional<bool> disabled;
      take_bool(parameter, disabled);
      if (disabled) wanted_ = !*disabled;
    } else {
      take_switch(parameter);
    }
  }

  std::vector<std::string> finish() {
    const bool off = wanted_ == false || mode_ == TlsMode::kDisabled;
    const bool on = wanted_ == true || (mode_ && *mode_ != TlsMode::kDisabled) ||
                    verify_cert_ == true || verify_identity_ == true || !url_.ca.empty();
    if (off && on) problems_.emplace_back("its parameters switch TLS both off and on");
    if (verify_identity_ == true && verify_cert_ == false) {
      problems_.emplace_back("ssl_verify_identity=true needs ssl_verify_cert=true");
    }
    if (off) {
      url_.tls_mode = TlsMode::kDisabled;
    } else if (mode_) {
      url_.tls_mode = mode_;
    } else if (verify_cert_ == false) {
      url_.tls_mode = TlsMode::kRequired;
    } else if (verify_identity_ == false) {
      url_.tls_mode = TlsMode::kVerifyCa;
    } else if (on) {
      url_.tls_mode = TlsMode::kVerifyIdentity;
    }
    return std::move(problems_);
  }

 private:
  using ModeWord = std::pair<std::string_view, TlsMode>;

  void refuse(const Parameter& parameter, const std::string& allowed) {
    problems_.push_back("parameter " + parameter.name + ": found \"" + parameter.value +
                        "\", allowed: " + allowed);
  }

  void take_bool(const Parameter& parameter, std::optional<bool>& into) {
    into = as_bool(parameter.value);
    if (!into) refuse(parameter, "true or false");
  }

  void take_word(const Parameter& parameter, const std::vector<ModeWord>& words,
                 const std::string& allowed) {
    for (const auto& [word, mode] : words) {
      if (lower(parameter.value) == word) mode_ = mode;
    }
    if (!mode_) refuse(parameter, allowed);
  }

  void take_mode(const Parameter& parameter) {
    take_word(parameter,
              {{"verify_identity", TlsMode::kVerifyIdentity},
               {"verify_ca", TlsMode::kVerifyCa},
               {"required", TlsMode::kRequired},
               {"disabled", TlsMode::kDisabled}},
              "VERIFY_IDENTITY, VERIFY_CA, REQUIRED or DISABLED");
  }

  // ssl=true; tls=true of Go; useSSL=true of Java; ssl={"rejectUnauthorized":true} of Node.
  void take_switch(const Parameter& parameter) {
    wanted_ = as_bool(parameter.value);
    if (wanted_) return;
    std::string object;
    std::copy_if(parameter.value.begin(), parameter.value.end(), std::back_inserter(object),
                 [](char c) { return c != ' '; });
    const bool is_object = object.size() > 2 && object.front() == '{' && object.back() == '}';
    const bool unverified = object.find("\"rejectUnauthorized\":false") != std::string::npos;
    wanted_ = is_object && !unverified;
    if (!*wanted_) refuse(parameter, "true or false");
  }

  Url& url_;
  std::optional<bool> wanted_;
  std::optional<bool> verify_cert_;
  std::optional<bool> verify_identity_;
  std::optional<TlsMode> mode_;
  std::vector<std::string> problems_;
};

std::string unknown(const std::string& name) {
  std::vector<std::string_view> known(kTlsParameters.begin(), kTlsParameters.end());
  known.insert(known.end(), kIgnored.begin(), kIgnored.end());
  known.insert(known.end(), kDriverParameters.begin(), kDriverParameters.end());
  const std::string_view near = nearest(name, known);
  std::string text = "unknown parameter " + name;
  if (!near.empty()) return text.append(", did you mean ").append(near).append("?");
  return text + ", allowed: ssl, ssl_ca, ssl_mode, ssl_verify_cert, ssl_verify_identity, charset";
}

}  // namespace

std::vector<std::string> apply_parameters(const std::vector<Parameter>& parameters, Url& url) {
  TlsWishes wishes(url);
  std::vector<std::string> problems;
  for (const Parameter& parameter : parameters) {
    if (contains(kTlsParameters, parameter.name)) {
      wishes.take(parameter);
    } else if (contains(kDriverParameters, parameter.name)) {
      url.warnings.push_back("parameter " + parameter.name +
                             " concerns the application's driver and is ignored here");
    } else if (!contains(kIgnored, parameter.name)) {
      problems.push_back(unknown(parameter.name));
    }
  }
  for (std::string& problem : wishes.finish())
    problems.push_back(std::move(problem));
  return problems;
}

}  // namespace tidepool::config
