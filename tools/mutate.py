#!/usr/bin/env python3
"""mutate.py TARGET SOURCE…: whether the test program TARGET notices when the sources are wrong.

Makes one mutation at a time (a condition negated, && and || swapped, a comparison moved by one, a statement removed, a number
one too large, true and false or two enumerators swapped), builds and runs TARGET, and prints those that no test has noticed:
place, kind, the line before and after. The exit code is 1 if there are any. Works on copies of the tree below --work; the
tree itself is only read. What does not compile does not count.
"""
import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import queue
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A mutation may loop for ever: so many times as long as the program takes otherwise, and some seconds.
PATIENCE = 5
LEAST_SECONDS = 10


@dataclasses.dataclass(frozen=True, order=True)
class Mutation:
    path: str
    start: int  # of what is replaced, in the text
    end: int
    new: str
    kind: str

    def apply(self, text):
        return text[: self.start] + self.new + text[self.end :]

    def describe(self, text):
        """path:line: kind: the line before → what is changed in it."""
        number = text.count("\n", 0, self.start) + 1
        begin = text.rfind("\n", 0, self.start) + 1
        line = text[begin : text.find("\n", self.end)]
        changed = line[: self.start - begin] + self.new + line[self.end - begin :]
        squeeze = lambda code: " ".join(code.split())  # noqa: E731
        return f"{self.path}:{number}: {self.kind}: {squeeze(line)} → {squeeze(changed) or 'nothing'}"


# ---- What can be wrong ----

MASKED = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'|^#[^\n]*', re.S | re.M)
COMPARISONS = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">"}
STATEMENT = re.compile(r"(?<=[{};:)\n])\s*((?:\+\+|--|\*)?[A-Za-z_][\w.]*(?:(?:->|::|\.)\w+|\([^;{}]*?\)|\[[^;{}]*?\])*[^;{}]*);")
NO_STATEMENT = re.compile(r"(return|using|case|default|else|const|auto|static|constexpr|namespace|goto|throw|delete|public|private)\b")
ASSIGNMENT = re.compile(r"[\w.\->\[\]()*:]+\s*[-+|&]?=[^=]", re.S)
CALL = re.compile(r"\(void\)|[\w.:>\-]+(\(.*\))+([.\->\w]*\(.*\))*$", re.S)
STEP = re.compile(r"(\+\+|--)")
NUMBER = re.compile(r"(?<![\w.'])(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)(?![\w.'])")
ENUMERATOR = re.compile(r"\b((?:\w+::)+)(k[A-Z]\w*)\b(?!\s*[({])")


def masked(text):
    """The text with spaces in the place of comments, strings, characters and directives, so that places stay the same."""
    return MASKED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def closing(code, opening):
    """Where the parenthesis that opens there closes."""
    depth = 0
    for at in range(opening, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return at
    return len(code)


def is_simple(condition):
    """Its negation is another mutation already."""
    return not re.search(r"&&|\|\|", condition) and (condition.startswith("!") or bool(re.search(r" [=!]= ", condition)))


def conditions(code, text):
    for match in re.finditer(r"\b(?:if|while) \(", code):
        start = match.end()
        end = closing(code, start - 1)
        start += code[start:end].rfind(";") + 1
        condition = code[start:end].strip()
        if not re.search(r"\w &?\*?\w+ = |\bconstexpr\b", condition) and not is_simple(condition):
            yield start, end, f"!({text[start:end].strip()})", "negated"
    for match in re.finditer(r"(?<![\w)=!])!(?=[\w(:])", code):
        yield match.start(), match.end(), "", "negated"


def operators(code, _text):
    for match in re.finditer(r"(?<=\s)(&&|\|\|)(?=\s)", code):
        yield *match.span(), "||" if match[0] == "&&" else "&&", "swapped && and ||"
    for match in re.finditer(r"(?<= )(==|!=|<=|>=|<|>)(?=\s)", code):
        yield *match.span(), COMPARISONS[match[0]], "compared otherwise"


def is_removable(statement):
    if NO_STATEMENT.match(statement):
        return False
    words = statement.split("(")[0].split("=")[0].split()
    is_declaration = len(words) > 1 and not STEP.match(statement) and words[-1] not in ("+", "-", "|", "&")
    if is_declaration:
        return False
    return statement in ("break", "continue") or bool(
        ASSIGNMENT.match(statement) or CALL.match(statement) or STEP.match(statement)
    )


def statements(code, _text):
    for match in STATEMENT.finditer(code):
        if code.count("(", 0, match.start(1)) == code.count(")", 0, match.start(1)) and is_removable(match[1]):
            yield *match.span(1), "", "removed statement"


def constants(code, _text):
    for match in NUMBER.finditer(code):
        yield *match.span(), f"{int(match[1], 0) + 1}{match[2]}", "one more"
    for match in re.finditer(r"\b(true|false)\b", code):
        yield *match.span(), "false" if match[0] == "true" else "true", "swapped true and false"


def enumerators(code, _text):
    """Each in turn becomes the next that the file has of the same enum."""
    found = {}
    for match in ENUMERATOR.finditer(code):
        found.setdefault(match[1], set()).add(match[2])
    for match in ENUMERATOR.finditer(code):
        names = sorted(found[match[1]])
        if len(names) > 1 and not re.search(r"\bcase\s*$", code[: match.start()]):
            yield *match.span(2), names[(names.index(match[2]) + 1) % len(names)], "another enumerator"


def mutations(path, text):
    code = masked(text)
    for kind in (conditions, operators, statements, constants, enumerators):
        for start, end, new, what in kind(code, text):
            yield Mutation(path, start, end, new, what)


def choose(sources, seed, most):
    """At most so many of all mutations of {path: text}, in an order that the seed decides."""
    found = sorted(mutation for path, text in sources.items() for mutation in set(mutations(path, text)))
    random.Random(seed).shuffle(found)
    return found[:most]


# ---- A copy to be wrong in ----


class Copy:
    """Copy of the tree's files with a build of its own. Unchanged files keep their time, so that little is built again."""

    def __init__(self, folder, root=ROOT):
        self.root = root
        self.tree = folder / "tree"
        self.build = folder / "build"

    def update(self):
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.root, check=True, capture_output=True, text=True,
        )
        names = {name for name in listed.stdout.split("\0") if name and (self.root / name).is_file()}
        for stale in [path for path in self.tree.rglob("*") if path.is_file()]:
            if str(stale.relative_to(self.tree)) not in names:
                stale.unlink()
        for name in names:
            original, copy = self.root / name, self.tree / name
            if not copy.exists() or copy.read_bytes() != original.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(original, copy)

    def write(self, mutation):
        text = (self.root / mutation.path).read_text()
        (self.tree / mutation.path).write_text(mutation.apply(text))

    def restore(self, mutation):
        shutil.copy(self.root / mutation.path, self.tree / mutation.path)


