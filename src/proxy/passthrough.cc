#include "passthrough.h"

#include <algorithm>
#include <utility>

#include "shared_state.h"
#include "tidepool/base/log.h"
#include "tidepool/base/utf8.h"

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

// TiDB's own words go to the client. Other errors do not, since the client has not proved who it
// is.
Error told(const Error& error) {
  constexpr std::uint16_t kCannotConnect = 2003;
  if (error.mysql_errno != 0) return error;
  return Error{error.code, "TiDB cannot be asked about this user now", kCannotConnect, "HY000"};
}

// TiDB's ER_ACCESS_DENIED_ERROR and ER_ACCESS_DENIED_NO_PASSWORD_ERROR; TiDB Cloud's gateway says
// it by 1105.
bool is_denied(const Error& error) {
  constexpr std::uint16_t kUnknown = 1105;
  constexpr std::uint16_t kNoPassword = 1698;
  if (error.code != Code::kAuth) return false;
  if (error.mysql_errno == kAccessDenied || error.mysql_errno == kNoPassword) return true;
  return error.mysql_errno == kUnknown && error.message.find("Access denied") != std::string::npos;
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

void Passthrough::set_base(config::Config base) {
  if (users_.set_base(std::move(base)) == PassthroughUsers::Model::kAnother) memory_.forget_all();
  set_limits();
}

Result<void> Passthrough::change_base(const config::Config& base) {
  const PassthroughUsers before = users_;
  const bool is_other = users_.set_base(base) == PassthroughUsers::Model::kAnother;
  auto applied = events_.apply_all(users_.applied());
  if (applied && is_other) memory_.forget_all();
  if (!applied) users_ = before;
  set_limits();
  return applied;
}

void Passthrough::set_limits() {
  if (const config::Pool* model = users_.model()) {
    queue_.set_limits({.at_once = static_cast<std::size_t>(model->max_dials),
                       .in_a_second = static_cast<std::size_t>(model->dial_rate)});
  }
  stats_.users.set(static_cast<std::int64_t>(users_.size()));
}

void Passthrough::stop() {
  is_stopped_ = true;
  timer_.stop();
  dials_.clear();
}

void Passthrough::tick() {
  if (users_.expire(events_.has_sessions, loop_.now())) apply();
}

void Passthrough::on_question(session::PasswordProofs::Question question) {
  if (is_stopped_) return;
  const session::PasswordProofs::Id id = question.id;
  if (users_.model() == nullptr) return proofs_.answer(id, {Verdict::kWrong});
  switch (memory_.judge(question.user, question.password, loop_.now())) {
    case Remembered::kRight:
      stats_.proofs[ProofResult::kRemembered].add();
      return proofs_.answer(id, let_in(question.user, question.password));
    case Remembered::kWrong:
      stats_.proofs[ProofResult::kRemembered].add();
      return proofs_.answer(id, {Verdict::kWrong});
    case Remembered::kNothing: break;
  }
  const auto likelihood = memory_.was_right(question.user, question.password)
                              ? ProofQueue::Likelihood::kProbablyRight
                              : ProofQueue::Likelihood::kUnknown;
  if (!queue_.try_add(std::move(question), likelihood)) {
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
  const Error unwanted{Code::kCanceled, "a reload has changed who passes through"};
  if (model == nullptr || users_.is_listed(job->user))
    return on_dialled(dial, tl::unexpected(unwanted));
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
  const auto ended = is_refused ? ProofQueue::Outcome::kRefused : ProofQueue::Outcome::kOther;
  const Answer answer = answer_to(*job, outcome);
  for (const auto id : queue_.end(job, ended, loop_.now()))
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
  if (is_denied(error)) {
    stats_.proofs[ProofResult::kWrong].add();
    on_refused(job.user, job.password);
    return {Verdict::kWrong};
  }
  stats_.proofs[ProofResult::kFailed].add();
  log::warn("TiDB cannot be asked about a password",
            {{"user", first_characters(job.user, kMaxLoggedName)}, {"error", error.message}});
  return {Verdict::kUnknown, told(error)};
}

Passthrough::Answer Passthrough::let_in(const std::string& user, const Secret& password) {
  switch (users_.admit(user, password, events_.is_free, loop_.now())) {
    case PassthroughUsers::Admission::kKnown: return {Verdict::kRight};
    case PassthroughUsers::Admission::kListed: return {Verdict::kBusy};
    case PassthroughUsers::Admission::kFull:
      return {Verdict::kUnknown,
              too_many("there are as many users as max_passthrough_users allows")};
    case PassthroughUsers::Admission::kChanged: break;
  }
  apply();
  log::info("user passes through to TiDB", {{"user", first_characters(user, kMaxLoggedName)}});
  return {Verdict::kRight};
}

// TiDB no longer takes a password that was right: the sessions that logged in with it end.
void Passthrough::on_refused(const std::string& user, const Secret& password) {
  memory_.add_wrong(user, password, loop_.now());
  if (!memory_.was_right(user, password)) return;
  memory_.forget(user);
  if (users_.remove(user)) apply();
}

void Passthrough::apply() {
  stats_.users.set(static_cast<std::int64_t>(users_.size()));
  events_.apply_users(users_.applied());
}

}  // namespace tidepool::proxy
