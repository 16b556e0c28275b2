// The passwords that an unknown name, or a user without a password, seems to have: of a kind that
// users have, so that guessers cannot tell them apart. Pure, but for the process's own key and
// random numbers.
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

  // Returns passwords that no user has. A keyed hash chooses which kind a name has, and the kind
  // stays while it is in use: to ask before and after a reload tells nothing.
  [[nodiscard]] const Passwords& of(std::string_view name) const;

 private:
  struct Decoy {
    std::string kind;  // with what a client could measure of it: the rounds
    Passwords passwords;
  };

  std::vector<Decoy> decoys_;  // never empty, each kind once
};

}  // namespace tidepool::protocol
