#include "parse/quoted_scan.h"

#include <cstdint>
#include <cstring>

namespace tidepool::sql {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kHighs = 0x8080808080808080U;

// Not zero if a byte of `word` is zero (and never zero then).
std::uint64_t has_zero(std::uint64_t word) {
  return (word - kOnes) & ~word & kHighs;
}

// The first byte at or behind `at` that may matter: the quote, a backslash, or (`stop_high`) one
// above 0x7f. Sets *high to whether a byte above 0x7f was passed.
std::size_t skip_plain(std::string_view text, std::size_t at, QuotedRules rules, bool* high) {
  const std::uint64_t quotes = kOnes * static_cast<unsigned char>(rules.quote);
  const std::uint64_t backslashes = kOnes * static_cast<unsigned char>('\\');
  std::uint64_t seen = 0;
  while (text.size() - at >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    if (has_zero(word ^ quotes) != 0 || (rules.escapes && has_zero(word ^ backslashes) != 0)) break;
    if (rules.multibyte && (word & kHighs) != 0) break;
    seen |= word;
    at += sizeof word;
  }
  for (; at < text.size(); ++at) {
    const char byte = text[at];
    const bool is_high = static_cast<unsigned char>(byte) > 0x7f;
    if (byte == rules.quote || (rules.escapes && byte == '\\') || (rules.multibyte && is_high))
      break;
    if (is_high) seen |= kHighs;
  }
  if ((seen & kHighs) != 0) *high = true;
  return at;
}

// TiDB's GBK.MbLen (pkg/parser/charset/encoding_gbk.go). GB18030's four-byte characters end in a
// digit or a byte that is neither quote nor backslash, so that two bytes at a time is enough for it
// too.
bool is_double_byte(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) return false;
  const auto lead = static_cast<unsigned char>(text[at]);
  const auto trail = static_cast<unsigned char>(text[at + 1]);
  return lead >= 0x81 && lead <= 0xfe &&
         ((trail >= 0x40 && trail <= 0x7e) || (trail >= 0x80 && trail <= 0xfe));
}

}  // namespace

QuotedEnd find_quoted_end(std::string_view text, std::size_t from, QuotedRules rules) {
  bool high = false;
  std::size_t at = from;
  for (;;) {
    at = skip_plain(text, at, rules, &high);
    if (at == text.size()) return QuotedEnd{};
    const char byte = text[at];
    if (byte == rules.quote) {
      if (at + 1 == text.size() || text[at + 1] != rules.quote) return {true, at + 1, !high};
      at += 2;
    } else if (byte == '\\' && rules.escapes) {
      if (at + 1 == text.size()) return QuotedEnd{};
      if (static_cast<unsigned char>(text[at + 1]) > 0x7f) high = true;
      at += 2;
    } else {
      high = true;
      at += is_double_byte(text, at) ? 2 : 1;
    }
  }
}

}  // namespace tidepool::sql
