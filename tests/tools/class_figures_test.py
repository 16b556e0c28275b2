#!/usr/bin/env python3
"""What tools/class_figures.py counts, and what it holds classes to."""
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

import class_figures as tool  # noqa: E402

HEADER = """\
#pragma once
namespace tidepool::pool {
class Door final : public Sink {
 public:
  using OnClosed = std::function<void(int)>;
  explicit Door(int width);
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;
  ~Door() override;
  [[nodiscard]] bool open(int key);
  bool open(const std::string& name);
  int width() const { return width_; }

 private:
  enum class State : std::uint8_t { kOpen, kClosed };
  struct Hinge {
    int angle = 0;
    void turn();
  };
  void knock();
  void answer();
  static constexpr int kMost = 4;
  const int width_;
  State state_ = State::kOpen;  // and not `int closed_;`
  std::map<int, Hinge> hinges_{};
};
}  // namespace tidepool::pool
"""
DOOR = """\
namespace tidepool::pool {
Door::Door(int width) : width_(width) { knock(); }
Door::~Door() = default;
bool Door::open(int key) {
  log("answer()");  // knock()
  return other.knock() && that->answer() && key > 1'000;
}
bool Door::open(const std::string& name) { return open(to_int(name)); }
void Door::knock() {
  if (width_ > 1) this->answer();
}
}
"""
ANSWER = """\
namespace tidepool::pool {
namespace {
struct Bell {
  int loudness = 1;
};
}
void Door::answer() {
  timer_.start([this] { Door::knock(); });
}
void Door::Hinge::turn() { turn_by(2); }
}
"""
FILES = {
    "include/tidepool/pool/door.h": HEADER,
    "src/pool/door.cc": DOOR,
    "src/pool/door_answer.cc": ANSWER,
    "src/session/words.cc": '#include "tidepool/sql/parse/lexer.h"\nbool b = is_keyword(word, "USE");  // a Lexer\n',
    "src/sql/reads.cc": '#include "tidepool/sql/parse/lexer.h"\n',
}


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name, text in FILES.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        (self.root / "tools").mkdir()
        self.write_exceptions("")

    def write_exceptions(self, rows):
        (self.root / tool.EXCEPTIONS).write_text("# a comment\n" + rows)

    def class_of(self, name):
        return tool.classes_of(tool.read_tags(self.root))[name]

    def run_tool(self, *arguments, **limits):
        output = io.StringIO()
        with (
            mock.patch.object(sys, "argv", ["class_figures.py", *arguments]),
            mock.patch.object(tool, "LIMITS", tool.LIMITS | limits),
            contextlib.redirect_stdout(output),
        ):
            code = tool.main(self.root)
        return code, output.getvalue()


class FiguresTest(Tree):
    def test_members_methods_and_files_of_a_class_are_counted(self):
        door = self.class_of("tidepool::pool::Door")

        self.assertEqual(door.figures(), {"members": 3, "methods": 5, "files": 2})
        self.assertEqual(door.sources, ["src/pool/door.cc", "src/pool/door_answer.cc"])

    def test_what_is_nested_counts_for_itself(self):
        hinge = self.class_of("tidepool::pool::Door::Hinge")

        self.assertEqual(hinge.figures(), {"members": 1, "methods": 1, "files": 1})

    def test_a_class_of_an_anonymous_namespace_has_its_plain_name(self):
        figures = tool.figures_by_name(tool.classes_of(tool.read_tags(self.root)).values())

        self.assertEqual(figures["tidepool::pool::Bell"], {"members": 1, "methods": 0, "files": 0})

    def test_methods_that_call_one_another_are_a_circle_over_their_files(self):
        _, text = self.run_tool("Door")

        self.assertIn("2 in 2  tidepool::pool::Door", text)
        self.assertIn("circle: answer, knock", text)

    def test_calls_on_other_objects_in_comments_and_in_strings_are_none(self):
        door = self.class_of("tidepool::pool::Door")

        calls = tool.calls_of(door, lambda file: tool.without_comments_and_strings(FILES[file]).split("\n"))

        self.assertEqual(calls["open"], {"open"})
        self.assertEqual(calls["knock"], {"answer"})

    def test_circles_are_the_largest_sets_that_reach_one_another(self):
        calls = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d", "e"}, "f": {"f", "a"}}

        self.assertEqual(sorted(sorted(one) for one in tool.circles_of(calls)), [["a", "b", "c"], ["d", "e"]])

    def test_reading_by_words_is_told_outside_sql_only(self):
        _, text = self.run_tool()

        self.assertIn("SQL read by words outside sql: 2 places", text)
        self.assertIn("src/session/words.cc:2:", text)
        self.assertNotIn("src/sql/reads.cc", text)


class RatchetTest(Tree):
    def test_a_class_within_the_limits_needs_no_exception(self):
        self.assertEqual(self.run_tool("--check"), (0, "classes: 3 within the limits, 0 of them by exceptions\n"))

    def test_a_class_beyond_a_limit_fails(self):
        code, text = self.run_tool("--check", methods=4)

        self.assertEqual((code, text), (1, "tidepool::pool::Door: 5 methods, at most 4\n"))

    def test_an_exception_allows_what_it_says(self):
        self.write_exceptions("tidepool::pool::Door\t-\t5\t-\n")

        self.assertEqual(self.run_tool("--check", methods=4)[0], 0)

    def test_a_class_beyond_its_exception_fails(self):
        self.write_exceptions("tidepool::pool::Door\t2\t-\t-\n")

        code, text = self.run_tool("--check", members=1)

        self.assertEqual((code, text), (1, "tidepool::pool::Door: 3 members, at most 2\n"))

    def test_an_exception_larger_than_needed_fails_until_it_is_shrunk(self):
        self.write_exceptions("tidepool::pool::Door\t-\t9\t-\n")
        code, text = self.run_tool("--check", methods=4)
        self.assertEqual(code, 1)
        self.assertIn("5 methods, its exception says 9", text)

        self.assertEqual(self.run_tool("--shrink", methods=4)[0], 0)

        self.assertEqual((self.root / tool.EXCEPTIONS).read_text(), "# a comment\ntidepool::pool::Door\t-\t5\t-\n")

    def test_an_exception_that_nothing_needs_goes(self):
        self.write_exceptions("tidepool::pool::Door\t-\t5\t-\ntidepool::pool::Gone\t30\t-\t-\n")
        self.assertEqual(self.run_tool("--check")[0], 1)

        self.assertEqual(self.run_tool("--shrink")[0], 0)

        self.assertEqual((self.root / tool.EXCEPTIONS).read_text(), "# a comment\n")

    def test_shrinking_raises_nothing(self):
        self.write_exceptions("tidepool::pool::Door\t-\t4\t-\n")

        code, text = self.run_tool("--shrink", methods=3)

        self.assertEqual((code, text), (1, "tidepool::pool::Door: 5 methods, at most 4\n"))


if __name__ == "__main__":
    unittest.main()
