#include "parse/lexer.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tidepool::sql {
namespace {

using namespace std::string_view_literals;

const char* name_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEnd: return "end";
    case TokenKind::kWord: return "word";
    case TokenKind::kQuotedName: return "name";
    case TokenKind::kString: return "string";
    case TokenKind::kInteger: return "int";
    case TokenKind::kDecimal: return "dec";
    case TokenKind::kBits: return "bits";
    case TokenKind::kUserVariable: return "user";
    case TokenKind::kSystemVariable: return "sys";
    case TokenKind::kParameter: return "param";
    case TokenKind::kHint: return "hint";
    case TokenKind::kSemicolon: return "semi";
    case TokenKind::kSymbol: return "op";
    case TokenKind::kInvalid: return "bad";
  }
  return "?";
}

// "word:a op:= int:1"
std::string tokens(std::string_view text, LexMode mode = {}) {
  Lexer lexer(text, mode);
  std::string all;
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    if (!all.empty()) all += ' ';
    all += name_of(token.kind);
    all += ':';
    all += token.text;
  }
  return all;
}

struct Case {
  std::string_view text;
  std::string_view expected;
};

void expect_all(const std::vector<Case>& cases, LexMode mode = {}) {
  for (const Case& one : cases)
    EXPECT_EQ(tokens(one.text, mode), one.expected) << one.text;
}

TEST(Lexer, CutsWordsNumbersAndSymbols) {
  expect_all({
      {"", ""},
      {" \t\r\n\v\f", ""},
      {"SELECT a,b", "word:SELECT word:a op:, word:b"},
      {"a.b", "word:a op:. word:b"},
      {"a.1b", "word:a op:. word:1b"},
      {"`a`.1", "name:`a` op:. word:1"},
      {"1 1.5 .5 1. 1e3 1.e-3 1E+3", "int:1 dec:1.5 dec:.5 dec:1. dec:1e3 dec:1.e-3 dec:1E+3"},
      {"1a 9est 1e 0x 0xg 0b2 0B1", "word:1a word:9est word:1e word:0x word:0xg word:0b2 word:0B1"},
      {"0x1F x'1f' X'' 0b01 b'1'", "bits:0x1F bits:x'1f' bits:X'' bits:0b01 bits:b'1'"},
      {"_utf8'a' N'b'", "word:_utf8 string:'a' word:N string:'b'"},
      {"a$b _c \xe4\xb8\xad", "word:a$b word:_c word:\xe4\xb8\xad"},
      {"a:=1", "word:a op::= int:1"},
      {"a<=>b<>c!=d>=e<=f<<g>>h",
       "word:a op:<=> word:b op:<> word:c op:!= word:d op:>= word:e op:<= word:f op:<< word:g "
       "op:>> "
       "word:h"},
      {"a->'$'->>'$'||b&&c&^d",
       "word:a op:-> string:'$' op:->> string:'$' op:|| word:b op:&& "
       "word:c op:&^ word:d"},
      {"?;\\N", "param:? semi:; op:\\N"},
      {"{d '2020-01-01'}", "op:{ word:d string:'2020-01-01' op:}"},
      {"1-1", "int:1 op:- int:1"},
      {"1--1", "int:1 op:- op:- int:1"},
  });
}

TEST(Lexer, FindsTheEndOfStrings) {
  expect_all({
      {"'a' \"b\" `c`", "string:'a' string:\"b\" name:`c`"},
      {"'it''s' \"q\"\"q\" `b``t`", "string:'it''s' string:\"q\"\"q\" name:`b``t`"},
      {R"('\'' '\\' "\"")", R"(string:'\'' string:'\\' string:"\"")"},
      {"'a\"b' \"a'b\"", "string:'a\"b' string:\"a'b\""},
      {R"(`a\`b)", R"(name:`a\` word:b)"},
      {"'12345678901234567890' x", "string:'12345678901234567890' word:x"},
      {"'1234567''90' x", "string:'1234567''90' word:x"},
      {"''", "string:''"},
      {"'a;b' ; 'c'", "string:'a;b' semi:; string:'c'"},
  });
}

TEST(Lexer, ObeysAnsiQuotes) {
  expect_all({{R"("a" "b""c" 'd')", R"(name:"a" name:"b""c" string:'d')"}}, {.ansi_quotes = true});
}

TEST(Lexer, ObeysNoBackslashEscapes) {
  expect_all({{R"('a\' 'b\\')", R"(string:'a\' string:'b\\')"}}, {.no_backslash_escapes = true});
}

TEST(Lexer, KnowsThatASecondByteOfGbkMayLookLikeABackslashOrBacktick) {
  const LexMode gbk{.encoding = TextEncoding::kGbk};
  expect_all({{"'\xbf\x5c' x", "string:'\xbf\x5c' word:x"},
              {"`\xbf\x60` x", "name:`\xbf\x60` word:x"},
              {"'\xbf' x", "string:'\xbf' word:x"},   // a quote is no second byte
              {"'\xff\x5c' x", "bad:'\xff\x5c' x"}},  // 0xff is no first byte
             gbk);
  expect_all({{"'\xbf\x5c' x", "bad:'\xbf\x5c' x"}});
  expect_all({{"'\xbf\x5c' x", "bad:'\xbf\x5c' x"}}, {.encoding = TextEncoding::kSingleByte});
}

