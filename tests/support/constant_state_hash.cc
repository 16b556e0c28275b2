// Linked in the place of src/sql/state/state_hash.cc: each two states collide, and nothing may go
// wrong by that.
#include "state/state_hash.h"

namespace tidepool::sql {

std::uint64_t part_hash(std::string_view /*bytes*/, std::uint64_t /*seed*/) {
  return 0;
}

}  // namespace tidepool::sql
