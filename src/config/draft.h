// A configuration as it was written, before its parts are checked against one another: what
// assemble.h turns into a Config. Each draft remembers which keys were given, and where, for the
// messages.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidepool/config/config.h"
#include "values.h"

namespace tidepool::config {

// Where something was found. Line and column count from 1; 0: nowhere in a text.
struct Place {
  int line = 0;
  int column = 0;
  std::string label;                     // the key's whole path, or the name of the variable
  Origin origin = Origin::kOwnVariable;  // of the value
  bool bad = false;  // already reported: a later problem here would only follow from the first
};

// One map of the file, an element of a list or the whole.
struct Section {
  Place place;  // of the map; its label is the prefix of the keys
  std::map<std::string, Place, std::less<>> given;  // by the key's path within the section
  // Names for the messages, where the environment is read.
  std::map<std::string, std::string, std::less<>> variables;

  [[nodiscard]] bool has(std::string_view key) const { return given.find(key) != given.end(); }

  // That of the key if it was given; else where it is missing.
  [[nodiscard]] Place at(std::string_view key) const;
};

struct ListenerDraft {
  Section section;
  Endpoint address{Listener{}.host, Listener{}.port};
  Listener listener;
};

struct PoolDraft {
  Section section;
  Pool pool;
  std::string url;
  std::string host;
  std::uint16_t port = Endpoint{}.port;
  std::string password_file;
};

struct UserDraft {
  Section section;
  User user;
  std::string password_file;
  std::string secondary_password_file;
  std::optional<Milliseconds> query_timeout;
  std::optional<Milliseconds> idle_transaction_timeout;
  std::optional<Milliseconds> client_idle_timeout;
};

struct Draft {
  Section section;
  Config config;  // all but the lists
  std::optional<std::vector<ListenerDraft>> listeners;
  std::optional<std::vector<PoolDraft>> pools;
  std::optional<std::vector<UserDraft>> users;
};

// Collects what there is to say, in the form that load.h promises.
class Findings {
 public:
  explicit Findings(std::string file) : file_(std::move(file)) {}

  void problem(const Place& place, const std::string& text) {
    if (!place.bad) add(problems_, place, text);
  }
  void warning(const Place& place, const std::string& text) { add(warnings_, place, text); }

  [[nodiscard]] bool failed() const { return !problems_.empty(); }
  [[nodiscard]] std::vector<std::string> problems() const { return sorted(problems_); }
  [[nodiscard]] std::vector<std::string> warnings() const { return sorted(warnings_); }

 private:
  struct Finding {
    int line;
    int column;
    std::string text;
  };
  void add(std::vector<Finding>& to, const Place& place, const std::string& text) const;
  static std::vector<std::string> sorted(std::vector<Finding> findings);

  std::string file_;
  std::vector<Finding> problems_;
  std::vector<Finding> warnings_;
};

}  // namespace tidepool::config
