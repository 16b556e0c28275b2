// The character sets of a session's state.
#include <string_view>

#include "state/state_hash.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::sql {
namespace {

const VariableId kUtf8mb4Collation = find_variable("default_collation_for_utf8mb4");

std::uint16_t id_of_charset(std::string_view charset) {
  const Collation* collation = default_collation(charset);
  return collation == nullptr ? 0 : collation->id;
}

}  // namespace

CharsetState charset_of_handshake(std::uint16_t collation_id) {
  const std::uint16_t id = collation_id;
  if (id == 0) return CharsetState{};
  const std::string_view name = charset_of_any_collation(id);
  const std::uint16_t charset = name.empty() ? id : id_of_charset(name);
  return CharsetState{charset, charset, collation_by_id(id) == nullptr ? kUtf8mb4Bin : id};
}

void SessionState::set_charset(const CharsetState& charset) {
  hash_ ^= hash_of(charset_) ^ hash_of(charset);
  charset_ = charset;
}

// character_set_connection and collation_connection set each other (sysvar.go, SetSession of both).
void SessionState::set_charset_variable(std::string_view name, const StateChange& change) {
  CharsetState next = charset_;
  const std::uint16_t charset = id_of_charset(change.value);
  if (name == "collation_connection") {
    if (const Collation* found = collation_by_name(change.value)) next.connection = found->id;
  } else if (name == "character_set_results") {
    next.results = charset;  // 0 for NULL and ""
  } else if (charset != 0) {
    (name == "character_set_client" ? next.client : next.connection) = charset;
  }
  set_charset(next);
}

// set.go, setCharset. DEFAULT is utf8mb4, whatever the server's default is.
void SessionState::set_names(const StateChange& change) {
  const std::string_view name = change.value.empty() ? "utf8mb4" : std::string_view(change.value);
  const std::uint16_t charset = id_of_charset(name);
  if (charset == 0) return;
  std::uint16_t connection = charset;
  if (const Collation* collation = collation_by_name(change.collation)) {
    connection = collation->id;
  } else if (charset == kUtf8mb4Bin) {
    const Item* item = find(kUtf8mb4Collation);
    const Collation* chosen = item == nullptr ? nullptr : collation_by_name(item->value);
    connection = chosen == nullptr ? baseline_.utf8mb4_collation : chosen->id;
  }
  forget_computed_charset();
  set_charset(CharsetState{charset, charset, connection});
}

// The connection's collation becomes the GLOBAL collation_database.
void SessionState::set_character_set(const StateChange& change) {
  const std::string_view name = change.value.empty() ? "utf8mb4" : std::string_view(change.value);
  const std::uint16_t charset = id_of_charset(name);
  if (charset == 0) return;
  forget_computed_charset();
  set_charset(CharsetState{charset, charset, baseline_.database_collation});
}

void SessionState::forget_computed_charset() {
  for (const char* name : {"character_set_client", "character_set_connection",
                           "character_set_results", "collation_connection"}) {
    forget_computed(find_variable(name));
  }
}

}  // namespace tidepool::sql
