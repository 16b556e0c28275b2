#include "tidepool/proxy/successor.h"

#include <algorithm>
#include <csignal>
#include <unistd.h>
#include <utility>

#include "tidepool/proxy/handover.h"

namespace tidepool::proxy {
namespace {

// To check its configuration and reach TiDB, which may have to wake up.
constexpr std::chrono::seconds kReadyTimeout{60};

}  // namespace

Program Program::of(int argc, const char* const* argv) {
  Program program{.arguments = {argv, argv + argc}, .environment = {}};
  for (char** one = environ; *one != nullptr; ++one)
    program.environment.emplace_back(*one);
  return program;
}

Result<std::unique_ptr<Successor>> Successor::start(net::Loop& loop, const Program& program,
                                                    const Greeting& greeting, Events events) {
  auto ends = net::MessageChannel::pair();
  if (!ends) return tl::unexpected(ends.error());
  std::unique_ptr<Successor> made(new Successor(loop, std::move(events)));
  Successor& self = *made;
  self.channel_ = std::make_unique<net::MessageChannel>(
      loop, std::move(ends->first), [&self](const auto& message) { self.on_message(message); },
      [] {});  // it ends soon, or is late
  if (auto greeted = self.greet(greeting); !greeted) return tl::unexpected(greeted.error());
  std::vector<std::string> environment = program.environment;
  const std::string variable = std::string(kHandoverVariable) + '=';
  std::erase_if(environment, [&](const std::string& one) { return one.starts_with(variable); });
  environment.push_back(variable + std::to_string(net::ChildProcess::kDescriptor));
  auto child =
      net::ChildProcess::start(loop, program.arguments, std::move(environment), ends->second.get(),
                               [&self](int code) { self.on_exit(code); });
  if (!child) return tl::unexpected(child.error());
  self.child_ = std::move(*child);
  self.deadline_.start(kReadyTimeout, [&self] {
    self.failure_ = "it was not ready within " + std::to_string(kReadyTimeout.count()) + " s";
    self.signal(SIGKILL);
  });
  return made;
}

Successor::Successor(net::Loop& loop, Events events)
    : events_(std::move(events)), deadline_(loop) {}

Successor::~Successor() {
  if (is_running() && !has_gone_live_) child_->signal(SIGKILL);
}

Result<void> Successor::greet(const Greeting& greeting) {
  bool is_told = true;
  for (const Passed& one : greeting.sockets) {
    const auto& all = one.descriptors;
    for (std::size_t i = 0; i < all.size(); i += net::MessageChannel::kMaxDescriptors) {
      const std::size_t end = std::min(all.size(), i + net::MessageChannel::kMaxDescriptors);
      const std::vector<int> some(all.begin() + static_cast<std::ptrdiff_t>(i),
                                  all.begin() + static_cast<std::ptrdiff_t>(end));
      const Word word{Word::Kind::kSockets, some.size(), one.key};
      is_told = is_told && channel_->try_send(encode(word), some);
    }
  }
  hold(greeting.held);
  for (const std::string& pool : greeting.unavailable)
    is_told = is_told && channel_->try_send(encode({Word::Kind::kUnavailable, 0, pool}));
  is_told = is_told && told_ == greeting.held &&
            channel_->try_send(encode({Word::Kind::kBegin, kHandoverVersion, {}}));
  if (!is_told) return fail(Code::kInternal, "cannot tell it what to listen on");
  return {};
}

void Successor::hold(const Held& held) {
  if (channel_ == nullptr) return;
  for (const auto& [pool, backends] : held) {
    const auto before = told_.find(pool);
    if (before != told_.end() && before->second == backends) continue;
    if (channel_->try_send(encode({Word::Kind::kHeld, backends, pool}))) told_[pool] = backends;
  }
}

bool Successor::try_go(std::uint32_t first_session) {
  deadline_.stop();
  has_gone_live_ = channel_->try_send(encode({Word::Kind::kGo, first_session, {}}));
  return has_gone_live_;
}

void Successor::on_message(const net::MessageChannel::Message& message) {
  const auto word = decode(message.text);
  if (!word || !failure_.empty()) return;
  if (word->kind == Word::Kind::kReady && !has_gone_live_) events_.on_ready();
  if (word->kind == Word::Kind::kDrain && has_gone_live_) events_.on_drain();
}

void Successor::on_exit(int code) {
  deadline_.stop();
  if (has_gone_live_) return events_.on_ended(code);
  if (failure_.empty()) failure_ = "it ended with exit code " + std::to_string(code);
  events_.on_failed(failure_);
}

}  // namespace tidepool::proxy
