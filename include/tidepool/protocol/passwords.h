// A user's passwords: one, or two that are valid at once while clients change from the one to the
// other (MySQL: dual passwords), each stored in whichever form.
//
// Whatever is proved or not, the same work is done for both, so that the time that it takes tells
// nothing. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tidepool/protocol/auth.h"
#include "tidepool/protocol/proof.h"

namespace tidepool::protocol {

class Passwords {
 public:
  explicit Passwords(Credential primary, std::optional<Credential> secondary = std::nullopt);

  // A scramble of this plugin can prove one of them.
  [[nodiscard]] bool fits(std::string_view plugin) const;
  // An exchange of this plugin can prove each of them: caching_sha2_password's may end in the
  // password itself, which proves any. There always is such a plugin.
  [[nodiscard]] bool covers(std::string_view plugin) const;
  // One is stored as caching_sha2_password does: it takes thousands of rounds to verify it.
  [[nodiscard]] bool need_rounds() const;

  // kPrimary, kSecondary or nothing. An empty scramble proves the empty password only.
  [[nodiscard]] std::optional<Proof> prove_by_scramble(std::string_view plugin,
                                                       std::string_view scramble,
                                                       std::string_view salt) const;
  [[nodiscard]] std::optional<Proof> prove_in_clear(std::string_view password) const;
  // By the digest of a password that was proved before.
  [[nodiscard]] std::optional<Proof> prove_by_digest(std::string_view sha2_digest) const;

  // The digest of one that was proved: its scrambles can be judged from now on.
  void learn(Proof which, std::string_view sha2_digest);
  // What is known of those that both have.
  void learn_from(const Passwords& before);

  // In the order of their slots.
  [[nodiscard]] const Credential& primary() const { return slots_[0]->credential; }
  [[nodiscard]] const Credential* secondary() const {
    return slots_[1] ? &slots_[1]->credential : nullptr;
  }
  [[nodiscard]] bool same_as(const Passwords& other) const;

 private:
  struct Slot {
    Credential credential;
    std::string sha2_digest = {};  // empty: not known
  };

  template <class Test>
  std::optional<Proof> first_that(Test test) const;
  template <class Test>
  bool any(Test test) const;

  std::array<std::optional<Slot>, 2> slots_;  // the first is always there
};

}  // namespace tidepool::protocol
