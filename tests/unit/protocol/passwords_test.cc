#include "tidepool/protocol/passwords.h"

#include <vector>

#include <gtest/gtest.h>

namespace tidepool::protocol {
namespace {

constexpr std::string_view kSalt = "abcdefghijklmnopqrst";

Credential plain(const std::string& password) {
  return Credential::plaintext(password);
}
Credential native(const std::string& password) {
  return Credential::native_hash(make_native_hash(password)).value();
}
Credential sha2(const std::string& password) {
  return Credential::sha2_hash(make_sha2_hash(password, "tsrqponmlkjihgfedcba")).value();
}
// "new" and "old", in each form.
std::vector<Passwords> all_pairs() {
  std::vector<Passwords> pairs;
  for (const auto& make_new : {plain, native, sha2}) {
    for (const auto& make_old : {plain, native, sha2})
      pairs.emplace_back(make_new("new"), make_old("old"));
  }
  return pairs;
}

TEST(Passwords, OneInTheClearProvesWhicheverItIs) {
  for (const Passwords& both : all_pairs()) {
    EXPECT_EQ(both.prove_in_clear("new"), Proof::kPrimary);
    EXPECT_EQ(both.prove_in_clear("old"), Proof::kSecondary);
    EXPECT_EQ(both.prove_in_clear("other"), std::nullopt);
    EXPECT_EQ(both.prove_in_clear(""), std::nullopt);
  }
  EXPECT_EQ(Passwords(plain("same"), native("same")).prove_in_clear("same"), Proof::kPrimary);
  EXPECT_EQ(Passwords(plain("new")).prove_in_clear("old"), std::nullopt);
}

TEST(Passwords, AScrambleProvesWhatIsStoredForItsPlugin) {
  for (const Passwords& both : all_pairs()) {
    for (const auto& [password, credential, which] :
         {std::tuple("new", &both.primary(), Proof::kPrimary),
          std::tuple("old", both.secondary(), Proof::kSecondary)}) {
      const bool is_native = credential->kind() != Credential::Kind::kSha2Hash;
      const bool is_plain = credential->kind() == Credential::Kind::kPlaintext;
      EXPECT_EQ(both.prove_by_scramble(kNativePassword, native_scramble(password, kSalt), kSalt),
                is_native ? std::optional(which) : std::nullopt);
      EXPECT_EQ(both.prove_by_scramble(kCachingSha2Password, sha2_scramble(password, kSalt), kSalt),
                is_plain ? std::optional(which) : std::nullopt);
    }
    EXPECT_EQ(both.prove_by_scramble(kNativePassword, "", kSalt), std::nullopt);
  }
}

TEST(Passwords, EachDigestIsLearntByItself) {
  Passwords both(sha2("new"), sha2("old"));
  const auto prove = [&](const char* password) {
    return both.prove_by_scramble(kCachingSha2Password, sha2_scramble(password, kSalt), kSalt);
  };
  both.learn(Proof::kSecondary, sha2_digest("old"));
  EXPECT_EQ(prove("old"), Proof::kSecondary);
  EXPECT_EQ(prove("new"), std::nullopt);
  EXPECT_EQ(both.prove_by_digest(sha2_digest("old")), Proof::kSecondary);
  EXPECT_EQ(both.prove_by_digest(""), std::nullopt);

  both.learn(Proof::kPrimary, sha2_digest("new"));
  EXPECT_EQ(prove("new"), Proof::kPrimary);
  EXPECT_EQ(prove("old"), Proof::kSecondary);
}

TEST(Passwords, WhatWasLearntFollowsItsPasswordThroughARotation) {
  const Credential old = sha2("old");
  Passwords before(old);
  before.learn(Proof::kPrimary, sha2_digest("old"));

  Passwords during(sha2("new"), old);
  during.learn_from(before);
  EXPECT_EQ(during.prove_by_digest(sha2_digest("old")), Proof::kSecondary);
  during.learn(Proof::kPrimary, sha2_digest("new"));

  Passwords after(during.primary());
  after.learn_from(during);
  EXPECT_EQ(after.prove_by_digest(sha2_digest("new")), Proof::kPrimary);
  EXPECT_EQ(after.prove_by_digest(sha2_digest("old")), std::nullopt);
}

TEST(Passwords, ThereIsAPluginInWhichEachCanBeProved) {
  for (const Passwords& both : all_pairs()) {
    EXPECT_TRUE(both.covers(kNativePassword) || both.covers(kCachingSha2Password));
    EXPECT_FALSE(both.covers(kClearPassword) || both.fits(kClearPassword));
    for (const std::string_view plugin : {kNativePassword, kCachingSha2Password})
      EXPECT_TRUE(both.fits(plugin) || !both.covers(plugin));
  }
  EXPECT_TRUE(Passwords(native("new"), sha2("old")).fits(kNativePassword));
  EXPECT_FALSE(Passwords(native("new"), sha2("old")).covers(kNativePassword));
  EXPECT_FALSE(Passwords(native("new")).fits(kCachingSha2Password));
}

}  // namespace
}  // namespace tidepool::protocol
