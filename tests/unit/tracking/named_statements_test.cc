#include "tidepool/tracking/named_statements.h"

#include <gtest/gtest.h>

namespace tidepool::tracking {
namespace {

constexpr NameOwner kOwner{7, 1};

NamedStatementPtr make(std::string_view text, const sql::SessionState& state = sql::SessionState(),
                       std::string_view name = "s") {
  return make_named_statement(name, text, state, kOwner);
}
sql::SessionState after(std::string_view text) {
  sql::SessionState state;
  const sql::Script script = sql::classify(text, state.lex_mode());
  for (std::size_t i = 0; i < script.size(); ++i)
    state.apply(script[i].changes);
  return state;
}

struct Planned {
  explicit Planned(std::string_view text, const NamedStatements& statements = {},
                   const sql::SessionState& state = sql::SessionState())
      : script(sql::classify(text, state.lex_mode())),
        plan(refs_of(script, statements, state, last)) {}

  NameOwner last{7, 1};
  sql::Script script;
  StatementRefs plan;
};

TEST(StatementRefs, OfTooManyChangesByExecutesIsNone) {
  std::string many = "SET @a = 1";
  for (int i = 0; i < 999; ++i)
    many += ", @a = 1";
  NamedStatements statements;
  statements.set(make(many));
  std::string text = "EXECUTE s";
  for (int i = 0; i < 99; ++i)
    text += "; EXECUTE s";
  EXPECT_EQ(Planned(text, statements).plan.executed.excess(), sql::Excess::kNone);
  const Planned planned(text + "; EXECUTE s", statements);
  EXPECT_EQ(planned.plan.executed.excess(), sql::Excess::kChanges);
  EXPECT_TRUE(planned.plan.refs.empty());
}

TEST(StatementRefs, MakesNoMoreStatementsThanASessionMayHave) {
  const std::string prepare = "PREPARE p FROM 'SELECT \"" + std::string(60'000, 'x') + "\"'";
  const Planned planned(prepare + ";" + prepare + ";" + prepare + ";" + prepare + ";" + prepare);
  EXPECT_NE(planned.plan.refs.front().statement, nullptr);
  EXPECT_EQ(planned.plan.refs.back().statement, nullptr);
}

TEST(NamedStatement, SaysWhatItsTextDoes) {
  const auto made = make("BEGIN");
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->script.front().kind, sql::StatementKind::kBegin);
  EXPECT_EQ(made->owner, kOwner);
}

TEST(NamedStatement, IsNotFollowedWithBytesThatOnlyItsCharacterSetHas) {
  const auto latin = after("SET NAMES latin1");
  EXPECT_NE(make("SELECT 1", latin), nullptr);
  EXPECT_EQ(make("SELECT '\xe4'", latin), nullptr);
  EXPECT_EQ(make("SELECT 1", latin, "\xe4"), nullptr);
  EXPECT_NE(make("SELECT '\xc3\xa4'"), nullptr);
}

TEST(NamedStatement, IsNotFollowedIfItDoesMoreThanTheSessionWouldKnow) {
  EXPECT_EQ(make("SELECT GET_LOCK('a', 1)"), nullptr) << "PREPARE takes it";
  EXPECT_EQ(make("SHOW WARNINGS"), nullptr) << "and adds one";
  EXPECT_EQ(make(""), nullptr);
  EXPECT_EQ(make("SELECT 1; SELECT 2"), nullptr);
  EXPECT_EQ(make("SELECT 1", after("SET sql_mode = CONCAT(@@sql_mode, ',ANSI')")), nullptr);
}

TEST(NamedStatement, MeansTheSameWhateverUserVariablesThereAre) {
  sql::SessionState state = after("USE shop; SET @a = 1, @b = 1 + 1; SET time_zone = CONCAT('a')");
  ASSERT_FALSE(state.is_exact());
  const sql::SessionState context = named_context(state);
  EXPECT_TRUE(context.is_exact());
  EXPECT_EQ(context, named_context(after("USE shop")));
  EXPECT_FALSE(named_context(after("SET sql_mode = CONCAT('a')")).is_exact());
}

TEST(NamedStatement, IsMadeAgainByThisText) {
  const auto made = make("SELECT 'it''s', '\\n'", sql::SessionState(), "a`b");
  EXPECT_EQ(prepare_text(*made, made->text), "PREPARE `a``b` FROM 'SELECT ''it''''s'', ''\\\\n'''");
  const auto plain = make("SELECT '\\'", after("SET sql_mode = 'NO_BACKSLASH_ESCAPES'"));
  EXPECT_EQ(prepare_text(*plain, plain->text), "PREPARE `s` FROM 'SELECT ''\\'''");
  EXPECT_EQ(deallocate_text("a`b"), "DEALLOCATE PREPARE `a``b`");
}

TEST(NamedStatements, AreFoundByNameWithItsCase) {
  NamedStatements statements;
  statements.set(make("SELECT 1"));
  statements.set(make("SELECT 2"));
  ASSERT_NE(statements.find("s"), nullptr);
  EXPECT_EQ(statements.find("s")->text, "SELECT 2");
  EXPECT_EQ(statements.find("S"), nullptr);
  statements.erase("s");
  EXPECT_EQ(statements.find("s"), nullptr);
}

TEST(NamedStatements, AreBounded) {
  NamedStatements statements;
  const auto large = make("SELECT 1" + std::string(NamedStatements::kMostBytes / 2, ' '));
  ASSERT_NE(large, nullptr);
  EXPECT_TRUE(statements.fits(*large));
  statements.set(large);
  EXPECT_FALSE(statements.fits(*large));
  statements.clear();
  EXPECT_TRUE(statements.fits(*large));
}

TEST(StatementRefs, IsEmptyForEverythingElse) {
  const Planned one("SELECT 1; SET @a = 'EXECUTE s'");
  EXPECT_TRUE(one.plan.refs.empty());
  EXPECT_TRUE(one.plan.executed.empty());
}

TEST(StatementRefs, CountsAnExecuteAsItsText) {
  NamedStatements statements;
  statements.set(make("INSERT INTO t VALUES (?)"));
  const Planned one("EXECUTE s USING @a", statements);
  EXPECT_TRUE(one.plan.is_lone_execute());
  EXPECT_EQ(one.plan.executed.front().kind, sql::StatementKind::kWrite);
  EXPECT_TRUE(one.plan.executed.pins().empty());
  const Planned other("EXECUTE S", statements);
  EXPECT_FALSE(other.plan.is_lone_execute());
  EXPECT_EQ(other.plan.refs.front().statement, nullptr);
  EXPECT_TRUE(other.plan.executed.pins().contains(sql::Pin::kPreparedText));
}

TEST(StatementRefs, KnowsWhatAVariableSays) {
  const auto state = after("SET @q = 'SELECT 3'");
  const Planned one("PREPARE s FROM @Q", {}, state);
  ASSERT_NE(one.plan.refs.front().statement, nullptr);
  EXPECT_EQ(one.plan.refs.front().statement->text, "SELECT 3");
  EXPECT_EQ(unknown_source(one.script, state), "");
}

TEST(StatementRefs, AsksForAVariableThatTheBackendAloneKnows) {
  const auto source = [](std::string_view text, const char* before) {
    const auto state = after(before);
    return unknown_source(sql::classify(text, state.lex_mode()), state);
  };
  EXPECT_EQ(source("PREPARE s FROM @Q", "SET @q = CONCAT('SELECT ', 1)"), "q");
  EXPECT_EQ(source("PREPARE s FROM @q", "SET @q = 1"), "") << "no statement";
  EXPECT_EQ(source("PREPARE s FROM @q", "SET @x = CONCAT('SELECT ', 1)"), "q")
      << "rather than guess";
  EXPECT_EQ(source("PREPARE s FROM @q", "SELECT 1"), "") << "NULL";
  EXPECT_EQ(source("PREPARE s FROM 'SELECT 1'", "SET @q = CONCAT('a')"), "");
  EXPECT_EQ(source("PREPARE s FROM @q; SELECT 1", "SET @q = CONCAT('a')"), "");
}

TEST(StatementRefs, IsThatOfTheTextThatWasAskedFor) {
  Planned one("PREPARE s FROM @q", {}, after("SET @q = CONCAT('SELECT ', 1)"));
  EXPECT_TRUE(one.plan.executed.pins().contains(sql::Pin::kPreparedText));
  set_source(one.plan, "SELECT GET_LOCK('a', 1)", {}, sql::SessionState(), kOwner);
  EXPECT_TRUE(one.plan.executed.pins().contains(sql::Pin::kPreparedText));
  set_source(one.plan, "SELECT 1", {}, sql::SessionState(), kOwner);
  EXPECT_TRUE(one.plan.executed.pins().empty());
  EXPECT_EQ(one.plan.refs.front().statement->text, "SELECT 1");
}

TEST(StatementRefs, FollowsTheStatementsOfATextInOrder) {
  const Planned one(
      "PREPARE s FROM 'SET sql_mode = ''ANSI_QUOTES'''; EXECUTE s; PREPARE q FROM 'SELECT \"a\"'; "
      "DEALLOCATE PREPARE s; EXECUTE s");
  ASSERT_EQ(one.plan.refs.size(), 5U);
  EXPECT_EQ(one.plan.executed[1].kind, sql::StatementKind::kSet);
  EXPECT_TRUE(one.plan.refs[2].statement->context.lex_mode().ansi_quotes);
  EXPECT_EQ(one.plan.refs[4].statement, nullptr);
  EXPECT_NE(one.plan.refs[0].statement->owner, one.plan.refs[2].statement->owner);
  EXPECT_EQ(one.plan.refs[4].index, 4U);
}

TEST(StatementRefs, PinsForATextThatIsNotKnown) {
  const Planned one("SET @q = CONCAT('SELECT ', 1); PREPARE s FROM @q; EXECUTE s");
  EXPECT_EQ(one.plan.refs[0].statement, nullptr);
  EXPECT_TRUE(one.plan.executed.pins().contains(sql::Pin::kPreparedText));
}

TEST(StatementRefs, HasNoUseOfAPreparedStatementWithoutAName) {
  EXPECT_TRUE(Planned("SELECT 1").plan.refs.empty());
  EXPECT_TRUE(Planned("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").plan.refs.empty());
}

// PREPARE gives a variable the type of an assignment in its text.
TEST(StatementRefs, CountsWhatAPreparePlans) {
  const Planned one("PREPARE s FROM 'SELECT @a := 1'");
  ASSERT_NE(one.plan.refs.front().statement, nullptr);
  const sql::StateChanges& changes = one.plan.executed.front().changes;
  EXPECT_EQ(changes.back().kind, sql::ChangeKind::kUnrestorableUserVariable);
  EXPECT_EQ(changes.back().name, "a");
}

TEST(StatementRefs, MakesNoStatementThatDoesNotFitBesideThoseOfTheSession) {
  NamedStatements statements;
  statements.set(make("SELECT 1" + std::string(NamedStatements::kMostBytes / 2, ' '),
                      sql::SessionState(), "large"));
  const std::string text =
      "PREPARE s FROM 'SELECT 1" + std::string(NamedStatements::kMostBytes / 2, ' ') + "'";
  EXPECT_EQ(Planned(text, statements).plan.refs.front().statement, nullptr);
  EXPECT_NE(Planned(text).plan.refs.front().statement, nullptr);
}

TEST(StatementRefs, IsALoneExecuteOfOneThatIsKnownAndNothingElse) {
  NamedStatements statements;
  statements.set(make("SELECT 1"));
  EXPECT_TRUE(Planned("EXECUTE s", statements).plan.is_lone_execute());
  EXPECT_FALSE(Planned("EXECUTE s; SELECT 1", statements).plan.is_lone_execute());
  EXPECT_FALSE(Planned("EXECUTE s; EXECUTE s", statements).plan.is_lone_execute());
  EXPECT_FALSE(Planned("EXECUTE t", statements).plan.is_lone_execute());
  EXPECT_FALSE(Planned("PREPARE s FROM 'SELECT 1'", statements).plan.is_lone_execute());
}

TEST(StatementRefs, TakesTheBytesOfWhatItMakesButNotOfWhatIsThereAnyhow) {
  NamedStatements statements;
  statements.set(make("SELECT 1" + std::string(10'000, ' ')));
  EXPECT_EQ(bytes_of(StatementRefs()), 0U);
  EXPECT_LT(bytes_of(Planned("EXECUTE s", statements).plan), 10'000U);
  const Planned made("PREPARE s FROM 'SELECT 1" + std::string(10'000, ' ') + "'");
  EXPECT_GT(bytes_of(made.plan), 10'000U);
  EXPECT_LT(bytes_of(Planned("PREPARE s FROM 'SELECT 1'").plan), 10'000U);
  EXPECT_GT(bytes_of(Planned("PREPARE s FROM @x").plan), 0U);
}

TEST(StatementRefs, AsksForNoVariableWhoseNameIsHardToWrite) {
  const auto source = [](const std::string& name) {
    const auto state = after("SET @`" + name + "` = CONCAT('SELECT ', 1)");
    return unknown_source(sql::classify("PREPARE s FROM @`" + name + "`", {}), state);
  };
  EXPECT_EQ(source("q"), "q");
  EXPECT_EQ(source("\xc3\xa4"), "");
  EXPECT_EQ(source("a\\b"), "");
}

TEST(StatementRefs, HasNoSourceThatDoesNotFit) {
  Planned one("PREPARE s FROM @q", {}, after("SET @q = CONCAT('SELECT ', 1)"));
  const std::string large = "SELECT 1" + std::string(NamedStatements::kMostBytes, ' ');
  set_source(one.plan, large, {}, sql::SessionState(), kOwner);
  EXPECT_EQ(one.plan.refs.front().statement, nullptr);
}

// TiDB completes the columns of a definition when it executes it.
TEST(NamedStatements, AreMadeAgainAsTheyAreAfterTheirExecute) {
  NamedStatements statements;
  statements.set(make("CREATE TABLE t (a INT)"));
  EXPECT_EQ(statements.find("s")->text_anew(), "CREATE TABLE t (a INT)");
  const std::size_t before = statements.bytes();
  statements.note_rewritten("s");
  const NamedStatementPtr rewritten = statements.find("s");
  EXPECT_EQ(rewritten->text, "CREATE TABLE t (a INT)");
  EXPECT_NE(rewritten->text_after_execution, "");
  EXPECT_EQ(rewritten->text_anew(), rewritten->text_after_execution);
  EXPECT_EQ(rewritten->owner, kOwner);
  EXPECT_EQ(rewritten->script.front().kind, sql::StatementKind::kDdl);
  EXPECT_EQ(statements.bytes(), before + rewritten->text_after_execution.size());
  statements.note_rewritten("s");
  EXPECT_EQ(statements.find("s"), rewritten) << "the second time changes nothing";
  statements.note_rewritten("t");
  EXPECT_EQ(statements.find("t"), nullptr);
}

TEST(NamedStatements, TakeAsManyBytesAsThereAre) {
  NamedStatements statements;
  EXPECT_EQ(statements.bytes(), 0U);
  statements.set(make("SELECT 1"));
  const std::size_t one = statements.bytes();
  EXPECT_EQ(one, bytes_of(*statements.find("s")));
  statements.set(make("SELECT 1"));
  EXPECT_EQ(statements.bytes(), one) << "in the place of the one before";
  statements.erase("t");
  EXPECT_EQ(statements.bytes(), one);
  statements.erase("s");
  EXPECT_EQ(statements.bytes(), 0U);
}

TEST(NamedStatement, KeepsTheModeAndTheCharacterSetsOfItsPrepareAlone) {
  const sql::SessionState context =
      named_context(after("SET div_precision_increment = 9, sql_mode = 'ANSI'"));
  EXPECT_EQ(context, named_context(after("SET sql_mode = 'ANSI'")));
  EXPECT_FALSE(context == named_context(sql::SessionState()));
  EXPECT_FALSE(
      named_context(after("SET collation_connection = CONCAT('utf8mb4', '_bin')")).is_exact());
}

}  // namespace
}  // namespace tidepool::tracking
