#include "tidepool/protocol/auth.h"

#include <gtest/gtest.h>

#include "bytes.h"
#include "tidepool/protocol/login_messages.h"

namespace tidepool::protocol {
namespace {

constexpr std::string_view kSalt = "abcdefghijklmnopqrst";

// What TiDB stores for "foobar" (pkg/parser/auth/caching_sha2_test.go).
const std::string& foobar_hash() {
  static const std::string kHash = hex(
      "24412430303524031A69251C34295C4B35167C7F1E5A7B63091349503974624D34504B5A42467935485633686868"
      "6F52485A736E4A733368786E427575516C73446469496537");
  return kHash;
}

TEST(Credential, TakesOnlyWellFormedHashes) {
  EXPECT_TRUE(Credential::native_hash(make_native_hash("pw")));
  EXPECT_TRUE(Credential::sha2_hash(foobar_hash()));
  EXPECT_FALSE(Credential::native_hash("*12"));
  EXPECT_FALSE(Credential::native_hash("*" + std::string(39, 'A') + "G"));
  EXPECT_FALSE(Credential::native_hash(std::string(41, 'A')));
  EXPECT_FALSE(Credential::sha2_hash("$A$005$short"));
  EXPECT_FALSE(Credential::sha2_hash("0x2441zz"));
  std::string no_rounds = foobar_hash();
  no_rounds[5] = '0';
  EXPECT_FALSE(Credential::sha2_hash(no_rounds));
}

TEST(Credential, TakesASha2HashInHex) {
  std::string text = "0x";
  for (const char c : foobar_hash()) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text.push_back(kDigits[static_cast<unsigned char>(c) >> 4U]);
    text.push_back(kDigits[static_cast<unsigned char>(c) & 0xfU]);
  }
  EXPECT_EQ(Credential::sha2_hash(text).value().secret(), foobar_hash());
}

TEST(NativePassword, HashesAsMysqlDoes) {
  EXPECT_EQ(make_native_hash("password"), "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19");
}

TEST(NativePassword, IsProvedByItsScramble) {
  const auto plain = Credential::plaintext("secret");
  const auto hash = Credential::native_hash(make_native_hash("secret")).value();
  const std::string good = native_scramble("secret", kSalt);
  EXPECT_EQ(good.size(), 20U);
  for (const auto& credential : {plain, hash}) {
    EXPECT_TRUE(verify_native(credential, good, kSalt));
    EXPECT_FALSE(verify_native(credential, native_scramble("Secret", kSalt), kSalt));
    EXPECT_FALSE(verify_native(credential, good, "tsrqponmlkjihgfedcba"));
    EXPECT_FALSE(verify_native(credential, good.substr(1), kSalt));
    EXPECT_FALSE(verify_native(credential, "", kSalt));
    EXPECT_TRUE(verify_cleartext(credential, "secret"));
    EXPECT_FALSE(verify_cleartext(credential, "secre"));
  }
  EXPECT_FALSE(verify_native(Credential::sha2_hash(foobar_hash()).value(), good, kSalt));
}

TEST(CachingSha2, ChecksTheHashThatTidbStores) {
  const auto credential = Credential::sha2_hash(foobar_hash()).value();
  EXPECT_TRUE(verify_cleartext(credential, "foobar"));
  EXPECT_FALSE(verify_cleartext(credential, "not_foobar"));
  EXPECT_FALSE(verify_cleartext(credential, ""));
  EXPECT_EQ(make_sha2_hash("foobar", foobar_hash().substr(7, 20)), foobar_hash());
}

TEST(CachingSha2, AgreesWithCrypt) {
  // As crypt(3) has it: `$5$saltstring`, 5,000 rounds, a salt shorter than MySQL's.
  EXPECT_EQ(make_sha2_hash("Hello world!", "saltstring"),
            "$A$005$saltstring5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5");
}

TEST(CachingSha2, IsProvedByItsScramble) {
  const std::string good = sha2_scramble("secret", kSalt);
  EXPECT_EQ(good.size(), 32U);
  const auto plain = Credential::plaintext("secret");
  EXPECT_TRUE(verify_sha2(plain, "", good, kSalt));
  EXPECT_FALSE(verify_sha2(plain, "", sha2_scramble("x", kSalt), kSalt));
  EXPECT_FALSE(verify_sha2(plain, "", good.substr(1), kSalt));
  EXPECT_FALSE(verify_sha2(plain, "", "", kSalt));

  const auto hash = Credential::sha2_hash(foobar_hash()).value();
  const std::string foobar = sha2_scramble("foobar", kSalt);
  EXPECT_FALSE(verify_sha2(hash, "", foobar, kSalt));
  EXPECT_TRUE(verify_sha2(hash, sha2_digest("foobar"), foobar, kSalt));
  EXPECT_FALSE(verify_sha2(hash, sha2_digest("foobar"), good, kSalt));
}

TEST(EmptyPassword, IsProvedByAnEmptyScrambleAndNothingElse) {
  const Credential empty;
  EXPECT_EQ(native_scramble("", kSalt), "");
  EXPECT_EQ(sha2_scramble("", kSalt), "");
  EXPECT_TRUE(verify_native(empty, "", kSalt));
  EXPECT_TRUE(verify_sha2(empty, "", "", kSalt));
  EXPECT_FALSE(verify_native(empty, native_scramble("x", kSalt), kSalt));
  EXPECT_FALSE(verify_sha2(empty, "", sha2_scramble("x", kSalt), kSalt));
}

TEST(RandomSalt, HasNeitherNulNorDollar) {
  std::string before;
  for (int i = 0; i < 200; ++i) {
    const std::string salt = random_salt();
    EXPECT_EQ(salt.size(), kSaltBytes);
    EXPECT_EQ(salt.find('\0'), std::string::npos);
    EXPECT_EQ(salt.find('$'), std::string::npos);
    EXPECT_NE(salt, before);
    before = salt;
  }
}

TEST(RsaKey, DecryptsWhatAClientEncrypts) {
  const RsaKey key = RsaKey::generate().value();
  EXPECT_TRUE(key.public_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
  for (const char* password : {"", "secret", "a password that is longer than the salt is"}) {
    const std::string cipher = encrypt_password(password, kSalt, key.public_pem()).value();
    EXPECT_EQ(cipher.size(), 256U);
    EXPECT_EQ(key.decrypt_password(cipher, kSalt).value(), password);
    EXPECT_FALSE(key.decrypt_password(cipher.substr(1), kSalt));
  }
  EXPECT_FALSE(key.decrypt_password("", kSalt));
  EXPECT_FALSE(key.decrypt_password(std::string(256, 'x'), kSalt));
  EXPECT_FALSE(encrypt_password("x", kSalt, "no key"));
}

TEST(ConstantTimeEqual, Compares) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("ab", "ab"));
  EXPECT_FALSE(constant_time_equal("ab", "ac"));
  EXPECT_FALSE(constant_time_equal("ab", "abc"));
}

TEST(RsaKey, IsNotMadeForNobody) {
  const std::atomic<bool> is_unwanted = true;
  EXPECT_FALSE(RsaKey::generate(is_unwanted));
}

TEST(RsaKey, RefusesWhatWasNotMadeForIt) {
  const RsaKey key = RsaKey::generate().value();
  const std::string cipher = encrypt_password("secret", kSalt, key.public_pem()).value();
  std::string other_salt(kSalt);
  for (char& c : other_salt)
    c = static_cast<char>(c ^ 1);

  EXPECT_FALSE(key.decrypt_password(cipher, other_salt)) << "no NUL at its end";
  EXPECT_FALSE(key.decrypt_password(cipher, ""));
  EXPECT_FALSE(encrypt_password("secret", "", key.public_pem()));
  EXPECT_FALSE(encrypt_password(std::string(300, 'x'), kSalt, key.public_pem()))
      << "longer than the key can take";
}

}  // namespace
}  // namespace tidepool::protocol
