// What a peer sends in the place of a password, and what a configuration gives for one: nothing but
// the password itself proves it, in whichever form it is stored.
#include "fuzz_input.h"
#include "tidepool/base/check.h"
#include "tidepool/protocol/auth.h"
#include "tidepool/protocol/decoys.h"
#include "tidepool/protocol/server_handshake.h"

using namespace tidepool::protocol;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::string_view kSalt = "abcdefghijklmnopqrst";
constexpr std::string_view kPassword = "a password";

// As a configuration may give it; few rounds, for there are many inputs.
void parse_hash(std::string_view text) {
  const auto native = Credential::native_hash(text);
  if (native) TIDEPOOL_CHECK(native->secret() == text);
  const auto sha2 = Credential::sha2_hash(text);
  if (!sha2) return;
  TIDEPOOL_CHECK(sha2->secret().size() == 70);
  TIDEPOOL_CHECK(Decoys({Passwords(*sha2)}).of("nobody").primary().kind() ==
                 Credential::Kind::kSha2Hash);
}

void verify(std::string_view input) {
  static const Credential kPlain = Credential::plaintext(std::string(kPassword));
  static const Credential kNative = Credential::native_hash(make_native_hash(kPassword)).value();
  const std::string digest = sha2_digest(kPassword);
  const bool is_native = input == native_scramble(kPassword, kSalt);
  TIDEPOOL_CHECK(verify_native(kPlain, input, kSalt) == is_native);
  TIDEPOOL_CHECK(verify_native(kNative, input, kSalt) == is_native);
  const bool is_sha2 = input == sha2_scramble(kPassword, kSalt);
  TIDEPOOL_CHECK(verify_sha2(kPlain, {}, input, kSalt) == is_sha2);
  TIDEPOOL_CHECK(verify_sha2(kNative, digest, input, kSalt) == is_sha2);
  TIDEPOOL_CHECK(!verify_sha2(kNative, {}, input, kSalt));
  TIDEPOOL_CHECK(verify_cleartext(kPlain, input) == (input == kPassword));
  TIDEPOOL_CHECK(verify_cleartext(kNative, input) == (input == kPassword));
  // Any bytes as the proof of the empty password.
  TIDEPOOL_CHECK(verify_native(Credential(), input, kSalt) == input.empty());
  TIDEPOOL_CHECK(verify_sha2(Credential(), {}, input, kSalt) == input.empty());
}

// A password in the clear to a user with a hash, known or not.
void send_in_full(std::string_view password, bool is_known) {
  static const std::string kHash = make_sha2_hash(kPassword, kSalt);
  static const Decoys kDecoys({Passwords(*Credential::sha2_hash(kHash))});
  HandshakeOptions options;
  options.salt = kSalt;
  options.transport = Transport::kUnixSocket;
  options.decoys = &kDecoys;
  ServerHandshake handshake(options);
  (void)handshake.start();
  LoginRequest request;
  request.capabilities =
      capability::kProtocol41 | capability::kSecureConnection | capability::kPluginAuth;
  request.collation = 46;
  request.user = "app";
  request.auth_response = std::string(32, 'x');
  request.auth_plugin = kCachingSha2Password;
  (void)handshake.on_packet(encode_login_request(request));
  const UserRecord user{Passwords(*Credential::sha2_hash(kHash))};
  (void)handshake.on_user(is_known ? &user : nullptr);
  Action action = handshake.on_packet(password);
  if (const auto* check = std::get_if<CheckPassword>(&action)) {
    TIDEPOOL_CHECK(check->password.size() <= kMaxPasswordBytes);
    const bool is_right = check->password == kPassword;  // without its rounds
    action = handshake.on_verdict(is_right ? std::optional(Proof::kPrimary) : std::nullopt);
    TIDEPOOL_CHECK(std::holds_alternative<Accept>(action) == (is_right && is_known));
  } else {
    TIDEPOOL_CHECK(std::holds_alternative<Reject>(action));
  }
}

// The password itself in a login, to a user with two.
void send_in_clear(std::string_view password, bool is_known) {
  static const Credential kOld = Credential::native_hash(make_native_hash("an old one")).value();
  static const Passwords kBoth(Credential::plaintext(std::string(kPassword)), kOld);
  static const Decoys kDecoys({kBoth});
  HandshakeOptions options;
  options.salt = kSalt;
  options.transport = Transport::kUnixSocket;
  options.decoys = &kDecoys;
  ServerHandshake handshake(options);
  (void)handshake.start();
  LoginRequest request;
  request.capabilities = capability::kProtocol41 | capability::kPluginAuth |
                         capability::kPluginAuthLenencClientData | capability::kSecureConnection;
  request.collation = 46;
  request.user = "app";
  request.auth_response = password;
  request.auth_plugin = kClearPassword;
  Action action = handshake.on_packet(encode_login_request(request));
  if (!std::holds_alternative<FindUser>(action)) return;
  const UserRecord user{kBoth};
  action = handshake.on_user(is_known ? &user : nullptr);
  if (std::holds_alternative<SendBytes>(action)) action = handshake.on_packet(password);
  std::optional<Proof> proof;
  if (const auto* check = std::get_if<CheckPassword>(&action)) {
    TIDEPOOL_CHECK(check->password.size() <= kMaxPasswordBytes);
    proof = check->passwords.prove_in_clear(check->password);
    action = handshake.on_verdict(proof);
  }
  while (password.ends_with('\0'))
    password.remove_suffix(1);
  const bool is_right = password == kPassword || password == "an old one";
  TIDEPOOL_CHECK(std::holds_alternative<Accept>(action) == (is_right && is_known));
  TIDEPOOL_CHECK(!is_known || proof.has_value() == is_right);
}

void decrypt(std::string_view cipher) {
  static const RsaKey kKey = *RsaKey::generate();
  (void)kKey.decrypt_password(cipher, kSalt);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = tidepool::fuzz::as_view(data, size);
  const unsigned choice = tidepool::fuzz::take_byte(input);
  switch (choice % 5) {
    case 0: parse_hash(input); break;
    case 1: verify(input); break;
    case 2: send_in_full(input, choice < 128); break;
    case 3: decrypt(input); break;
    default: send_in_clear(input, choice < 128);
  }
  return 0;
}
