#include "tidepool/proxy/passthrough.h"

#include <algorithm>
#include <utility>

#include "tidepool/base/log.h"
#include "tidepool/base/utf8.h"
#include "tidepool/proxy/home.h"

namespace tidepool::proxy {
namespace {

using session::ProofResult;
using Verdict = session::PasswordProofs::Verdict;

constexpr std::size_t kMaxLoggedName = 64;
constexpr std::uint16_t kTooManyConnections = 1040;
constexpr std::uint16_t kAccessDenied = 1045;

Error too_many(const std::string& text) {
  return Error{Code::kBusy, "Too many connections: " + text, kTooManyConnections, "08004"};
}

// A number that a client knows, where TiDB has given none.
Error told(Error error) {
  constexpr std::uint16_t kCannotConnect = 2003;
  if (error.mysql_errno == 0) {
    error.mysql_errno = kCannotConnect;
    error.sqlstate = "HY000";
  }
  return error;
}

}  // namespace

Passthrough::Passthrough(net::Loop& loop, session::PasswordProofs& proofs,
                         session::ProofStats& stats, Events events)
    : loop_(loop), proofs_(proofs), stats_(stats), events_(std::move(events)), timer_(loop) {
  proofs_.set_judge(
      [this](session::PasswordProofs::Question question) {
        loop_.post([this, question = std::move(question)] { on_question(question); });
      },
      [this](session::PasswordProofs::Id id) { loop_.post([this, id] { queue_.leave(id); }); });
}

void Passthrough::set_base(const config::Config& base) {
  users_.set_base(base);
  if (const config::Pool* model = users_.model()) {
    queue_.set_limits({.at_once = static_cast<std::size_t>(model->max_dials),
                       .in_a_second = static_cast<std::size_t>(model->dial_rate)});
  }
  stats_.users.set(static_cast<std::int64_t>(users_.size()));
}

Result<void> Passthrough::change_base(const config::Config& base) {
  const PassthroughUsers before = users_;
  set_base(base);
  auto applied = apply();
  if (!applied) users_ = before;
  return applied;
}

void Passthrough::stop() {
  is_stopped_ = true;
  timer_.stop();
  dials_.clear();
}

void Passthrough::tick() {
  if (!users_.expire(events_.has_sessions, loop_.now())) return;
  if (const auto applied = apply(); !applied)
    log::error("users that passed through cannot be removed", {{"error", applied.error().message}});
}

void Passthrough::on_question(session::PasswordProofs::Question question) {
  if (is_stopped_) return;
  const session::PasswordProofs::Id id = question.id;
  switch (memory_.judge(question.user, question.password, loop_.now())) {
    case Remembered::kRight:
      stats_.proofs[ProofResult::kRemembered].add();
      return proofs_.answer(id, let_in(question.user, question.password));
    case Remembered::kWrong:
      stats_.proofs[ProofResult::kRemembered].add();
      return proofs_.answer(id, {Verdict::kWrong});
    case Remembered::kNothing: break;
  }
  if (users_.model() == nullptr) return proofs_.answer(id, {Verdict::kWrong});
  if (!queue_.add(std::move(question))) {
    stats_.proofs[ProofResult::kBusy].add();
    return proofs_.answer(id, {Verdict::kBusy});
  }
  pump();
}

void Passthrough::pump() {
  while (const auto job = queue_.next(loop_.now()))
    begin_dial(*job);
  timer_.stop();
  if (const auto at = queue_.next_at(loop_.now())) {
    const auto wait =
        std::max(*at - loop_.now(), TimePoint::duration(std::chrono::milliseconds(1)));
    timer_.start(wait, [this] { pump(); });
  }
}

void Passthrough::begin_dial(ProofQueue::Handle job) {
  const config::Pool* model = users_.model();
  dials_.push_back({job, {}});
  const auto dial = std::prev(dials_.end());
  if (model == nullptr) return on_dialled(dial, fail(Code::kAuth, "passthrough is off"));
  backend::DialOptions options = pool_options(*model).dial;
  options.user = job->user;
  options.password = job->password;
  dial->handle = backend::dial(loop_, std::move(options), [this, dial](auto connection) {
    on_dialled(dial, connection ? Result<void>() : tl::unexpected(std::move(connection.error())));
  });
}

void Passthrough::on_dialled(Dials::iterator dial, const Result<void>& outcome) {
  const ProofQueue::Handle job = dial->job;
  const bool is_refused = !outcome && outcome.error().code == Code::kAuth;
  const Answer answer = answer_to(*job, outcome);
  for (const auto id : queue_.end(job, is_refused, loop_.now()))
    proofs_.answer(id, answer);
  dials_.erase(dial);
  pump();
}

Passthrough::Answer Passthrough::answer_to(const ProofQueue::Job& job,
                                           const Result<void>& outcome) {
  if (outcome) {
    stats_.proofs[ProofResult::kRight].add();
    if (const config::Pool* model = users_.model())
      memory_.add_right(job.user, job.password, loop_.now() + model->passthrough_lifetime);
    return let_in(job.user, job.password);
  }
  const Error& error = outcome.error();
  if (error.code != Code::kAuth) {
    stats_.proofs[ProofResult::kFailed].add();
    return {Verdict::kUnknown, told(error)};
  }
  stats_.proofs[ProofResult::kWrong].add();
  if (error.mysql_errno != kAccessDenied)  // the account is locked, and the like
    return {Verdict::kUnknown, told(error)};
  on_refused(job.user, job.password);
  return {Verdict::kWrong};
}

Passthrough::Answer Passthrough::let_in(const std::string& user, const std::string& password) {
  switch (users_.admit(user, password, events_.is_free, loop_.now())) {
    case PassthroughUsers::Admission::kKnown: return {Verdict::kRight};
    case PassthroughUsers::Admission::kFull:
      return {Verdict::kUnknown,
              too_many("there are as many users as max_passthrough_users allows")};
    case PassthroughUsers::Admission::kChanged: break;
  }
  if (const auto applied = apply(); !applied) {
    users_.remove(user);
    return {Verdict::kUnknown, told(applied.error())};
  }
  log::info("user passes through to TiDB", {{"user", first_characters(user, kMaxLoggedName)}});
  return {Verdict::kRight};
}

// TiDB no longer takes what was right: whoever has come in by it goes.
void Passthrough::on_refused(const std::string& user, const std::string& password) {
  memory_.add_wrong(user, password, loop_.now());
  if (!memory_.contradicts(user, password)) return;
  memory_.forget(user);
  if (users_.remove(user)) (void)apply();
}

Result<void> Passthrough::apply() {
  stats_.users.set(static_cast<std::int64_t>(users_.size()));
  return events_.apply(users_.applied());
}

}  // namespace tidepool::proxy
