// What a name that is no user's seems to have for a password: something of a kind that users have,
// so that nobody can tell the two apart. Pure, but for the process's own key and random numbers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tidepool/protocol/auth.h"

namespace tidepool::protocol {

class Decoys {
 public:
  // One for each kind that there is among the users'; without users as for a plaintext one.
  explicit Decoys(const std::vector<Credential>& in_use = {});

  // Nobody's password. Which kind a name has is chosen by a keyed hash, and stays as it is while
  // that kind is in use: whoever asks before and after a reload learns nothing from what changed.
  [[nodiscard]] const Credential& of(std::string_view name) const;

 private:
  struct Decoy {
    std::string kind;  // with what a client could measure of it: the rounds
    Credential credential;
  };

  std::vector<Decoy> decoys_;  // never empty, each kind once
};

}  // namespace tidepool::protocol
