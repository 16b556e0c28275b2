#include "tidepool/protocol/decoys.h"

#include <map>

#include <gtest/gtest.h>

namespace tidepool::protocol {
namespace {

using Kind = Credential::Kind;

const Credential kPlaintext = Credential::plaintext("secret");
const Credential kNative = Credential::native_hash(make_native_hash("secret")).value();
const Credential kSha2 =
    Credential::sha2_hash(make_sha2_hash("secret", "tsrqponmlkjihgfedcba")).value();

std::string name(int number) {
  return "user" + std::to_string(number);
}

TEST(Decoys, NamesHaveEachKindThatIsInUse) {
  const Decoys decoys({kPlaintext, kPlaintext, kNative, kSha2, kPlaintext});
  std::map<Kind, int> counts;
  for (int i = 0; i < 300; ++i) {
    ++counts[decoys.of(name(i)).kind()];
    EXPECT_EQ(&decoys.of(name(i)), &decoys.of(name(i)));
  }
  for (const Kind kind : {Kind::kPlaintext, Kind::kNativeHash, Kind::kSha2Hash})
    EXPECT_GT(counts[kind], 50);
}

TEST(Decoys, AKindThatComesOrGoesChangesOnlyWhatHasIt) {
  const Decoys few({kPlaintext, kNative});
  const Decoys more({kSha2, kPlaintext, kNative});
  for (int i = 0; i < 300; ++i) {
    const Kind before = few.of(name(i)).kind();
    const Kind after = more.of(name(i)).kind();
    EXPECT_TRUE(after == before || after == Kind::kSha2Hash);
  }
}

TEST(Decoys, MakeAsManyRoundsAsTheUsers) {
  const std::string slow = "$A$007$" + std::string(20, 's') + std::string(43, '.');
  const Decoys decoys({Credential::sha2_hash(slow).value()});
  EXPECT_TRUE(decoys.of("nobody").secret().starts_with("$A$007$"));
  EXPECT_NE(decoys.of("nobody").secret(), slow);
}

TEST(Decoys, AreNobodysPassword) {
  for (const Credential& real : {Credential(), kPlaintext, kNative, kSha2}) {
    const Decoys decoys({real});
    const Credential& decoy = decoys.of("nobody");
    EXPECT_EQ(decoy.kind(), real.kind());
    EXPECT_FALSE(verify_cleartext(decoy, "secret") || verify_cleartext(decoy, ""));
  }
  EXPECT_EQ(Decoys().of("nobody").kind(), Kind::kPlaintext);
}

}  // namespace
}  // namespace tidepool::protocol
