#include "tidepool/protocol/decoys.h"

#include <map>

#include <gtest/gtest.h>

namespace tidepool::protocol {
namespace {

using Kind = Credential::Kind;

const Credential kPlainCredential = Credential::plaintext("secret");
const Credential kNativeCredential = Credential::native_hash(make_native_hash("secret")).value();
const Credential kSha2Credential =
    Credential::sha2_hash(make_sha2_hash("secret", "tsrqponmlkjihgfedcba")).value();
const Passwords kPlaintext(kPlainCredential);
const Passwords kNative(kNativeCredential);
const Passwords kSha2(kSha2Credential);

std::string name(int number) {
  return "user" + std::to_string(number);
}

TEST(Decoys, NamesHaveEachKindThatIsInUse) {
  const Decoys decoys({kPlaintext, kPlaintext, kNative, kSha2, kPlaintext});
  std::map<Kind, int> counts;
  for (int i = 0; i < 300; ++i) {
    ++counts[decoys.of(name(i)).primary().kind()];
    EXPECT_EQ(&decoys.of(name(i)), &decoys.of(name(i)));
  }
  for (const Kind kind : {Kind::kPlaintext, Kind::kNativeHash, Kind::kSha2Hash})
    EXPECT_GT(counts[kind], 50);
}

TEST(Decoys, AKindThatComesOrGoesChangesOnlyWhatHasIt) {
  const Decoys few({kPlaintext, kNative});
  const Decoys more({kSha2, kPlaintext, kNative});
  for (int i = 0; i < 300; ++i) {
    const Kind before = few.of(name(i)).primary().kind();
    const Kind after = more.of(name(i)).primary().kind();
    EXPECT_TRUE(after == before || after == Kind::kSha2Hash);
  }
}

TEST(Decoys, MakeAsManyRoundsAsTheUsers) {
  const std::string slow = "$A$007$" + std::string(20, 's') + std::string(43, '.');
  const Decoys decoys({Passwords(Credential::sha2_hash(slow).value())});
  const std::string_view decoy = decoys.of("nobody").primary().secret();
  EXPECT_TRUE(decoy.starts_with("$A$007$"));
  EXPECT_NE(decoy, slow);
}

TEST(Decoys, AreNobodysPassword) {
  for (const Passwords& real : {Passwords(Credential()), kPlaintext, kNative, kSha2,
                                Passwords(kSha2Credential, kNativeCredential)}) {
    const Decoys decoys({real});
    const Passwords& decoy = decoys.of("nobody");
    EXPECT_EQ(decoy.primary().kind(), real.primary().kind());
    EXPECT_EQ(decoy.secondary() == nullptr, real.secondary() == nullptr);
    EXPECT_FALSE(decoy.prove_in_clear("secret") || decoy.prove_in_clear(""));
  }
  EXPECT_EQ(Decoys().of("nobody").primary().kind(), Kind::kPlaintext);
}

// They make twice the work, and perhaps more packets.
TEST(Decoys, TwoPasswordsAreAKindOfTheirOwnInEitherOrder) {
  const Passwords one(kSha2Credential, kNativeCredential);
  const Passwords turned(kNativeCredential, kSha2Credential);
  const Decoys decoys({kSha2, one, turned});
  int pairs = 0;
  for (int i = 0; i < 300; ++i)
    pairs += decoys.of(name(i)).secondary() == nullptr ? 0 : 1;
  EXPECT_GT(pairs, 100);
  EXPECT_LT(pairs, 200) << "one kind of two, not two of three";
}

}  // namespace
}  // namespace tidepool::protocol
