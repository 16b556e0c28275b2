#include "tidepool/session/login.h"

#include <utility>

namespace tidepool::session {

Login::Login(Environment& environment, ClientChannel& channel, net::TlsContext* tls,
             protocol::ServerHandshake handshake)
    : environment_(environment), channel_(channel), tls_(tls), handshake_(std::move(handshake)) {}

Login::Status Login::start() {
  return perform(handshake_.start());
}

Login::Status Login::on_packet(std::string_view payload) {
  return perform(handshake_.on_packet(payload));
}

Login::Status Login::on_tls_established() {
  return perform(handshake_.on_tls_established());
}

Login::Status Login::perform(protocol::Action action) {
  for (;;) {
    std::optional<protocol::Action> next;
    const Status status = perform_one(action, next);
    channel_.expect_sequence(handshake_.next_sequence());
    if (!next) return status;
    action = std::move(*next);
  }
}

Login::Status Login::perform_one(protocol::Action& action, std::optional<protocol::Action>& next) {
  if (auto* send = std::get_if<protocol::SendBytes>(&action)) {
    return channel_.write(send->bytes) ? Status::kUnderWay : Status::kLost;
  }
  if (std::holds_alternative<protocol::StartTls>(action)) {
    return channel_.stream().start_tls(*tls_, channel_.take_rest()) ? Status::kUnderWay
                                                                    : Status::kLost;
  }
  if (auto* find = std::get_if<protocol::FindUser>(&action)) {
    account_ = environment_.find_account(find->name);
    if (account_ == nullptr) {
      next = handshake_.on_user(nullptr);
    } else {
      credential_version_ = account_->credential_version;
      const protocol::UserRecord record{account_->credential, account_->sha2_digest};
      next = handshake_.on_user(&record);
    }
    return Status::kUnderWay;
  }
  if (auto* accept = std::get_if<protocol::Accept>(&action)) {
    // Not that of a password which a reload has changed meanwhile.
    const bool is_current = credential_version_ == account_->credential_version;
    if (is_current && !accept->learned_sha2_digest.empty()) {
      account_->sha2_digest = accept->learned_sha2_digest;
    }
    accepted_ = std::move(*accept);
    return channel_.write(accepted_.bytes) ? Status::kAccepted : Status::kLost;
  }
  if (auto* reject = std::get_if<protocol::Reject>(&action)) {
    reason_ = reject->reason;
    return channel_.write(reject->bytes) ? Status::kRejected : Status::kLost;
  }
  return Status::kUnderWay;  // AwaitPacket
}

std::string host_of(const std::string& peer) {
  const std::size_t colon = peer.rfind(':');
  return colon == std::string::npos ? std::string("localhost") : peer.substr(0, colon);
}

}  // namespace tidepool::session
