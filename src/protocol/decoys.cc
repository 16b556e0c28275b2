#include "tidepool/protocol/decoys.h"

#include <algorithm>

#include "tidepool/base/stream_hash.h"

namespace tidepool::protocol {
namespace {

constexpr std::size_t kSha2SettingsBytes = 7;  // `$A$005$`
constexpr std::size_t kSha2DigestBytes = 43;

std::string kind_of(const Credential& credential) {
  std::string kind(1, static_cast<char>('0' + static_cast<int>(credential.kind())));
  if (credential.kind() == Credential::Kind::kSha2Hash)
    kind += credential.secret().substr(0, kSha2SettingsBytes);
  return kind;
}

Credential decoy_like(const Credential& real) {
  const std::string secret = random_salt();
  switch (real.kind()) {
    case Credential::Kind::kPlaintext: break;
    case Credential::Kind::kNativeHash:
      return Credential::native_hash(make_native_hash(secret)).value();
    case Credential::Kind::kSha2Hash:
      return Credential::sha2_hash(std::string(real.secret().substr(0, kSha2SettingsBytes)) +
                                   secret + std::string(kSha2DigestBytes, '.'))
          .value();
  }
  return Credential::plaintext(secret);
}

// The same whichever of two is the primary one, as a client sees no difference.
std::string kind_of(const Passwords& passwords) {
  std::string primary = kind_of(passwords.primary());
  if (passwords.secondary() == nullptr) return primary;
  const std::string secondary = kind_of(*passwords.secondary());
  return std::min(primary, secondary) + '+' + std::max(primary, secondary);
}

Passwords decoy_like(const Passwords& real) {
  if (real.secondary() == nullptr) return Passwords(decoy_like(real.primary()));
  return Passwords(decoy_like(real.primary()), decoy_like(*real.secondary()));
}

}  // namespace

Decoys::Decoys(const std::vector<Passwords>& in_use) {
  for (const Passwords& passwords : in_use) {
    const std::string kind = kind_of(passwords);
    const bool is_known = std::any_of(decoys_.begin(), decoys_.end(),
                                      [&](const Decoy& decoy) { return decoy.kind == kind; });
    if (!is_known) decoys_.push_back({kind, decoy_like(passwords)});
  }
  if (decoys_.empty()) decoys_.push_back({"0", decoy_like(Passwords(Credential::plaintext("x")))});
}

// The kind with the greatest number: so a new kind takes only those names that it wins, and one
// that goes leaves all others as they were.
const Passwords& Decoys::of(std::string_view name) const {
  const Decoy* chosen = &decoys_.front();
  std::uint64_t greatest = 0;
  for (const Decoy& decoy : decoys_) {
    const std::uint64_t number = keyed_number(decoy.kind + '\0' + std::string(name));
    if (number < greatest) continue;
    greatest = number;
    chosen = &decoy;
  }
  return chosen->passwords;
}

}  // namespace tidepool::protocol
