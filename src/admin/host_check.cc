#include "host_check.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <string_view>

namespace tidepool::admin {
namespace {

constexpr std::size_t kShown = 64;  // of a wrong name

bool is_port(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Without brackets and port; empty: there is none.
std::string host_of(std::string_view value) {
  std::size_t end = value.find(':');
  std::size_t begin = 0;
  if (value.starts_with('[')) {
    begin = 1;
    end = value.find(']');
    if (end == std::string_view::npos) return {};
  }
  const std::string_view host =
      value.substr(begin, end == std::string_view::npos ? end : end - begin);
  std::string_view rest = end == std::string_view::npos ? "" : value.substr(end);
  if (begin == 1) rest.remove_prefix(1);
  if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return {};
  std::string lower(host);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool is_address(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

std::string shown(std::string_view value) {
  std::string text(value.substr(0, kShown));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
  return text + (value.size() > kShown ? "..." : "");
}

}  // namespace

std::optional<HttpRefusal> check_host(const HttpRequest& request,
                                      const std::vector<std::string>& names) {
  const auto count = std::count_if(request.headers.begin(), request.headers.end(),
                                   [](const auto& header) { return header.first == "host"; });
  if (count == 0 && request.minor_version == 0) return {};  // no browser of today
  if (count != 1) return HttpRefusal{400, "a request has one Host header"};
  const std::string& value = *request.header("host");
  std::string host = host_of(value);
  if (host.size() > 1 && host.back() == '.') host.pop_back();
  const bool is_known = host == "localhost" || is_address(host) || is_address(value) ||
                        std::find(names.begin(), names.end(), host) != names.end();
  if (is_known) return {};
  return HttpRefusal{421, "'" + shown(value) + "' is no name of this port: call it by its IP " +
                              "address, or add the name to http.hosts in the configuration"};
}

}  // namespace tidepool::admin
