// A 64-bit hash of bytes that come in pieces; where they are cut makes no difference. Not against
// an adversary.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

struct XXH3_state_s;

namespace tidepool {

class StreamHash {
 public:
  StreamHash();

  void add(std::string_view bytes);
  void clear();
  std::uint64_t value() const;                    // of all bytes so far
  std::uint64_t bytes() const { return bytes_; }  // so many

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };

  std::unique_ptr<XXH3_state_s, Free> state_;
  std::uint64_t bytes_ = 0;
};

}  // namespace tidepool
