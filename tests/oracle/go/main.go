// What TiDB's own parser says about the statements in its own tests, for oracle_check.cc to compare
// with classify() and own_answer(): a line of JSON for each statement of each text, and one for a text
// that it refuses or that has none.
//
// Fields: text (base64; of the whole text, in the first line of a text only), count (of the text's
// statements), refused, warns (the parser warns of the text), own (see ownOf), mode ("", "ansi",
// "noescape"), class, read, facts (comma-separated words: what the statement does that a proxy must not
// overlook), sets (what it sets: "s:name", "g:name", "u:name", "d:database", "names", "p:prepared",
// "x:executed", "f:freed"; each base64 behind the colon).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/mysql"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver"
)

type line struct {
	Text    []byte `json:"text"`
	Count   int    `json:"count"`
	Refused bool   `json:"refused"`
	Warns   bool   `json:"warns"`
	Own     string `json:"own"`
	Mode    string `json:"mode"`
	Class   string `json:"class"`
	Read    bool   `json:"read"`
	Facts   string `json:"facts"`
	Sets    string `json:"sets"`
}

type sqlMode struct {
	name string
	mode mysql.SQLMode
}

var modes = []sqlMode{
	{"", mysql.ModeNone},
	{"ansi", mysql.ModeANSIQuotes},
	{"noescape", mysql.ModeNoBackslashEscapes},
}

// A mode that cannot matter is not tried.
func matters(mode sqlMode, text string) bool {
	switch mode.name {
	case "ansi":
		return strings.Contains(text, `"`)
	case "noescape":
		return strings.Contains(text, `\`)
	}
	return true
}

// The parser panics on a few of its own fuzzing inputs.
func parse(p *parser.Parser, text string) (statements []ast.StmtNode, warns int, ok bool) {
	defer func() {
		if recover() != nil {
			statements, ok = nil, false
		}
	}()
	statements, warnings, err := p.ParseSQL(text)
	return statements, len(warnings), err == nil
}

// The lines of one text.
func linesOf(p *parser.Parser, text string) []line {
	statements, warns, ok := parse(p, text)
	if !ok || len(statements) == 0 {
		return []line{{Text: []byte(text), Refused: !ok}}
	}
	lines := make([]line, 0, len(statements))
	for _, statement := range statements {
		described := describe(statement)
		described.Count = len(statements)
		described.Warns = warns > 0
		lines = append(lines, described)
	}
	lines[0].Text = []byte(text)
	return lines
}

func main() {
	texts, err := collectTexts()
	if err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, mode := range modes {
		p := parser.New()
		p.SetSQLMode(mode.mode)
		for _, text := range append(texts, mutatedTexts()...) {
			if !matters(mode, text) {
				continue
			}
			for _, described := range linesOf(p, text) {
				described.Mode = mode.name
				if err := encoder.Encode(described); err != nil {
					fmt.Fprintln(os.Stderr, "oracle:", err)
					os.Exit(1)
				}
			}
		}
	}
	if err := out.Flush(); err != nil {
		os.Exit(1)
	}
}
