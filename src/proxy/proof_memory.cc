#include "proof_memory.h"

#include <algorithm>

namespace tidepool::proxy {

// The length keeps user and password apart.
ProofMemory::Hash ProofMemory::hash_of(std::string_view user, std::string_view password) {
  StreamHash hash;
  hash.add(std::to_string(user.size()) + ':');
  hash.add(user);
  hash.add(password);
  return hash.value();
}

Remembered ProofMemory::judge(std::string_view user, std::string_view password,
                              TimePoint now) const {
  const Hash hash = hash_of(user, password);
  const auto right = right_.find(std::string(user));
  if (right != right_.end() && right->second.hash == hash && now < right->second.until)
    return Remembered::kRight;
  const bool is_wrong = std::any_of(wrong_.begin(), wrong_.end(), [&](const Wrong& wrong) {
    return wrong.hash == hash && now < wrong.until;
  });
  return is_wrong ? Remembered::kWrong : Remembered::kNothing;
}

void ProofMemory::add_right(const std::string& user, std::string_view password, TimePoint until) {
  const Hash hash = hash_of(user, password);
  std::erase_if(wrong_, [&](const Wrong& wrong) { return wrong.hash == hash; });
  if (right_.size() >= kMaxRight) right_.clear();  // TiDB is asked again
  right_.insert_or_assign(user, Right{hash, until});
}

void ProofMemory::add_wrong(std::string_view user, std::string_view password, TimePoint now) {
  while (!wrong_.empty() && (wrong_.size() >= kMaxWrong || wrong_.front().until <= now))
    wrong_.pop_front();
  wrong_.push_back({hash_of(user, password), now + kWrongLifetime});
}

bool ProofMemory::was_right(std::string_view user, std::string_view password) const {
  const auto right = right_.find(std::string(user));
  return right != right_.end() && right->second.hash == hash_of(user, password);
}

void ProofMemory::forget(const std::string& user) {
  right_.erase(user);
}

void ProofMemory::forget_all() {
  right_.clear();
  wrong_.clear();
}

}  // namespace tidepool::proxy
