#include "values.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <thread>
#include <utility>

namespace tidepool::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array kUnits = {Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
                               Unit{"ms", 1}};

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array kSizeUnits = {SizeUnit{"GiB", std::uint64_t{1} << 30U},
                                   SizeUnit{"MiB", std::uint64_t{1} << 20U},
                                   SizeUnit{"KiB", std::uint64_t{1} << 10U}};

std::optional<std::int64_t> whole_number(std::string_view text, int base = 10) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, base);
  if (text.empty() || result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

bool within(const Form& form, double value) {
  return value >= form.low && value <= form.high;
}

template <class T>
bool parse_count(const std::string& text, const Form& form, T& into) {
  const auto value = whole_number(text);
  if (!value || !within(form, static_cast<double>(*value))) return false;
  into = static_cast<T>(*value);
  return true;
}

std::string number_text(double value) {
  std::array<char, 32> buffer{};
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return {buffer.data(), result.ptr};
}

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words)
    text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

std::string range(const Form& form) {
  return " from " + number_text(form.low) + " to " + number_text(form.high);
}

// "::1" and "fe80::1%eth0", but not "host:port".
bool is_ipv6(std::string_view text) {
  const std::string address(text.substr(0, text.find('%')));
  in6_addr ignored{};
  return inet_pton(AF_INET6, address.c_str(), &ignored) == 1;
}

}  // namespace

std::string allowed(const Form& form) {
  switch (form.kind) {
    case Kind::kText:
    case Kind::kSecret: return "text";
    case Kind::kUrl: return "mysql://user:password@host:4000/database";
    case Kind::kPath: return "the path of a file";
    case Kind::kBool: return "true or false";
    case Kind::kCount:
      return "a whole number" + range(form) +
             (form.words.empty() ? "" : ", or " + joined(form.words));
    case Kind::kFraction: return "a number" + range(form);
    case Kind::kDuration:
      return "a duration such as 500ms or 5m, from " +
             duration_text(Milliseconds(static_cast<std::int64_t>(form.low))) + " to " +
             duration_text(Milliseconds(static_cast<std::int64_t>(form.high)));
    case Kind::kSize: return "a size such as 512MiB or 2GiB, or 0";
    case Kind::kMode: return "octal permission bits such as 0660";
    case Kind::kWord: return "one of " + joined(form.words);
    case Kind::kAddress: return "host:port, [IPv6]:port or :port for all interfaces";
    case Kind::kAddressOrOff: return "host:port, [IPv6]:port, :port for all interfaces, or off";
    case Kind::kAddresses: return "a list of host:port or [IPv6]:port";
    case Kind::kHosts: return "a list of host names, without ports";
    case Kind::kNames: return "a list of names";
    case Kind::kNetworks: return "a list of networks such as 10.0.0.0/8 or fd00::/8, or addresses";
  }
  return "";
}

bool is_list(const Form& form) {
  return form.kind == Kind::kAddresses || form.kind == Kind::kHosts || form.kind == Kind::kNames ||
         form.kind == Kind::kNetworks;
}

bool is_secret(const Form& form) {
  return form.kind == Kind::kSecret || form.kind == Kind::kUrl;
}

std::string found_text(const std::string& found, Origin origin) {
  constexpr std::size_t kLongest = 60;
  const std::size_t scheme = found.find("://");
  const bool has_password =
      scheme != std::string::npos && found.find('@', scheme) != std::string::npos;
  if (origin == Origin::kReference) return "found something else in a variable";
  if (has_password) return "found something else";
  std::string text = "found \"";
  for (const char c : found.substr(0, kLongest)) {
    text += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
  }
  return text + (found.size() > kLongest ? "…\"" : "\"");
}

std::string wrong_value(const Form& form, const std::string& found, Origin origin) {
  const std::string text = is_secret(form) ? "found something else" : found_text(found, origin);
  return text + ", allowed: " + allowed(form);
}

bool parse(const std::string& text, const Form& form, Secret& into) {
  std::string parsed;
  if (!parse(text, form, parsed)) return false;
  into = parsed;
  return true;
}

bool parse(const std::string& text, const Form&, std::string& into) {
  // What ends a C string would silently cut what a C library sees.
  if (text.find('\0') != std::string::npos) return false;
  into = text;
  return true;
}

