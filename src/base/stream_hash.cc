#include "tidepool/base/stream_hash.h"

#include <xxhash.h>

#include "tidepool/base/check.h"

namespace tidepool {

StreamHash::StreamHash() : state_(XXH3_createState()) {
  TIDEPOOL_CHECK(state_ != nullptr);
  clear();
}

void StreamHash::add(std::string_view bytes) {
  XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
  bytes_ += bytes.size();
}

void StreamHash::clear() {
  XXH3_64bits_reset(state_.get());
  bytes_ = 0;
}

std::uint64_t StreamHash::value() const {
  return XXH3_64bits_digest(state_.get());
}

void StreamHash::Free::operator()(XXH3_state_s* state) const {
  XXH3_freeState(state);
}

}  // namespace tidepool
