// A keyed 128-bit hash (SipHash-2-4) of bytes that come in pieces; where they are cut makes no
// difference. The key is the process's own, random at its start.
// For bytes whose author would profit from a collision: an answer that a replay is to
// take for another. XXH3 with a secret would be ten times as fast, but promises nothing against
// such a one: it multiplies and adds halves of words that were XORed with the secret, and
// differences that cancel out whatever the secret is, or with a chance far above 2^-64, are not
// excluded. SipHash is a pseudo-random function: without the key no pair is found better than by
// guessing. The difference in time does not count: some 1.5 cycles a byte of what a replay
// compares. Not for keys of caches: those are encodings (encoding.h), which are shorter than a
// digest most of the time and cannot collide at all.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

struct evp_mac_ctx_st;

namespace tidepool {

class StreamHash {
 public:
  using Value = std::array<std::uint8_t, 16>;

  StreamHash();

  void add(std::string_view bytes);
  void clear();
  Value value() const;                            // of all bytes so far
  std::uint64_t bytes() const { return bytes_; }  // so many

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const;
  };

  std::unique_ptr<evp_mac_ctx_st, Free> context_;
  std::uint64_t bytes_ = 0;
};

// 64 bits of it, never 0, for whom a limit counts: a collision by chance would make two names share
// a limit, and cannot be looked for.
std::uint64_t keyed_number(std::string_view name);

}  // namespace tidepool
