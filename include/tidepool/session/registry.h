// Which sessions there are, on which worker and of whom: so that one can KILL another, and a user
// or a database has no more of them than allowed.
//
// One for the process, owned by the shared state; locks itself. A session is in it from its login
// until it is closed.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace tidepool::session {

enum class KillKind : std::uint8_t { kQuery, kConnection };

enum class Admission : std::uint8_t {
  kYes,
  kUserFull,      // the user has as many sessions as allowed
  kDatabaseFull,  // the database has
};

// Whose a session is, and how many of those there may be; 0: any number.
struct AdmissionRequest {
  std::string user;
  unsigned max_of_user = 0;
  std::string database = {};  // with its pool; empty: none that counts
  unsigned max_of_database = 0;
};

class Registry {
 public:
  // Hands a KILL to the worker's loop; called on any thread.
  using Deliver = std::function<void(std::uint32_t session, KillKind kind)>;

  // Before any session: where the sessions of worker `index` are told.
  void join(unsigned index, Deliver deliver);

  // Also for a session that is in it already and becomes somebody else's; unless the answer is
  // kYes, nothing has changed.
  Admission add(std::uint32_t session, unsigned worker, const AdmissionRequest& request);
  void remove(std::uint32_t session);

  // nullopt: there is no such session.
  std::optional<std::string> user_of(std::uint64_t session) const;
  void kill(std::uint64_t session, KillKind kind) const;

 private:
  struct Entry {
    unsigned worker;
    std::string user;
    std::string database;
  };
  using Counts = std::unordered_map<std::string, unsigned>;

  static bool is_full(const Counts& counts, const std::string& key, unsigned limit);
  static void remove_one(Counts& counts, const std::string& key);

  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> sessions_;  // under mutex_, as the counts
  Counts users_;
  Counts databases_;
  std::vector<Deliver> deliver_;
};

}  // namespace tidepool::session
