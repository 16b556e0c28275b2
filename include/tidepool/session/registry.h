// Which sessions there are, on which worker and of whom, so that one can KILL another.
//
// One for the process, owned by its home; locks itself. A session is in it from its login until it
// is closed.
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

class Registry {
 public:
  // Hands a KILL to the worker's loop; called on any thread.
  using Deliver = std::function<void(std::uint32_t session, KillKind kind)>;

  // Before any session: where the sessions of worker `index` are told.
  void join(unsigned index, Deliver deliver);

  void add(std::uint32_t session, unsigned worker, const std::string& user);
  void remove(std::uint32_t session);

  // nullopt: there is no such session.
  std::optional<std::string> user_of(std::uint64_t session) const;
  void kill(std::uint64_t session, KillKind kind) const;

 private:
  struct Entry {
    unsigned worker;
    std::string user;
  };

  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> sessions_;  // under mutex_
  std::vector<Deliver> deliver_;
};

}  // namespace tidepool::session