TEST(Lexer, TellsWhetherNamesAndStringsAreAscii) {
  for (std::string_view text : {"'abcdefgh12345678'", "abc", "`x`", "@x", "@@x", "@'x'"}) {
    EXPECT_TRUE(Lexer(text, {}).next().is_ascii) << text;
  }
  for (std::string_view text : {"'\xc3\xa9'", "'0123456789\xf0\x9f\x98\x80'", "caf\xc3\xa9",
                                "`\xc3\xa9`", "@\xc3\xa9", "'\\\xc3\xa9'"}) {
    EXPECT_FALSE(Lexer(text, {}).next().is_ascii) << text;
  }
}

TEST(Lexer, CutsVariables) {
  expect_all({
      {"@x @`a b` @'c' @\"d\" @x.y @",
       "user:@x user:@`a b` user:@'c' user:@\"d\" user:@x.y user:@"},
      {"@@x @@session.x @@GLOBAL.x @@local.`x` @@`x`",
       "sys:@@x sys:@@session.x sys:@@GLOBAL.x sys:@@local.`x` sys:@@`x`"},
      {"'u'@'h' u@h", "string:'u' user:@'h' word:u user:@h"},
      {"@x:=1", "user:@x op::= int:1"},
  });
}

TEST(Lexer, SkipsComments) {
  expect_all({
      {"a /* b */ c", "word:a word:c"},
      {"a -- b\nc", "word:a word:c"},
      {"a --\nc", "word:a word:c"},
      {"a --", "word:a"},
      {"a # b\nc # d", "word:a word:c"},
      {"a /**/ b /***/ c /*/ */ d", "word:a word:b word:c word:d"},
      {"/* ' */ a", "word:a"},
      {"-- '\na", "word:a"},
      {"/*M! a */ b /*M!100 a */", "word:b"},
      {"/*TX a */ b", "word:b"},
  });
}

TEST(Lexer, LooksIntoExecutableComments) {
  expect_all({
      {"/*! a */ b", "word:a word:b"},
      {"/*!80000 a */ b", "word:a word:b"},
      {"/*!80000a */ b", "word:a word:b"},
      {"/*!8000 a */", "int:8000 word:a"},
      {"/*!100100 a */", "int:0 word:a"},
      {"/*T! a */ b", "word:a word:b"},
      {"/*T![ttl] a */ b", "word:a word:b"},
      {"/*T![ttl,placement] a */ b", "word:a word:b"},
      {"/*T![unheard_of] a */ b", "word:b"},
      {"/*T![ttl,unheard_of] a */ b", "word:b"},
      {"/*T![resource_group] a */ b", "word:b"},
      {"/*T![ttl a */ b", "op:[ word:ttl word:a word:b"},
      {"/*t! a */ b", "word:b"},
      {"/*! a", "word:a"},
      {"/*! a /* b */ c */ d", "word:a word:c word:d"},
      {"a */ b", "word:a op:* op:/ word:b"},
  });
}

TEST(Lexer, YieldsHintsOnlyWhereTiDbReadsThem) {
  expect_all({
      {"SELECT /*+ a */ b", "word:SELECT hint:/*+ a */ word:b"},
      {"insert/*+ a */into", "word:insert hint:/*+ a */ word:into"},
      {"a /*+ b */ c", "word:a word:c"},
      {"/*+ b */ c", "word:c"},
  });
}

TEST(Lexer, EndsWithInvalidWhereTiDbSeesASyntaxError) {
  for (std::string_view text :
       {"'a"sv, "\"a"sv, "`a"sv, "'a\\'"sv, "'a\\"sv, "/* a"sv, "/*"sv, "/*/"sv, "\x01"sv, "a\0b"sv,
        "x'1"sv, "b'2'"sv, "@'a"sv, "SELECT /*+ a"sv, "/*T![no] a"sv, "\x7f"sv}) {
    Lexer lexer(text, {});
    Token token = lexer.next();
    while (token.kind != TokenKind::kInvalid && token.kind != TokenKind::kEnd)
      token = lexer.next();
    EXPECT_EQ(token.kind, TokenKind::kInvalid) << text;
    EXPECT_EQ(lexer.offset(), text.size()) << text;
    EXPECT_EQ(lexer.next().kind, TokenKind::kEnd) << text;
  }
}

TEST(Lexer, TakesTheLatin1SpacesForSpaces) {
  EXPECT_EQ(tokens("a \xa0 b \x85 c"), "word:a word:b word:c");
}

TEST(Lexer, YieldsTokensThatLieInTheTextInOrder) {
  const std::string text =
      "SELECT /*+ h */ a, 'b' /*! c */ FROM `d` -- e\n WHERE @f := .5 ; /*T![no] g */";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::string_view cut = std::string_view(text).substr(0, length);
    Lexer lexer(cut, {});
    const char* last = cut.data();
    for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
      ASSERT_FALSE(token.text.empty());
      ASSERT_GE(token.text.data(), last);
      last = token.text.data() + token.text.size();
      ASSERT_LE(last, cut.data() + cut.size());
    }
  }
}

TEST(Lexer, ComparesKeywordsInAnyLetterCase) {
  EXPECT_TRUE(is_keyword("select", "SELECT"));
  EXPECT_TRUE(is_keyword("SeLeCt", "SELECT"));
  EXPECT_FALSE(is_keyword("selec", "SELECT"));
  EXPECT_FALSE(is_keyword("selects", "SELECT"));
  EXPECT_FALSE(is_keyword("se\xccLECT", "SELECT"));
}

}  // namespace
}  // namespace tidepool::sql
