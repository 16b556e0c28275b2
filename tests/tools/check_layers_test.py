#!/usr/bin/env python3
"""What tools/check_layers.py finds, rule by rule, and what it lets pass."""
import contextlib
import graphlib
import io
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

import check_layers as tool  # noqa: E402


class CheckLayers(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        patch = mock.patch.object(tool, "ROOT", self.root)
        patch.start()
        self.addCleanup(patch.stop)
        self.write("src/main.cc", "int main() { return 0; }\n")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def check(self):
        """The exit code and what was printed."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = tool.main()
        return code, printed.getvalue()

    def expect_found(self, path, line, *words):
        """The line alone in that file is reported by its number, in these words."""
        self.write(path, f"// A comment.\n{line}\n")
        code, text = self.check()
        self.assertEqual((code, text.count("\n")), (1, 1), (line, text))
        self.assertTrue(text.startswith(f"{path}:2: "), text)
        for word in words:
            self.assertIn(word, text)
        self.write(path, "")

    def expect_nothing(self, path, line):
        self.write(path, f"{line}\n")
        self.assertEqual(self.check(), (0, "layers: 2 files keep to the table\n"), line)

    def test_each_layer_includes_only_what_the_table_says(self):
        for layer, allowed in tool.ALLOWED.items():
            place = "src/entry.cc" if layer == "main" else f"src/{layer}/file.cc"
            for other in tool.ALLOWED.keys() - {"main"}:
                line = f'#include "tidepool/{other}/file.h"'
                if other in allowed or other == layer:
                    self.expect_nothing(place, line)
                else:
                    self.expect_found(place, line, f"layer '{layer}' may not include 'tidepool/{other}/file.h'")
            (self.root / place).unlink()

    def test_the_table_has_no_cycle(self):
        tuple(graphlib.TopologicalSorter(tool.ALLOWED).static_order())

    def test_headers_are_held_to_it_as_sources_are(self):
        self.expect_found("include/tidepool/base/file.h", '#include "tidepool/net/loop.h"', "layer 'base' may not include")
        self.expect_found("src/pool/file.h", "#  include <tidepool/session/session.h>", "layer 'pool' may not include")

    def test_a_third_partys_header_is_named_by_its_owners_alone(self):
        examples = {
            "uv.h": "net", "mysql.h": "backend", "ma_pvio.h": "backend", "mysqld_error.h": "backend", "errmsg.h": "backend",
            "openssl/ssl.h": "protocol", "yaml-cpp/yaml.h": "config", "uriparser/Uri.h": "config",
            "prometheus/family.h": "metrics", "boost/beast/http.hpp": "admin", "spdlog/spdlog.h": "base", "xxhash.h": "sql",
            "zlib.h": "protocol", "zstd.h": "protocol", "CLI/CLI.hpp": "main",
        }  # fmt: skip
        for pattern in tool.OWNERS:
            self.assertTrue(any(tool.re.fullmatch(pattern, header) for header in examples), f"no example of {pattern}")
        for header, owner in examples.items():
            place = "src/entry.cc" if owner == "main" else f"src/{owner}/file.cc"
            self.expect_nothing(place, f"#include <{header}>")
            (self.root / place).unlink()
            self.expect_found("src/session/file.cc", f"#include <{header}>", f"'{header}' belongs to", "not to 'session'")
            (self.root / "src/session/file.cc").unlink()

    def test_pure_layers_have_no_clock_no_loop_and_no_log(self):
        lines = [
            "uv_run(loop, UV_RUN_DEFAULT);",
            "auto now = std::chrono::steady_clock::now();",
            "auto now = std::chrono::system_clock::now();",
            "const TimePoint now = Clock::now();",
            'log::info("told");',
        ]
        for layer in ("protocol", "sql", "tracking"):
            self.assertIn(layer, tool.PURE)
            for line in lines:
                self.expect_found(f"src/{layer}/file.cc", line, f"layer '{layer}' is pure")
            self.expect_nothing(f"src/{layer}/file.cc", "int days = 0;  // Clock::now() would be impure")
            (self.root / f"src/{layer}/file.cc").unlink()
        self.expect_nothing("src/net/file.cc", lines[3])

    def test_only_sql_reads_sql_text(self):
        lines = [
            "Lexer lexer(text, mode);",
            "if (token.kind == TokenKind::kWord) return;",
            "const sql::Token token = next();",
            'return is_keyword(token, "BY");',
            '#include "tidepool/sql/parse/lexer.h"',
            'if (word == "SELECT") return;',
            'return verb != "ROLLBACK";',
            'return text.starts_with("SET ");',
            'return text.find("FOR UPDATE") != npos;',
            'if (iequals(command, "COMMIT")) return;',
            'if (has_word(text, "INSERT")) return;',
        ]
        for line in lines:
            self.expect_found("src/session/file.cc", line, "layer 'session' reads SQL text")
        (self.root / "src/session/file.cc").unlink()
        for line in lines:
            self.expect_nothing("src/sql/file.cc", line)
        (self.root / "src/sql/file.cc").unlink()
        for line in ('send("SELECT 1");', 'return kind == "selected";', 'int a = 0;  // == "SELECT"'):
            self.expect_nothing("src/session/file.cc", line)

    def test_a_layer_that_the_table_does_not_have_is_named(self):
        self.write("src/cellar/file.cc", "int a;\n")
        code, text = self.check()
        self.assertEqual(code, 1)
        self.assertIn("layer 'cellar' is not in the table", text)

    def test_all_problems_are_listed(self):
        self.write("src/sql/file.cc", "uv_loop_t loop;\n#include <uv.h>\n")
        self.write("src/base/file.cc", '#include "tidepool/net/loop.h"\n')
        code, text = self.check()
        self.assertEqual((code, len(text.splitlines())), (1, 3), text)


if __name__ == "__main__":
    unittest.main()
