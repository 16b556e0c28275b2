#include "tidepool/protocol/passwords.h"

#include <algorithm>
#include <utility>

namespace tidepool::protocol {
namespace {

using Kind = Credential::Kind;

}  // namespace

Passwords::Passwords(Credential primary, std::optional<Credential> secondary) {
  slots_[0] = Slot{std::move(primary)};
  if (secondary) slots_[1] = Slot{*std::move(secondary)};
}

template <class Test>
bool Passwords::any(Test test) const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [&](const auto& slot) { return slot && test(slot->credential.kind()); });
}

// Both are tested, also where the first one is right already.
template <class Test>
std::optional<Proof> Passwords::first_that(Test test) const {
  const bool is_primary = test(*slots_[0]);
  const bool is_secondary = slots_[1] && test(*slots_[1]);
  if (is_primary) return Proof::kPrimary;
  return is_secondary ? std::optional(Proof::kSecondary) : std::nullopt;
}

bool Passwords::need_rounds() const {
  return any([](Kind kind) { return kind == Kind::kSha2Hash; });
}

bool Passwords::fits(std::string_view plugin) const {
  if (plugin == kNativePassword) return any([](Kind kind) { return kind != Kind::kSha2Hash; });
  return plugin == kCachingSha2Password && any([](Kind kind) { return kind != Kind::kNativeHash; });
}

bool Passwords::covers(std::string_view plugin) const {
  if (plugin == kNativePassword) return !need_rounds();
  return plugin == kCachingSha2Password &&
         (need_rounds() || !any([](Kind kind) { return kind == Kind::kNativeHash; }));
}

std::optional<Proof> Passwords::prove_by_scramble(std::string_view plugin,
                                                  std::string_view scramble,
                                                  std::string_view salt) const {
  return first_that([&](const Slot& slot) {
    return plugin == kNativePassword
               ? verify_native(slot.credential, scramble, salt)
               : verify_sha2(slot.credential, slot.sha2_digest, scramble, salt);
  });
}

std::optional<Proof> Passwords::prove_in_clear(std::string_view password) const {
  return first_that([&](const Slot& slot) { return verify_cleartext(slot.credential, password); });
}

std::optional<Proof> Passwords::prove_by_digest(std::string_view sha2_digest) const {
  return first_that([&](const Slot& slot) {
    return !slot.sha2_digest.empty() && constant_time_equal(slot.sha2_digest, sha2_digest);
  });
}

void Passwords::learn(Proof which, std::string_view sha2_digest) {
  auto& slot = slots_[which == Proof::kSecondary ? 1 : 0];
  if (slot) slot->sha2_digest = sha2_digest;
}

void Passwords::learn_from(const Passwords& before) {
  for (auto& slot : slots_) {
    for (const auto& known : before.slots_) {
      if (slot && known && slot->credential == known->credential && slot->sha2_digest.empty())
        slot->sha2_digest = known->sha2_digest;
    }
  }
}

bool Passwords::same_as(const Passwords& other) const {
  const bool have_secondary = slots_[1].has_value();
  if (have_secondary != other.slots_[1].has_value()) return false;
  return primary() == other.primary() && (!have_secondary || *secondary() == *other.secondary());
}

}  // namespace tidepool::protocol