bool parse(const std::string& text, const Form&, bool& into) {
  if (text != "true" && text != "false") return false;
  into = text == "true";
  return true;
}

bool parse(const std::string& text, const Form& form, int& into) {
  if (!form.words.empty() && text == form.words.front()) {
    into = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    return true;
  }
  return parse_count(text, form, into);
}

bool parse(const std::string& text, const Form& form, std::uint16_t& into) {
  return parse_count(text, form, into);
}

bool parse(const std::string& text, const Form&, std::uint32_t& into) {
  const auto value = whole_number(text, 8);
  if (!value || text.size() < 3 || text.size() > 4 || *value < 0 || *value > 0777) return false;
  into = static_cast<std::uint32_t>(*value);
  return true;
}

bool parse(const std::string& text, const Form&, std::uint64_t& into) {
  constexpr std::int64_t kMost = std::int64_t{1} << 30U;  // of a unit
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = whole_number(std::string_view(text).substr(0, digits));
  const std::string_view name = std::string_view(text).substr(digits);
  if (!number || *number > kMost) return false;
  if (name.empty() && *number == 0) {
    into = 0;
    return true;
  }
  for (const SizeUnit& unit : kSizeUnits) {
    if (unit.name != name) continue;
    into = static_cast<std::uint64_t>(*number) * unit.bytes;
    return true;
  }
  return false;
}

bool parse(const std::string& text, const Form& form, double& into) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (text.empty() || result.ec != std::errc() || result.ptr != end || !within(form, value)) {
    return false;
  }
  into = value;
  return true;
}

bool parse(const std::string& text, const Form& form, Milliseconds& into) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = whole_number(std::string_view(text).substr(0, digits));
  const std::string_view name = std::string_view(text).substr(digits);
  const auto* unit =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == name; });
  const bool plain_zero = name.empty() && number == 0;
  if (!number || (unit == kUnits.end() && !plain_zero)) return false;
  const std::int64_t factor = plain_zero ? 1 : unit->milliseconds;
  if (!within(form, static_cast<double>(*number) * static_cast<double>(factor))) return false;
  into = Milliseconds(*number * factor);
  return true;
}

bool parse(const std::string& text, const Form& form, std::optional<Milliseconds>& into) {
  return parse(text, form, into.emplace());
}

bool parse(const std::string& text, const Form& form, Endpoint& into) {
  std::string_view host = text;
  std::string_view port;
  if (!is_ipv6(text)) {
    const std::size_t colon = text.rfind(':');
    if (colon != std::string::npos && text.find(']', colon) == std::string::npos) {
      host = std::string_view(text).substr(0, colon);
      port = std::string_view(text).substr(colon + 1);
      if (port.empty()) return false;
    }
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (bracketed != is_ipv6(host)) return false;
  }
  const bool listens = form.kind != Kind::kAddresses;
  if (listens && (host == "*" || (host.empty() && !port.empty()))) host = "0.0.0.0";
  if (!is_host(host)) return false;
  const auto number = port.empty() ? into.port : whole_number(port);
  if (!number || *number < (listens ? 0 : 1) || *number > 65535) return false;
  into = {std::string(host), static_cast<std::uint16_t>(*number)};
  return true;
}

bool parse(const std::string& text, const Form& form, Http& into) {
  if (text == "off") {
    into.enabled = false;
    return true;
  }
  Endpoint address{into.host, into.port};
  if (!parse(text, form, address)) return false;
  into.enabled = true;
  into.host = address.host;
  into.port = address.port;
  return true;
}

bool parse(const std::string& text, const Form& form, std::vector<Endpoint>& into) {
  Endpoint endpoint;
  if (!parse(text, form, endpoint)) return false;
  into.push_back(std::move(endpoint));
  return true;
}

bool parse(const std::string& text, const Form& form, std::vector<std::string>& into) {
  if (form.kind == Kind::kNames) {
    std::string name;
    if (text.empty() || !parse(text, form, name)) return false;
    into.push_back(std::move(name));
    return true;
  }
  std::size_t from = 0;
  while (from <= text.size()) {
    const std::size_t end = std::min(text.find(',', from), text.size());
    const std::size_t begin = std::min(text.find_first_not_of(' ', from), end);
    const std::size_t last = text.find_last_not_of(' ', end == 0 ? 0 : end - 1);
    const std::string name = begin < end ? text.substr(begin, last + 1 - begin) : "";
    if (!is_host(name) || name.find(':') != std::string::npos) return false;
    into.push_back(name);
    from = end + 1;
  }
  return true;
}

