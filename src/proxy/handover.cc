#include "tidepool/proxy/handover.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tidepool::proxy {
namespace {

struct Name {
  Word::Kind kind;
  std::string_view text;
};

constexpr std::array<Name, 7> kNames = {{{Word::Kind::kSockets, "sockets"},
                                         {Word::Kind::kHeld, "held"},
                                         {Word::Kind::kUnavailable, "away"},
                                         {Word::Kind::kBegin, "begin"},
                                         {Word::Kind::kReady, "ready"},
                                         {Word::Kind::kGo, "go"},
                                         {Word::Kind::kDrain, "drain"}}};

std::string_view take_until_space(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return taken;
}

}  // namespace

std::string encode(const Word& word) {
  const auto* const name = std::find_if(kNames.begin(), kNames.end(),
                                        [&](const Name& one) { return one.kind == word.kind; });
  return std::string(name->text) + ' ' + std::to_string(word.number) + ' ' + word.name;
}

std::optional<Word> decode(std::string_view text) {
  const std::string_view kind = take_until_space(text);
  const auto* const name =
      std::find_if(kNames.begin(), kNames.end(), [&](const Name& one) { return one.text == kind; });
  if (name == kNames.end()) return std::nullopt;
  const std::string_view digits = take_until_space(text);
  Word word{.kind = name->kind};
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), word.number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  word.name = text;
  return word;
}

std::string key_of(const config::Listener& listener) {
  if (listener.is_socket()) return "unix " + listener.socket_path;
  return "tcp " + listener.host + ' ' + std::to_string(listener.port);
}

std::string key_of(const config::Http& http) {
  return "http " + http.host + ' ' + std::to_string(http.port);
}

unsigned offered_cap(unsigned cap) {
  return cap > 1 ? cap - 1 : cap;
}

unsigned kept_backends(unsigned cap, const PoolUsage& usage) {
  const std::size_t share = std::max(1U, cap / 2) + usage.pinned;
  const std::size_t useful = usage.sessions > 0 ? usage.sessions + 1 : 0;
  return static_cast<unsigned>(std::min({std::size_t{offered_cap(cap)}, share, useful}));
}

}  // namespace tidepool::proxy
