package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

const parserModule = "github.com/pingcap/tidb/pkg/parser"

func goOutput(arguments ...string) (string, error) {
	out, err := exec.Command("go", arguments...).Output()
	return strings.TrimSpace(string(out)), err
}

// The string literals of the parser's own tests; those of TiDB's tests and its integration tests
// too if the module cache happens to have the same commit of TiDB (scripts/get-tidb leaves it there).
func collectTexts() ([]string, error) {
	dir, err := goOutput("list", "-m", "-f", "{{.Dir}}", parserModule)
	if err != nil {
		return nil, err
	}
	texts := map[string]bool{}
	collectGoTests(dir, texts)
	cache, err := goOutput("env", "GOMODCACHE")
	if err != nil {
		return nil, err
	}
	commit := dir[strings.LastIndex(dir, "-")+1:]
	found, _ := filepath.Glob(filepath.Join(cache, "github.com/pingcap/tidb@*-"+commit))
	for _, tidb := range found {
		collectGoTests(filepath.Join(tidb, "pkg"), texts)
		collectIntegrationTests(filepath.Join(tidb, "tests", "integrationtest", "t"), texts)
	}
	sorted := make([]string, 0, len(texts))
	for text := range texts {
		sorted = append(sorted, text)
	}
	sort.Strings(sorted)
	return sorted, nil
}

func walk(root, suffix string, visit func(path string)) {
	_ = filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, suffix) {
			visit(path)
		}
		return nil
	})
}

func collectGoTests(root string, texts map[string]bool) {
	walk(root, "_test.go", func(path string) {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					texts[text] = true
				}
			}
			return true
		})
	})
}

// mysqltest files: statements end with a semicolon at the end of a line; # and -- begin comments and
// commands of the test driver.
func collectIntegrationTests(root string, texts map[string]bool) {
	walk(root, ".test", func(path string) {
		content, err := os.ReadFile(path)
		if err != nil {
			return
		}
		var statement []string
		for _, line := range strings.Split(string(content), "\n") {
			if len(statement) == 0 && (strings.HasPrefix(line, "#") || strings.HasPrefix(line, "--")) {
				continue
			}
			statement = append(statement, line)
			if strings.HasSuffix(strings.TrimSpace(line), ";") {
				texts[strings.Join(statement, "\n")] = true
				statement = nil
			}
		}
	})
}
