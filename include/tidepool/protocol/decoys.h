// What a name that is no user's, or a user without a password, seems to have for passwords: some of
// a kind that users have, so that nobody can tell them apart. Pure, but for the process's own key
// and random numbers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tidepool/protocol/passwords.h"

namespace tidepool::protocol {

class Decoys {
 public:
  // One for each kind that there is among the users'; without users as for a plaintext one. Two
  // passwords are of a kind of their own: they make more work, and perhaps more packets.
  explicit Decoys(const std::vector<Passwords>& in_use = {});

  // Nobody's passwords. Which kind a name has is chosen by a keyed hash, and stays as it is while
  // that kind is in use: whoever asks before and after a reload learns nothing from what changed.
  [[nodiscard]] const Passwords& of(std::string_view name) const;

 private:
  struct Decoy {
    std::string kind;  // with what a client could measure of it: the rounds
    Passwords passwords;
  };

  std::vector<Decoy> decoys_;  // never empty, each kind once
};

}  // namespace tidepool::protocol
