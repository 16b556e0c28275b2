#include "predecessor.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "tidepool/base/log.h"
#include "tidepool/proxy/handover.h"

namespace tidepool::proxy {
namespace {

constexpr std::chrono::seconds kGreetingTimeout{10};
constexpr std::string_view kUnix = "unix ";
constexpr std::string_view kTcp = "tcp ";

Result<net::UniqueFd> channel_named(std::string_view text) {
  int fd = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fd);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || !net::MessageChannel::is_end(fd)) {
    return fail(Code::kConfig, std::string(kHandoverVariable) +
                                   " names no process to take over from; it is not to be set");
  }
  (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return net::UniqueFd(fd);
}

}  // namespace

Result<std::unique_ptr<Predecessor>> Predecessor::meet() {
  const char* value = std::getenv(kHandoverVariable);
  if (value == nullptr) return nullptr;
  auto fd = channel_named(value);
  ::unsetenv(kHandoverVariable);
  if (!fd) return tl::unexpected(fd.error());
  std::unique_ptr<Predecessor> predecessor(new Predecessor(std::move(*fd)));
  if (auto heard = predecessor->listen_to_it(); !heard) return tl::unexpected(heard.error());
  return predecessor;
}

Result<void> Predecessor::listen_to_it() {
  for (;;) {
    auto message = net::MessageChannel::receive(fd_.get(), kGreetingTimeout);
    if (!message) {
      return fail(message.error().code, "taking over: " + message.error().message);
    }
    const auto word = decode(message->text);
    if (word && word->kind == Word::Kind::kBegin && word->number == kHandoverVersion) return {};
    if (!word || word->kind == Word::Kind::kBegin) {
      return fail(Code::kProtocol,
                  "taking over: the process before this one is of another version "
                  "that cannot hand over to this one");
    }
    on_message(*message);
    if (word->kind != Word::Kind::kSockets) continue;
    for (net::UniqueFd& fd : message->descriptors)
      sockets_[word->name].push_back(std::move(fd));
  }
}

std::vector<net::UniqueFd> Predecessor::take(const std::string& key) {
  const auto found = sockets_.find(key);
  if (found == sockets_.end()) return {};
  std::vector<net::UniqueFd> taken = std::move(found->second);
  sockets_.erase(found);
  return taken;
}

bool Predecessor::listens_on(std::uint16_t port) const {
  const std::string end = ' ' + std::to_string(port);
  return std::any_of(sockets_.begin(), sockets_.end(), [&](const auto& one) {
    return one.first.starts_with(kTcp) && one.first.ends_with(end);
  });
}

void Predecessor::drop_the_rest() {
  for (const auto& [key, sockets] : sockets_) {
    log::info("no longer listening", {{"address", key}});
    if (key.starts_with(kUnix)) ::unlink(key.substr(kUnix.size()).c_str());
  }
  sockets_.clear();
}

void Predecessor::start(net::Loop& loop, Events events) {
  events_ = std::move(events);
  channel_ = std::make_unique<net::MessageChannel>(
      loop, std::move(fd_), [this](const auto& message) { on_message(message); },
      [this] { on_end(); });
}

void Predecessor::say_ready() {
  (void)channel_->try_send(encode({.kind = Word::Kind::kReady}));
}

void Predecessor::ask_to_drain() {
  if (is_there_) (void)channel_->try_send(encode({.kind = Word::Kind::kDrain}));
}

void Predecessor::on_message(const net::MessageChannel::Message& message) {
  const auto word = decode(message.text);
  if (!word) return;
  if (word->kind == Word::Kind::kHeld) {
    held_[word->name] = static_cast<unsigned>(word->number);
    if (events_.on_held) events_.on_held(word->name, held_[word->name]);
  }
  if (word->kind == Word::Kind::kUnavailable) unavailable_.insert(word->name);
  if (word->kind == Word::Kind::kGo && events_.on_go && !std::exchange(has_gone_live_, true)) {
    events_.on_go(static_cast<std::uint32_t>(word->number));
  }
}

void Predecessor::on_end() {
  is_there_ = false;
  for (auto& [pool, backends] : held_) {
    backends = 0;
    events_.on_held(pool, 0);
  }
  if (!std::exchange(has_gone_live_, true)) events_.on_go(1);
  events_.on_gone();
}

}  // namespace tidepool::proxy
