package main

import (
	"math/rand"
	"regexp"
	"strings"
)

// Texts that the proxy answers itself, or nearly so: each rule of src/sql/own_answer.cc in its forms.
var ownTexts = []string{
	"COMMIT", "commit and chain", "COMMIT AND NO CHAIN", "COMMIT RELEASE", "COMMIT NO RELEASE",
	"COMMIT AND CHAIN NO RELEASE", "COMMIT AND NO CHAIN RELEASE", "COMMIT AND NO CHAIN NO RELEASE", "COMMIT WORK",
	"ROLLBACK", "ROLLBACK AND CHAIN", "ROLLBACK RELEASE", "ROLLBACK TO SAVEPOINT zz", "ROLLBACK WORK TO SAVEPOINT zz",
	"SET autocommit = 1", "SET @@autocommit := OFF", "SET SESSION autocommit = ON", "SET @@session.autocommit = '0'",
	"SET autocommit = 1, NAMES utf8mb4", "SET NAMES utf8mb4", "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin'",
	"SET NAMES latin1 COLLATE latin1_bin", "SET NAMES utf8 COLLATE DEFAULT", "SET NAMES binary", "SET NAMES gbk",
	"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
	"SET TRANSACTION ISOLATION LEVEL READ COMMITTED, ISOLATION LEVEL REPEATABLE READ",
	"SELECT LAST_INSERT_ID()", "select row_count()", "SELECT FOUND_ROWS()", "SELECT LAST_INSERT_ID () FROM DUAL",
	"SHOW WARNINGS", "show errors", "SHOW COUNT(*) WARNINGS", "show count(*) errors", "SHOW WARNINGS LIKE 'x'",
	"KILL 5", "KILL QUERY 5", "KILL CONNECTION 5", "KILL TIDB QUERY 5", "KILL CONNECTION_ID()", "KILL TIDB (CONNECTION_ID())",
	"", ";", "/* nothing */", "# nothing", "-- nothing",
}

// What is put between the tokens.
var junk = []string{
	"foo", "5", "'x'", "(", ")", ",", ";", "=", ".", "*", "@x", "@@x", "`q`", "1.5", "?", "NULL", "DEFAULT", "WORK", "AND", "NO",
	"CHAIN", "RELEASE", "TO", "SAVEPOINT", "LIKE '%'", "WHERE 1", "LIMIT 1", "FROM DUAL", "AS x", "GLOBAL", "SESSION", "COLLATE",
	"/*! x */", "/*!40101 5 */", "/*!", "*/", "/*", "/*T! x */", "/*T![ttl] x */", "/*T![none] x */", "/*+ x() */", "/* c */",
	"# c\n", "-- c\n", "--", "\x00", "\\", "\"", "'", "`", "0x", ":=", "é", "SELECT", "SHOW", "COMMIT",
}

const mutants = 20000

var ownToken = regexp.MustCompile(`/\*.*?\*/|'[^']*'|[A-Za-z_0-9@]+|\s+|.`)

// Each of the texts, and what becomes of it with one or two tokens gone, doubled, swapped or new; always the same ones.
func mutatedTexts() []string {
	texts := append([]string{}, ownTexts...)
	rnd := rand.New(rand.NewSource(8005))
	for len(texts) < mutants {
		tokens := ownToken.FindAllString(ownTexts[rnd.Intn(len(ownTexts))], -1)
		for changes := 1 + rnd.Intn(2); changes > 0; changes-- {
			tokens = mutate(rnd, tokens)
		}
		texts = append(texts, strings.Join(tokens, ""))
	}
	return texts
}

func mutate(rnd *rand.Rand, tokens []string) []string {
	at := rnd.Intn(len(tokens) + 1)
	word := junk[rnd.Intn(len(junk))]
	if at == len(tokens) {
		return append(append([]string{}, tokens...), " ", word)
	}
	before, after := append([]string{}, tokens[:at]...), tokens[at+1:]
	switch rnd.Intn(6) {
	case 0:
		return append(before, after...)
	case 1:
		return append(append(before, tokens[at], " ", tokens[at]), after...)
	case 2:
		other := rnd.Intn(len(tokens))
		swapped := append([]string{}, tokens...)
		swapped[at], swapped[other] = swapped[other], swapped[at]
		return swapped
	case 3:
		return append(append(before, word), after...)
	case 4:
		return append(append(before, strings.ToUpper(tokens[at])), after...)
	}
	return append(append(before, " "+word+" ", tokens[at]), after...)
}
