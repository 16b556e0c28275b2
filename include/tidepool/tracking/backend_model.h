// What the proxy knows of a backend's session: the state that it is in, and the texts prepared on
// it.
//
// Part of a pooled connection; written by the session that leases the backend. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tidepool/base/clock.h"
#include "tidepool/sql/state/session_state.h"

namespace tidepool::tracking {

// The statements prepared on one backend, at most `bound` of them, least recently used out first.
// The key says all that the meaning of a statement depends on (its text and the state that it was
// prepared in).
class PreparedCache {
 public:
  using Key = std::shared_ptr<const std::string>;  // shared with the sessions that prepared it

  explicit PreparedCache(std::size_t bound) : most_(bound), bound_(bound) {}
  PreparedCache(const PreparedCache&) = delete;
  PreparedCache& operator=(const PreparedCache&) = delete;
  ~PreparedCache() = default;

  // The backend's statement id; counts as a use.
  std::optional<std::uint32_t> find(std::string_view key);

  // Remembers a statement that the backend was asked to prepare at that time. Returns the ids that
  // must now be closed on the backend: the ones pushed out, or the older id of the same key.
  std::vector<std::uint32_t> insert(const Key& key, std::uint32_t id, TimePoint asked = {});
  // Returns when the backend was asked to prepare it; nothing if it was not.
  std::optional<TimePoint> asked(std::string_view key) const;
  // The id that the backend will surely give to what it prepares next, or one that it gives to
  // nothing: its ids only grow. Not known before the first.
  std::optional<std::uint32_t> next_id() const { return next_id_; }
  void note_id(std::uint32_t id) { next_id_ = id + 1; }  // given to one that is not kept
  void forget_next_id() { next_id_.reset(); }            // a PREPARE as text takes one too

  // It was executed. The first time after its prepare tells what making its plan warned of, which
  // later times, and other clients', would not see.
  void note_executed(std::string_view key, bool has_warned);
  // Whether that ever warned.
  bool warns_when_planned(std::string_view key) const;
  // A number that none of this backend's has had.
  std::uint64_t next_plan() { return ++plans_; }

  // Keeps at most `bound` from now on, but at least one, and no more than at the beginning. Returns
  // the ids that must be closed for that.
  std::vector<std::uint32_t> limit(std::size_t bound);
  // Keeps at most `most`. Returns the ids that must be closed for that, least recently used first.
  std::vector<std::uint32_t> make_way(std::size_t most);

  // One that is held is not pushed out: it has an open cursor or data waiting for its execution.
  void hold(std::string_view key, bool on);
  // The statement known by the one key is known by the other from now on, unless one is already.
  void rename(std::string_view from, const Key& to);
  void erase(std::string_view key);
  void clear();
  std::size_t size() const { return places_.size(); }

 private:
  struct Entry {
    Key key;
    std::uint32_t id;
    TimePoint asked{};
    bool is_held = false;
    bool was_executed = false;
    bool has_warned = false;  // this statement, or the one of the same key that it replaced
  };

  void push_out(std::size_t most, std::vector<std::uint32_t>& out);

  const std::size_t most_;
  std::size_t bound_;
  std::size_t warners_ = 0;  // entries that have warned
  std::uint64_t plans_ = 0;
  std::optional<std::uint32_t> next_id_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> places_;
};

// Which PREPARE … FROM made what a name stands for on a backend.
struct NameOwner {
  std::uint64_t session = 0;
  std::uint64_t number = 0;  // of the session's statements; 0: the text is not known

  friend bool operator==(const NameOwner&, const NameOwner&) = default;
};

struct BackendModel {
  BackendModel(sql::SessionState fresh, std::size_t max_prepared)
      : actual(std::move(fresh)), prepared(max_prepared) {}

  // After COM_RESET_CONNECTION was answered with OK.
  void reset() {
    actual.reset();
    forget_prepared();
    last_session = 0;
    insert_id = 0;
  }

  void forget_prepared() {
    prepared.clear();
    named.clear();
  }

  sql::SessionState actual;
  PreparedCache prepared;
  std::map<std::string, NameOwner, std::less<>> named;  // every name that may be prepared there
  // The session whose statement ran last; 0: none, or the proxy's own statement came after it.
  std::uint64_t last_session = 0;
  // Of that session; see SessionModel::last_command.
  std::uint64_t last_command = 0;
  // LAST_INSERT_ID() there; nullopt: the session must ask.
  std::optional<std::uint64_t> insert_id = 0;
};

}  // namespace tidepool::tracking