class Program:
    """The test program, as a copy builds it."""

    def __init__(self, copy, target):
        self.copy = copy
        self.target = target
        self.seconds = 0.0

    def call(self, *command, timeout=None):
        environment = os.environ | {"CCACHE_BASEDIR": str(self.copy.tree.parent), "CCACHE_NOHASHDIR": "1", "GTEST_FAIL_FAST": "1"}
        return subprocess.run(command, env=environment, timeout=timeout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def prepare(self):
        """Builds what is right, and sees how long it runs."""
        self.call(
            "cmake", "-S", self.copy.tree, "-B", self.copy.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
            "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DTIDEPOOL_WERROR=OFF",
        ).check_returncode()
        self.make().check_returncode()
        self.path = next(path for path in self.copy.build.rglob(self.target) if path.is_file() and os.access(path, os.X_OK))
        started = time.monotonic()
        if not self.passes():
            sys.exit(f"mutate: {self.target} fails without any mutation")
        self.seconds = time.monotonic() - started

    def make(self):
        return self.call("nice", "cmake", "--build", self.copy.build, "--target", self.target, "-j", "1")

    def builds(self):
        return self.make().returncode == 0

    def passes(self):
        try:
            limit = self.seconds * PATIENCE + LEAST_SECONDS if self.seconds else None
            return self.call("nice", self.path, timeout=limit).returncode == 0
        except subprocess.TimeoutExpired:
            return False


def judge(copy, program, mutation):
    """"killed", "survived" or "does not compile"."""
    copy.write(mutation)
    try:
        if not program.builds():
            return "does not compile"
        return "survived" if program.passes() else "killed"
    finally:
        copy.restore(mutation)


def run(chosen, workers, deadline, tell):
    """Mutation → what became of it, of those that were judged before the deadline."""
    waiting = queue.Queue()
    for mutation in chosen:
        waiting.put(mutation)
    fates = {}

    def work(copy, program):
        while time.monotonic() < deadline:
            try:
                mutation = waiting.get_nowait()
            except queue.Empty:
                return
            fates[mutation] = judge(copy, program, mutation)
            tell(mutation, fates[mutation])

    with concurrent.futures.ThreadPoolExecutor(len(workers)) as pool:
        for done in [pool.submit(work, *worker) for worker in workers]:
            done.result()
    return fates


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("sources", nargs="+", metavar="source", help="a file, or a folder of them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutations", type=int, help="at most so many; otherwise all")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin none after so long")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "mutate")
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    paths = [pathlib.Path(source).resolve() for source in options.sources]
    files = sorted({file for path in paths for file in (path.glob("*.cc") if path.is_dir() else [path])})
    sources = {str(file.relative_to(ROOT)): file.read_text() for file in files}
    workers = []
    for job in range(options.jobs):
        copy = Copy(options.work / str(job))
        copy.update()
        program = Program(copy, options.target)
        program.prepare()
        workers.append((copy, program))

    def tell(mutation, fate):
        if fate == "survived":
            print(mutation.describe(sources[mutation.path]), flush=True)

    chosen = choose(sources, options.seed, options.mutations)
    fates = list(run(chosen, workers, time.monotonic() + options.minutes * 60, tell).values())
    counts = ", ".join(f"{fates.count(fate)} {fate}" for fate in ("killed", "survived", "does not compile"))
    print(f"{len(fates)} of {len(chosen)} mutations: {counts}")
    return 1 if "survived" in fates else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
