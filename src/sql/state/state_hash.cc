#include "state/state_hash.h"

#include <xxhash.h>

namespace tidepool::sql {

std::uint64_t part_hash(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace tidepool::sql
