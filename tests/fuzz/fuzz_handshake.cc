// A client that sends anything at all: the login machine answers every packet, and lets none in.
#include "fuzz_input.h"
#include "tidepool/base/check.h"
#include "tidepool/protocol/server_handshake.h"

using namespace tidepool::protocol;  // NOLINT(google-build-using-namespace)

namespace {

UserRecord user_of(unsigned kind) {
  static const Credential kPlain = Credential::plaintext("a password");
  static const Credential kNative = *Credential::native_hash(make_native_hash("a password"));
  static const Credential kSha2 =
      *Credential::sha2_hash(make_sha2_hash("a password", "abcdefghijklmnopqrst"));
  switch (kind) {
    case 0: return {Passwords(kPlain)};
    case 1: return {Passwords(kNative)};
    case 2: {
      Passwords known(kSha2);
      known.learn(Proof::kPrimary, sha2_digest("a password"));
      return {known};
    }
    case 3: return {Passwords(kNative, kSha2)};
    case 4: return {Passwords(kPlain, kNative)};
    case 5: return {Passwords(kSha2, kPlain)};
    case 6: return {.passwords = std::nullopt, .is_judged_elsewhere = true};
    default: return {std::nullopt};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const RsaKey kKey = *RsaKey::generate();
  std::string_view input = tidepool::fuzz::as_view(data, size);
  const unsigned choice = tidepool::fuzz::take_byte(input);
  HandshakeOptions options;
  options.salt = "abcdefghijklmnopqrst";
  options.tls = static_cast<TlsPolicy>(choice % 3);
  options.transport = static_cast<Transport>(choice / 3 % 2);
  options.rsa_key = choice % 5 == 0 ? nullptr : &kKey;
  options.asks_for_clear_password = choice % 7 == 0;
  const UserRecord user = user_of(choice / 6 % 8);
  ServerHandshake handshake(options);
  Action action = handshake.start();
  while (!handshake.is_done()) {
    if (std::holds_alternative<FindUser>(action)) {
      action = handshake.on_user(choice < 128 ? &user : nullptr);
    } else if (std::holds_alternative<FindKey>(action)) {
      action = handshake.on_key(&kKey);
    } else if (const auto* check = std::get_if<CheckPassword>(&action)) {
      TIDEPOOL_CHECK(check->password.size() <= kMaxPasswordBytes);
      action = choice % 2 == 0 ? handshake.on_verdict(std::nullopt) : handshake.on_busy();
    } else if (const auto* prove = std::get_if<ProvePassword>(&action)) {
      TIDEPOOL_CHECK(handshake.is_secure() && user.is_judged_elsewhere);
      TIDEPOOL_CHECK(!prove->password.empty() && prove->password.size() <= kMaxPasswordBytes);
      action = handshake.on_no_verdict({tidepool::Code::kRefused, "no", 2003, "HY000"});
    } else if (std::holds_alternative<StartTls>(action)) {
      action = handshake.on_tls_established();
    } else {
      const std::size_t length = tidepool::fuzz::take_byte(input);
      if (input.empty()) return 0;
      action = handshake.on_packet(tidepool::fuzz::take_piece(input, length));
    }
  }
  TIDEPOOL_CHECK(std::holds_alternative<Reject>(action));
  return 0;
}
