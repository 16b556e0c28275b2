#include "tidepool/session/kill_commands.h"

#include <optional>
#include <vector>

#include "own_errors.h"

namespace tidepool::session {

KillCommands::Answer KillCommands::answer(const tracking::Command& command) {
  const bool executes =
      command.type == protocol::Command::kQuery || command.type == protocol::Command::kStmtExecute;
  const sql::Script& script = command.executed_script();
  if (!executes || context_.environment.registry == nullptr) return Answer::kNone;
  if (script.size() > 1) return denies(script) ? deny() : Answer::kNone;
  if (script.empty() || !script.front().kill) return Answer::kNone;
  const sql::KillTarget& target = *script.front().kill;
  const KillReach reach = context_.kill_reach();
  const KillReach::Meaning meaning =
      target.own_connection ? KillReach::Meaning{KillReach::Kind::kSession, context_.id}
                            : reach.of(target.id);
  if (meaning.kind == KillReach::Kind::kUnknown) return Answer::kNone;
  if (meaning.kind == KillReach::Kind::kDenied) return deny();
  const bool is_own = meaning.kind == KillReach::Kind::kSession && meaning.session == context_.id;
  if (is_own && !target.query_only) return Answer::kEndsSession;
  context_.note_local_statement();
  if (is_own) {
    context_.refuse(interrupted());
    return Answer::kSent;
  }
  reach.carry_out(target, meaning);
  context_.send_ok();
  return Answer::kSent;
}

bool KillCommands::denies(const sql::Script& script) const {
  const KillReach reach = context_.kill_reach();
  for (std::size_t i = 0; i < script.size(); ++i) {
    const std::optional<sql::KillTarget>& target = script[i].kill;
    if (!target || target->own_connection) continue;
    if (reach.of(target->id).kind == KillReach::Kind::kDenied) return true;
  }
  return false;
}

KillCommands::Answer KillCommands::deny() {
  context_.note_local_statement();
  context_.refuse({Code::kBackend,
                   "Access denied; you need (at least one of) the SUPER or CONNECTION_ADMIN "
                   "privilege(s) for this operation",
                   1227, "42000"});
  return Answer::kSent;
}

void KillCommands::plan(tracking::Command& command) const {
  command.attempt.kills.clear();
  const sql::Script& script = command.executed_script();
  if (script.size() < 2 || context_.environment.registry == nullptr) return;
  const KillReach reach = context_.kill_reach();
  for (std::size_t i = 0; i < script.size(); ++i) {
    const std::optional<sql::KillTarget>& target = script[i].kill;
    if (!target || target->own_connection) continue;
    if (reach.of(target->id).kind != KillReach::Kind::kUnknown)
      command.attempt.kills.push_back({i, *target});
  }
}

// What a number means now counts: what is somebody else's by now is left alone, as what is gone.
void KillCommands::carry_out(tracking::CommandAttempt& attempt) const {
  std::vector<tracking::PlannedKill>& kills = attempt.kills;
  const protocol::ResponseSummary& answer = attempt.exchange.summary();
  const std::uint32_t done = answer.has_error() ? answer.results - 1 : answer.results;
  auto kill = kills.begin();
  for (; kill != kills.end() && kill->index < done; ++kill)
    context_.kill_reach().carry_out(kill->target);
  kills.erase(kills.begin(), kill);
}

}  // namespace tidepool::session
