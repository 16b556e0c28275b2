// The state of a session that can be moved between backends: what a client's session wants
// (desired), or what a backend has (actual). A value: copy, compare, hash. A fresh session costs no
// allocation, each variable set about 40 bytes.
//
// Use: classify() a text, and once TiDB has said OK apply() the changes to the session's state and
// to its backend's. To know the state before the OK (to pipeline), copy and apply to the copy.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/sql/state/collation.h"
#include "tidepool/sql/state/lex_mode.h"
#include "tidepool/sql/state/pin.h"
#include "tidepool/sql/state/resource_group.h"
#include "tidepool/sql/state/role.h"
#include "tidepool/sql/state/state_change.h"
#include "tidepool/sql/state/user_variables.h"
#include "tidepool/sql/state/variable.h"

namespace tidepool::sql {

// What fresh sessions of one TiDB account start with, learnt from a backend after its dial, from
// the global autocommit, sql_mode, default_collation_for_utf8mb4 and collation_database. The
// defaults are an unconfigured TiDB's.
struct Baseline {
  bool autocommit = true;
  bool ansi_quotes = false;           // in sql_mode
  bool no_backslash_escapes = false;  // in sql_mode
  std::uint16_t utf8mb4_collation = kUtf8mb4Bin;
  std::uint16_t database_collation = kUtf8mb4Bin;

  friend bool operator==(const Baseline&, const Baseline&) = default;
};

// Takes the two lexing flags out of the value of sql_mode.
Baseline make_baseline(bool autocommit, std::string_view sql_mode,
                       std::string_view utf8mb4_collation, std::string_view database_collation);

// What a client said when it connected, or the proxy when it dialled.
struct Handshake {
  std::uint16_t collation_id = kUtf8mb4Bin;
  std::string_view database{};  // empty: none
  bool multi_statements = false;
};

// Collation ids; a character set is written as the id of its default collation.
struct CharsetState {
  std::uint16_t client = kUtf8mb4Bin;
  std::uint16_t results = kUtf8mb4Bin;  // 0: NULL (as ""), no conversion
  // collation_connection, and with it character_set_connection.
  std::uint16_t connection = kUtf8mb4Bin;

  friend bool operator==(const CharsetState&, const CharsetState&) = default;
};

// session.go, SetCollation: a collation that TiDB cannot use becomes utf8mb4_bin, but the client's
// character set stays. One whose character set it cannot convert either is kept under its own id.
CharsetState charset_of_handshake(std::uint16_t collation_id);

class SessionState {
 public:
  explicit SessionState(const Handshake& handshake = {}, const Baseline& baseline = {});

  struct Item {
    VariableId variable;
    std::string value;  // as StateChange::value, spelling normalised

    friend bool operator==(const Item&, const Item&) = default;
  };

  // As if TiDB had executed it. Changes that are no part of this (prepared texts, tables) do
  // nothing.
  void apply(const StateChange& change);
  void apply(const StateChanges& changes);
  // COM_RESET_CONNECTION: back to the handshake, with the database of the last COM_INIT_DB if there
  // was one.
  void reset();

  // Becomes equal to `desired`; keeps its own handshake, reset database and baseline.
  void adopt(const SessionState& desired);

  const std::string& database() const { return database_; }  // empty: none
  // What COM_RESET_CONNECTION goes back to. No part of equality and hash.
  const std::string& reset_database() const { return reset_database_; }
  bool multi_statements() const { return multi_statements_; }
  const CharsetState& charset() const { return charset_; }
  const std::vector<Item>& items() const { return items_; }  // by VariableId
  // With a state that is equal: the next comparison of the two costs nothing.
  void share(const SessionState& equal) { user_variables_ = equal.user_variables_; }
  const UserVariables& user_variables() const { return user_variables_; }
  const Role& role() const { return role_; }
  // In lower case; empty: the group of a login.
  const std::string& resource_group() const { return groups().current; }
  // The group of a login, on a backend that was asked or reset; else empty. No part of equality and
  // hash.
  const std::string& login_group() const { return groups().login; }
  void set_login_group(std::string_view name);
  // False while a variable has a value that only the backend knows; then the state cannot be
  // restored elsewhere.
  bool is_exact() const { return computed_.empty() && user_variables_.is_exact(); }
  // Returns the kinds of variables whose values cannot be read back from the backend either.
  PinReasons pins() const;
  // The system variables whose values only the backend knows, by VariableId.
  std::vector<VariableId> computed() const;

  bool autocommit() const;
  LexMode lex_mode() const;
  // After which TiDB closes a connection that sends nothing, if this session has set it; 0: never.
  std::optional<std::chrono::seconds> wait_timeout() const;

  // How many rows a SELECT or SHOW without LIMIT gives; the most there can be if the session has
  // not set it, or only the backend knows.
  std::uint64_t select_limit() const;

  // Independent of the order in which changes came; equal states have equal hashes.
  std::uint64_t hash() const { return hash_; }
  friend bool operator==(const SessionState& left, const SessionState& right);

 private:
  void set_variable(const StateChange& change);
  void set_user_variable(const StateChange& change);
  void set_charset_variable(std::string_view name, const StateChange& change);
  void set_charset(const CharsetState& charset);
  void set_names(const StateChange& change);
  void set_character_set(const StateChange& change);
  void set_database(std::string_view name);
  void set_role(Role role);
  const ResourceGroups& groups() const;
  void set_resource_group(std::string_view name);
  void set_multi_statements(bool enabled);
  void put(VariableId id, std::string value);
  void erase(VariableId id);
  struct Computed {
    VariableId variable;
    bool is_unrestorable;  // cannot be read back

    friend bool operator==(const Computed&, const Computed&) = default;
  };

  void mark_computed(VariableId id, bool is_unrestorable);
  void forget_computed(VariableId id);
  void forget_computed_charset();
  const Item* find(VariableId id) const;
  std::optional<std::uint64_t> number(VariableId id) const;  // none: not set, or no plain number
  std::uint64_t whole_hash() const;
  std::string database_;
  std::string reset_database_;
  std::vector<Item> items_;
  std::vector<Computed> computed_;  // by variable
  UserVariables user_variables_;
  Role role_;
  std::shared_ptr<const ResourceGroups> groups_;  // none: both empty, as they nearly always are
  CharsetState charset_;
  CharsetState handshake_charset_;
  Baseline baseline_;
  bool multi_statements_;
  std::uint64_t hash_ = 0;
};

}  // namespace tidepool::sql
