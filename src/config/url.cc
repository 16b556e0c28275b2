#include "url.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>
#include <utility>

#include <uriparser/Uri.h>

#include "url_query.h"
#include "values.h"

namespace tidepool::config {
namespace {

using Problems = std::vector<std::string>;

// The URL cut where SQLAlchemy cuts it; user and password still encoded.
struct Pieces {
  std::string_view scheme;
  std::string_view user;
  std::optional<std::string_view> password;
  std::string_view rest;  // host and all that follows
};

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::optional<Pieces> cut(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  Pieces pieces{text.substr(0, colon), {}, {}, text.substr(colon + 3)};

  const std::size_t name_end = pieces.rest.find_first_of(":/@?");
  if (name_end == std::string_view::npos) return pieces;
  std::size_t at = pieces.rest.find('@', name_end);
  const char delimiter = pieces.rest[name_end];
  if (at == std::string_view::npos || delimiter == '/' || delimiter == '?') return pieces;
  // A raw @ in the password: the last one before the host's end counts.
  const std::size_t host_end = std::min(pieces.rest.find_first_of("/?", at), pieces.rest.size());
  at = pieces.rest.substr(0, host_end).rfind('@');
  pieces.user = pieces.rest.substr(0, name_end);
  if (delimiter == ':') pieces.password = pieces.rest.substr(name_end + 1, at - name_end - 1);
  if (delimiter == '@') pieces.user = pieces.rest.substr(0, at);
  pieces.rest.remove_prefix(at + 1);
  return pieces;
}

bool is_known_scheme(std::string_view scheme) {
  const std::string_view product = scheme.substr(0, scheme.find('+'));
  const std::string_view driver = scheme.substr(std::min(product.size(), scheme.size()));
  const auto is_driver_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool known =
      product == "mysql" || product == "mysql2" || product == "mariadb" || product == "tidb";
  return known &&
         (driver.empty() ||
          (driver.size() > 1 && std::all_of(driver.begin() + 1, driver.end(), is_driver_char)));
}

// Nothing if it holds a zero byte, which no account of TiDB can and C libraries would cut at.
std::optional<std::string> decoded(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::string copy(text);
  const char* end = uriUnescapeInPlaceExA(copy.data(), URI_FALSE, URI_BR_DONT_TOUCH);
  copy.resize(static_cast<std::size_t>(end - copy.data()));
  if (copy.find('\0') != std::string::npos) return std::nullopt;
  return copy;
}

// Host, path and query as RFC 3986 wants them: what people leave raw, such as the JSON of ssl={…},
// percent-encoded.
std::string encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~:/?#@!$&'()*+,;=";
  std::string result;
  bool in_host = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    in_host = in_host && c != '/' && c != '?';
    const bool plain =
        is_hex(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
        kPlain.find(c) != std::string_view::npos || (in_host && (c == '[' || c == ']')) ||
        (c == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2]));
    if (plain) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
    }
  }
  return result;
}

std::string_view view(const UriTextRangeA& range) {
  if (range.first == nullptr) return {};
  return {range.first, static_cast<std::size_t>(range.afterLast - range.first)};
}

// A parsed URI, and the text that it points into.
class ParsedUri {
 public:
  explicit ParsedUri(std::string text) : text_(std::move(text)) {
    const char* end = text_.data() + text_.size();
    ok_ = uriParseSingleUriExA(&uri_, text_.data(), end, nullptr) == URI_SUCCESS;
  }
  ~ParsedUri() {
    if (ok_) uriFreeUriMembersA(&uri_);
  }
  ParsedUri(const ParsedUri&) = delete;
  ParsedUri& operator=(const ParsedUri&) = delete;
  ParsedUri(ParsedUri&&) = delete;
  ParsedUri& operator=(ParsedUri&&) = delete;

  [[nodiscard]] bool ok() const { return ok_; }
  const UriUriA& operator*() const { return uri_; }

 private:
  std::string text_;
  UriUriA uri_{};
  bool ok_ = false;
};

void take_account(const Pieces& pieces, Url& url, Problems& problems) {
  if (pieces.user.empty()) {
    problems.emplace_back("no user was found, allowed: mysql://user:password@host:4000/database");
  }
  const auto user = decoded(pieces.user);
  const auto password = pieces.password ? decoded(*pieces.password) : std::string();
  if (!user || !password) problems.emplace_back("a zero byte in user or password");
  url.user = user.value_or("");
  if (pieces.password) url.password = password.value_or("");
}

void take_address(const UriUriA& uri, Url& url, Problems& problems) {
  // Neither is repeated in the problem: an unencoded password may have ended up here.
  url.host = view(uri.hostText);
  if (!is_host(url.host)) {
    problems.emplace_back(
        "no host was found, allowed: a name, an IPv4 address or [an IPv6 address]");
  }
  const std::string_view port = view(uri.portText);
  if (port.empty()) return;
  const auto result = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (result.ec != std::errc() || url.port == 0) {
    problems.emplace_back("the port is out of range, allowed: 1 to 65535");
  }
}

void take_database(const UriUriA& uri, Url& url, Problems& problems) {
  if (uri.pathHead == nullptr) return;
  const auto database = decoded(view(uri.pathHead->text));
  if (!database || uri.pathHead->next != nullptr) {
    problems.emplace_back("more than the name of a database after the host");
    return;
  }
  url.database = *database;
}

std::vector<Parameter> parameters_of(const UriUriA& uri) {
  const UriTextRangeA& query = uri.query;
  UriQueryListA* list = nullptr;
  int count = 0;
  if (query.first == nullptr ||
      uriDissectQueryMallocExA(&list, &count, query.first, query.afterLast, URI_TRUE,
                               URI_BR_DONT_TOUCH) != URI_SUCCESS) {
    return {};
  }
  const std::unique_ptr<UriQueryListA, void (*)(UriQueryListA*)> owned(list, &uriFreeQueryListA);
  std::vector<Parameter> parameters;
  for (const UriQueryListA* item = list; item != nullptr; item = item->next) {
    if (*item->key == '\0' && item->value == nullptr) continue;
    parameters.push_back({item->key, item->value == nullptr ? "" : item->value});
  }
  return parameters;
}

}  // namespace

tl::expected<Url, std::vector<std::string>> parse_url(const std::string& text) {
  const auto pieces = cut(text);
  if (!pieces || !is_known_scheme(pieces->scheme)) {
    return tl::unexpected(Problems{
        "found no scheme that is known, allowed: mysql://, mysql+DRIVER://, mariadb://, tidb://"});
  }
  Url url;
  Problems problems;
  take_account(*pieces, url, problems);
  const ParsedUri uri("mysql://" + encoded(pieces->rest));
  if (!uri.ok()) {
    problems.emplace_back(
        "what follows the user and password is not host:port/database?parameters, allowed: "
        "mysql://user:password@host:4000/database, special characters percent-encoded");
    return tl::unexpected(std::move(problems));
  }
  take_address(*uri, url, problems);
  take_database(*uri, url, problems);
  if (view((*uri).userInfo).data() != nullptr || (*uri).fragment.first != nullptr) {
    problems.emplace_back("an @ or # after the host, allowed: %40 or %23 in their place");
  }
  for (std::string& problem : apply_parameters(parameters_of(*uri), url)) {
    problems.push_back(std::move(problem));
  }
  if (!problems.empty()) return tl::unexpected(std::move(problems));
  return url;
}

}  // namespace tidepool::config
