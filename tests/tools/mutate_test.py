#!/usr/bin/env python3
"""What tools/mutate.py makes wrong, and that it leaves everything as it was."""
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

import mutate as tool  # noqa: E402


def changed(code, kind=None):
    """The code with each mutation in turn."""
    return [one.apply(code) for one in sorted(tool.mutations("x.cc", code)) if kind in (None, one.kind)]


class MutationsTest(unittest.TestCase):
    def test_negates_conditions(self):
        self.assertIn("if (!(is_open && is_ours)) go();", changed("if (is_open && is_ours) go();", "negated"))
        self.assertIn("if (is_open) go();", changed("if (!is_open) go();", "negated"))
        self.assertIn("if (auto a = f();!(a.ok(1))) go();", changed("if (auto a = f(); a.ok(1)) go();", "negated"))

    def test_keeps_what_stands_in_the_condition(self):
        self.assertEqual(changed("if (ends_with(c, 'x')) go();", "negated"), ["if (!(ends_with(c, 'x'))) go();"])

    def test_negates_no_declaration(self):
        self.assertEqual(changed("if (const auto id = find(key)) use(*id);", "negated"), [])

    def test_makes_no_mutation_twice(self):
        self.assertEqual(changed("if (a == b) return;"), ["if (a != b) return;"])
        self.assertEqual(changed("if (!a) return;"), ["if (a) return;"])

    def test_swaps_and_with_or(self):
        self.assertEqual(changed("x = a && b || c;", "swapped && and ||"), ["x = a || b || c;", "x = a && b && c;"])
        self.assertEqual(changed("void f(T&& other);", "swapped && and ||"), [])

    def test_moves_comparisons_by_one(self):
        self.assertEqual(changed("x = a < b;", "compared otherwise"), ["x = a <= b;"])
        self.assertEqual(changed("std::vector<int> v;"), [])

    def test_removes_statements_but_no_declarations(self):
        code = "{\n  count_ = 0;\n  int x = f(a);\n  list.erase(x);\n  ++n;\n  return x;\n}"
        removed = changed(code, "removed statement")
        self.assertEqual(len(removed), 3)
        for statement in ("count_ = 0", "list.erase(x)", "++n"):
            self.assertIn(code.replace(statement, ""), removed)

    def test_makes_numbers_one_larger(self):
        self.assertEqual(changed("x = a[0] + 64U;", "one more"), ["x = a[1] + 64U;", "x = a[0] + 65U;"])

    def test_swaps_truth_and_enumerators(self):
        self.assertEqual(changed("return true;"), ["return false;"])
        code = "f(Pin::kLock); g(Pin::kRole);"
        self.assertEqual(changed(code, "another enumerator"), ["f(Pin::kRole); g(Pin::kRole);", "f(Pin::kLock); g(Pin::kLock);"])

    def test_leaves_comments_strings_and_directives(self):
        self.assertEqual(changed('// if (a && b) return true;\n#if (A && B) == 1\nf("x == 1 && true");\n', "compared otherwise"), [])
        self.assertEqual(changed("/* a && b */ const char* text = R\"(true && 1)\";"), [])

    def test_says_where_and_what(self):
        code = "one();\n  if (!a) two();\n"
        (negated,) = [one for one in tool.mutations("x.cc", code) if one.kind == "negated"]
        self.assertEqual(negated.describe(code), "x.cc:2: negated: if (!a) two(); → if (a) two();")


class ChoiceTest(unittest.TestCase):
    SOURCES = {"a.cc": "if (a < 1 && b) return true;\n", "b.cc": "x = y == 2 || z;\n"}

    def test_depends_on_the_seed_alone(self):
        self.assertEqual(tool.choose(self.SOURCES, 1, None), tool.choose(self.SOURCES, 1, None))
        self.assertNotEqual(tool.choose(self.SOURCES, 1, None), tool.choose(self.SOURCES, 2, None))

    def test_is_limited(self):
        everything = tool.choose(self.SOURCES, 1, None)
        self.assertEqual(tool.choose(self.SOURCES, 1, 2), everything[:2])


class FakeProgram:
    """Compiles whatever has no `?`, and passes if the file still says what it must."""

    def __init__(self, copy, must):
        self.copy, self.must = copy, must

    def text(self):
        return (self.copy.tree / "a.cc").read_text()

    def builds(self):
        return "?" not in self.text()

    def passes(self):
        return self.must in self.text()


class RunTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name) / "root"
        self.root.mkdir()
        self.source = self.root / "a.cc"
        self.source.write_text("return true;\nuse(1);\n")
        subprocess.run(["git", "init", "-q", self.root], check=True)
        self.copy = tool.Copy(pathlib.Path(folder.name) / "work", self.root)
        self.copy.update()

    def run_all(self, must, seconds=60):
        chosen = tool.choose({"a.cc": self.source.read_text()}, 1, None)
        workers = [(self.copy, FakeProgram(self.copy, must))]
        return {one.kind: fate for one, fate in tool.run(chosen, workers, time.monotonic() + seconds, lambda *_: None).items()}

    def test_tells_what_the_tests_notice(self):
        fates = self.run_all("return true;")
        self.assertEqual(fates["swapped true and false"], "killed")
        self.assertEqual(fates["one more"], "survived")
        self.assertEqual(fates["removed statement"], "survived")

    def test_leaves_tree_and_copy_as_they_were(self):
        before = self.source.read_text()
        self.run_all("")
        self.assertEqual(self.source.read_text(), before)
        self.assertEqual((self.copy.tree / "a.cc").read_text(), before)

    def test_counts_what_does_not_compile_apart(self):
        mutation = tool.Mutation("a.cc", 0, 6, "?", "negated")
        self.assertEqual(tool.judge(self.copy, FakeProgram(self.copy, ""), mutation), "does not compile")

    def test_begins_none_behind_the_deadline(self):
        self.assertEqual(self.run_all("", seconds=-1), {})

    def test_copies_what_has_changed_and_forgets_what_is_gone(self):
        unchanged = (self.copy.tree / "a.cc").stat().st_mtime_ns
        (self.root / "b.cc").write_text("b();\n")
        self.copy.update()
        self.assertEqual((self.copy.tree / "b.cc").read_text(), "b();\n")
        self.assertEqual((self.copy.tree / "a.cc").stat().st_mtime_ns, unchanged)
        (self.root / "b.cc").unlink()
        self.copy.update()
        self.assertFalse((self.copy.tree / "b.cc").exists())


if __name__ == "__main__":
    unittest.main()
