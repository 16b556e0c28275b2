// How the values of keys are written: one Form a key, from which follow what is accepted, what the
// error says is allowed, and what the documentation says. parse() never throws; false means that
// the text is none of what allowed() names.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tidepool/config/config.h"

namespace tidepool::config {

enum class Kind : std::uint8_t {
  kText,
  kSecret,        // text that no message may repeat
  kUrl,           // text that no message may repeat, for its password
  kPath,          // of a file
  kBool,          //
  kCount,         // low to high; with words: or one of them
  kFraction,      // low to high
  kDuration,      // low to high, in milliseconds
  kSize,          // bytes; 0 or with a unit
  kMode,          // permission bits, octal
  kWord,          // one of words, in the order of the enumerators
  kAddress,       // host:port
  kAddressOrOff,  //
  kAddresses,     // a list of host:port
  kHosts,         // a list of names
  kNames,         // a list of texts
  kNetworks,      // a list of ranges of addresses
};

struct Form {
  Kind kind = Kind::kText;
  double low = 0;
  double high = 0;
  std::span<const std::string_view> words = {};
};

std::string allowed(const Form& form);

// Whether the value may be a list of several.
bool is_list(const Form& form);

// Whether no message may repeat the value.
bool is_secret(const Form& form);

// Where a value comes from.
enum class Origin : std::uint8_t {
  kText,         // the file itself
  kOwnVariable,  // TIDB_PORT, for the port
  kReference,    // ${NAME} in the file
};

// "found …": the value, unless it may be a secret. The value of a variable may be one, since the
// file may name the wrong variable; so may a URL with a password where no URL belongs.
std::string found_text(const std::string& found, Origin origin);

// The problem with a value: what was found, unless it may be a secret, and what is allowed.
std::string wrong_value(const Form& form, const std::string& found, Origin origin);

bool parse(const std::string& text, const Form& form, std::string& into);
bool parse(const std::string& text, const Form& form, Secret& into);
bool parse(const std::string& text, const Form& form, bool& into);
bool parse(const std::string& text, const Form& form, int& into);
bool parse(const std::string& text, const Form& form, std::uint16_t& into);
bool parse(const std::string& text, const Form& form, std::uint32_t& into);
bool parse(const std::string& text, const Form& form, std::uint64_t& into);
bool parse(const std::string& text, const Form& form, double& into);
bool parse(const std::string& text, const Form& form, Milliseconds& into);
bool parse(const std::string& text, const Form& form, std::optional<Milliseconds>& into);
bool parse(const std::string& text, const Form& form, Endpoint& into);
bool parse(const std::string& text, const Form& form, Http& into);
bool parse(const std::string& text, const Form& form, std::vector<Endpoint>& into);  // appends one
bool parse(const std::string& text, const Form& form,
           std::vector<std::string>& into);  // appends those between commas, or one text
bool parse(const std::string& text, const Form& form, std::vector<Network>& into);  // appends one

template <class E>
requires std::is_enum_v<E>
bool parse(const std::string& text, const Form& form, E& into) {
  for (std::size_t index = 0; index < form.words.size(); ++index) {
    if (form.words[index] != text) continue;
    into = static_cast<E>(index);
    return true;
  }
  return false;
}

// As it would be written in the file; parse() of it gives the same value back. Empty text: no
// value.
std::string show(const Form& form, const std::string& value);
std::string show(const Form& form, const Secret& value);
std::string show(const Form& form, bool value);
std::string show(const Form& form, int value);
std::string show(const Form& form, std::uint16_t value);
std::string show(const Form& form, std::uint32_t value);
std::string show(const Form& form, std::uint64_t value);
std::string show(const Form& form, double value);
std::string show(const Form& form, Milliseconds value);
std::string show(const Form& form, const std::optional<Milliseconds>& value);
std::string show(const Form& form, const Endpoint& value);
std::string show(const Form& form, const Http& value);
std::string show(const Form& form, const std::vector<Endpoint>& value);
std::string show(const Form& form, const std::vector<std::string>& value);
std::string show(const Form& form, const std::vector<Network>& value);

template <class E>
requires std::is_enum_v<E> std::string show(const Form& form, E value) {
  return std::string(form.words[static_cast<std::size_t>(value)]);
}

// "90s" of 90'000 ms: the largest unit without a remainder.
std::string duration_text(Milliseconds value);

// host:port with brackets around an IPv6 address.
std::string address_text(const std::string& host, std::uint16_t port);

// Whether the host is this machine by its very name: 127.0.0.0/8, ::1 or localhost.
bool is_loopback(std::string_view host);

// A name or an IP address, without brackets.
bool is_host(std::string_view text);

// The candidate that was probably meant; empty if none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// The words of every enum of Config, in its order.
inline constexpr auto kLevelWords =
    std::to_array<std::string_view>({"trace", "debug", "info", "warn", "error"});
inline constexpr auto kFormatWords = std::to_array<std::string_view>({"text", "json"});
inline constexpr auto kClientTlsWords =
    std::to_array<std::string_view>({"off", "optional", "required"});
inline constexpr auto kVerifyClientWords =
    std::to_array<std::string_view>({"off", "optional", "required"});
inline constexpr auto kTlsWords =
    std::to_array<std::string_view>({"verify_identity", "verify_ca", "required", "disabled"});
inline constexpr auto kTlsVersionWords = std::to_array<std::string_view>({"1.2", "1.3"});
inline constexpr auto kAutoWord = std::to_array<std::string_view>({"auto"});

}  // namespace tidepool::config
