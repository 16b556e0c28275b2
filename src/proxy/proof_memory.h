// ProofMemory: what TiDB has said of passwords lately, as keyed hashes (stream_hash.h). Pure; on
// the main thread.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tidepool/base/clock.h"
#include "tidepool/base/stream_hash.h"

namespace tidepool::proxy {

enum class Remembered : std::uint8_t { kNothing, kRight, kWrong };

class ProofMemory {
 public:
  static constexpr std::size_t kMaxWrong = 4096;
  static constexpr std::size_t kMaxRight = 16'384;
  // Long enough for a program that tries the same password again and again.
  static constexpr std::chrono::seconds kWrongLifetime{10};

  Remembered judge(std::string_view user, std::string_view password, TimePoint now) const;

  // TiDB's word. One right password a user, of at most kMaxRight users, and the last kMaxWrong
  // wrong ones.
  void add_right(const std::string& user, std::string_view password, TimePoint until);
  void add_wrong(std::string_view user, std::string_view password, TimePoint now);

  // Whether it is the one that was right last, perhaps too long ago to count.
  [[nodiscard]] bool was_right(std::string_view user, std::string_view password) const;
  void forget(const std::string& user);
  void forget_all();

 private:
  using Hash = StreamHash::Value;
  struct Right {
    Hash hash;
    TimePoint until;
  };
  struct Wrong {
    Hash hash;
    TimePoint until;
  };

  static Hash hash_of(std::string_view user, std::string_view password);

  std::unordered_map<std::string, Right> right_;
  std::list<Wrong> wrong_;  // the oldest first
};

}  // namespace tidepool::proxy