bool parse(const std::string& text, const Form&, std::vector<Network>& into) {
  auto network = Network::parse(text);
  if (!network) return false;
  into.push_back(std::move(*network));
  return true;
}

std::string show(const Form&, const std::string& value) {
  return value;
}

std::string show(const Form&, const Secret& value) {
  return std::string(value.view());
}

std::string show(const Form&, bool value) {
  return value ? "true" : "false";
}

std::string show(const Form&, int value) {
  return std::to_string(value);
}

std::string show(const Form&, std::uint16_t value) {
  return std::to_string(value);
}

std::string show(const Form&, std::uint32_t value) {
  std::array<char, 8> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04o", value & 0777U);
  return buffer.data();
}

std::string show(const Form&, std::uint64_t value) {
  for (const SizeUnit& unit : kSizeUnits) {
    if (value > 0 && value % unit.bytes == 0) {
      return std::to_string(value / unit.bytes).append(unit.name);
    }
  }
  return "0";
}

std::string show(const Form&, double value) {
  return number_text(value);
}

std::string show(const Form&, Milliseconds value) {
  return duration_text(value);
}

std::string show(const Form& form, const std::optional<Milliseconds>& value) {
  return value ? show(form, *value) : std::string();
}

std::string show(const Form&, const Endpoint& value) {
  return address_text(value.host, value.port);
}

std::string show(const Form&, const Http& value) {
  return value.enabled ? address_text(value.host, value.port) : "off";
}

std::string show(const Form& form, const std::vector<Endpoint>& value) {
  std::string text;
  for (const Endpoint& endpoint : value)
    text += (text.empty() ? "" : ", ") + show(form, endpoint);
  return text.empty() ? "" : "[" + text + "]";
}

std::string show(const Form&, const std::vector<std::string>& value) {
  std::string text;
  for (const std::string& one : value)
    text += (text.empty() ? "" : ", ") + one;
  return text.empty() ? "" : "[" + text + "]";
}

std::string show(const Form&, const std::vector<Network>& value) {
  std::string text;
  for (const Network& one : value)
    text += (text.empty() ? "" : ", ") + one.text();
  return text.empty() ? "" : "[" + text + "]";
}

std::string duration_text(Milliseconds value) {
  if (value.count() == 0) return "0";
  for (const Unit& unit : kUnits) {
    if (value.count() % unit.milliseconds != 0) continue;
    return std::to_string(value.count() / unit.milliseconds).append(unit.name);
  }
  return "";
}

std::string address_text(const std::string& host, std::uint16_t port) {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool is_loopback(std::string_view host) {
  in_addr ipv4{};
  const std::string text(host);
  if (inet_pton(AF_INET, text.c_str(), &ipv4) == 1) return (ntohl(ipv4.s_addr) >> 24U) == 127;
  in6_addr ipv6{};
  if (inet_pton(AF_INET6, text.c_str(), &ipv6) == 1) return IN6_IS_ADDR_LOOPBACK(&ipv6);
  return host == "localhost";
}

bool is_host(std::string_view text) {
  if (is_ipv6(text)) return true;
  const auto is_name_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  const bool only_digits = text.find_first_not_of("0123456789") == std::string_view::npos;
  return !text.empty() && text.size() <= 253 && !only_digits &&
         std::all_of(text.begin(), text.end(), is_name_char);
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  std::size_t best_distance = std::clamp<std::size_t>((word.size() + 1) / 3, 1, 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (word.size() > candidate.size() + best_distance) continue;
    // Levenshtein, one row at a time.
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j)
      row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i);
      for (std::size_t j = 1; j < row.size(); ++j) {
        const std::size_t replaced = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
      }
    }
    if (row.back() < best_distance) {
      best = candidate;
      best_distance = row.back();
    }
  }
  return best;
}

}  // namespace tidepool::config
