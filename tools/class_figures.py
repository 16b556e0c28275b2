#!/usr/bin/env python3
"""class_figures.py [--check | --shrink | CLASS…]: how large the classes are, and how their methods hang together.

For each class, or those named, the largest first: its data members (static ones are none); its methods (declarations in the
class, without constructors, destructor and operators); the .cc files that define its methods; the largest set of methods that
call one another in circles, and the files over which that set goes. Then the places outside sql that read SQL by words.

A call is a method's name before a parenthesis in the body of another method of the same class, without an object before it; so
a callback that a method registers counts as a call. ctags (universal-ctags) tells where classes, members and bodies are.

--check fails if a class is beyond the limits below, or beyond its own entry of tools/class_exceptions.tsv; or if an entry is
larger than its class needs. --shrink lowers the entries to what is needed. No option raises one.
"""
import argparse
import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXCEPTIONS = pathlib.Path("tools/class_exceptions.tsv")
TOP = ("src", "include")
LIMITS = {"members": 18, "methods": 60, "files": 3}

NO_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'', re.DOTALL)
DIGITS = re.compile(r"\b(0x[0-9a-f']+|\d[\d']*\d)", re.IGNORECASE)
CALL = re.compile(r"(?P<before>(?:\w+\s*::|->|\.)\s*)?\b(?P<name>[A-Za-z_]\w*)\s*(?=\()")
MEMBER_POINTER = re.compile(r"&\s*(\w+)::(\w+)")
THIS = re.compile(r"\bthis\s*->\s*$")
ANONYMOUS = re.compile(r"__anon\w+::")
READS_SQL = re.compile(r"\bparse/lexer\.h|\bLexer\b|\bis_keyword\b")


@dataclasses.dataclass
class Method:
    file: str
    first: int
    last: int


@dataclasses.dataclass
class Class:
    """`bodies` by the method's name: overloads are one."""

    name: str
    members: int = 0
    methods: int = 0
    bodies: dict = dataclasses.field(default_factory=dict)

    @property
    def short_name(self):
        return self.name.rpartition("::")[2]

    @property
    def sources(self):
        return sorted({one.file for bodies in self.bodies.values() for one in bodies if one.file.endswith(".cc")})

    def figures(self):
        return {"members": self.members, "methods": self.methods, "files": len(self.sources)}


def without_comments_and_strings(text):
    """The lines stay where they are."""
    text = DIGITS.sub("0", text)  # 1'000 begins no character
    return NO_CODE.sub(lambda found: "\n" * found[0].count("\n") or " ", text)


def read_tags(root):
    if not shutil.which("ctags"):
        sys.exit("class_figures: ctags is not there: scripts/install-deps test installs it")
    command = [
        "ctags", "-R", "-u", "-f", "-", "--output-format=json", "--fields=+neKsz", "--languages=C++", "--langmap=C++:.h.cc",
        "--kinds-C++=+p", *(top for top in TOP if (root / top).is_dir()),
    ]  # fmt: skip
    lines = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    return [tag for tag in map(json.loads, lines) if tag["_type"] == "tag"]


def classes_of(tags):
    """By full name, an anonymous namespace's with the number that ctags gives it."""
    found, places = {}, {}
    for tag in tags:
        if tag["kind"] in ("class", "struct") and "end" in tag:
            name = f"{tag['scope']}::{tag['name']}" if "scope" in tag else tag["name"]
            found[name] = Class(ANONYMOUS.sub("", name))
            places[name] = tag["path"], range(tag["line"], tag["end"] + 1)
    for tag in tags:
        scope = tag.get("scope")
        if scope not in found or tag["name"].startswith("__anon"):
            continue
        one, (path, lines) = found[scope], places[scope]
        is_within = tag["path"] == path and tag["line"] in lines
        is_special = tag["name"].lstrip("~") == one.short_name or tag["name"].startswith("operator")
        if tag["kind"] == "member" and not re.search(r"\bstatic\b", tag["pattern"]):
            one.members += 1
        elif tag["kind"] in ("prototype", "function") and not is_special:
            one.methods += is_within
            if tag["kind"] == "function" and "end" in tag:
                one.bodies.setdefault(tag["name"], []).append(Method(tag["path"], tag["line"], tag["end"]))
    return found


def called_in(code, one):
    """The methods of the class that the code calls on its own object."""
    for found in CALL.finditer(code):
        before = (found["before"] or "").replace(" ", "")
        on_itself = not before or before == f"{one.short_name}::"
        if before == "->":
            on_itself = THIS.search(code, 0, found.end("before")) is not None
        if on_itself and found["name"] in one.bodies:
            yield found["name"]
    for found in MEMBER_POINTER.finditer(code):
        if found[1] == one.short_name and found[2] in one.bodies:
            yield found[2]


def calls_of(one, lines_of):
    calls = {}
    for name, bodies in one.bodies.items():
        code = "\n".join(line for body in bodies for line in lines_of(body.file)[body.first - 1 : body.last])
        code = code[code.find("(") + 1 :]  # its own name is no call
        calls[name] = set(called_in(code, one))
    return calls


def circles_of(calls):
    """The sets of nodes that reach one another, of two nodes or more (Tarjan's algorithm, without recursion)."""
    number, low, stack, found = {}, {}, [], []
    for root in calls:
        work = [] if root in number else [(root, iter(sorted(calls[root])))]
        while work:
            node, rest = work[-1]
            if node not in number:
                number[node] = low[node] = len(number)
                stack.append(node)
            for other in rest:
                if other not in number:
                    work.append((other, iter(sorted(calls[other]))))
                    break
                if other in stack:
                    low[node] = min(low[node], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    cut = stack.index(node)
                    found += [stack[cut:]] if len(stack) - cut > 1 else []
                    del stack[cut:]
    return found


def files_of(one, methods):
    return sorted({body.file for name in methods for body in one.bodies[name]})


def uses_of_lexer(root):
    """What reads SQL by words outside sql: file, line, text."""
    for top in TOP:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".h", ".cc") and "sql" not in path.relative_to(root).parts[1:-1]:
                for number, line in enumerate(path.read_text().splitlines(), 1):
                    if READS_SQL.search(line.split("//")[0]):
                        yield f"{path.relative_to(root)}:{number}: {line.strip()}"


# The exceptions: a class a line, with each figure for which it has a limit of its own; `-` elsewhere.


def read_exceptions(path):
    lines = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {
        name: {figure: int(value) for figure, value in zip(LIMITS, values, strict=True) if value != "-"}
        for name, *values in lines
    }


def write_exceptions(path, exceptions):
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    rows = ["\t".join([name, *(str(own.get(figure, "-")) for figure in LIMITS)]) for name, own in sorted(exceptions.items())]
    path.write_text("\n".join([*header, *rows]) + "\n")


def figures_by_name(classes):
    """Of classes of one name, each in a file's anonymous namespace, the largest figures."""
    found = {}
    for one in classes:
        figures = found.setdefault(one.name, one.figures())
        found[one.name] = {figure: max(value, one.figures()[figure]) for figure, value in figures.items()}
    return found


def problems_of(figures, exceptions):
    for name, values in sorted(figures.items()):
        for figure, value in values.items():
            allowed = exceptions.get(name, {}).get(figure, LIMITS[figure])
            if value > allowed:
                yield f"{name}: {value} {figure}, at most {allowed}"
    for name, own in sorted(exceptions.items()):
        for figure, allowed in own.items():
            value = figures.get(name, {}).get(figure, 0)
            if value < allowed or allowed <= LIMITS[figure]:
                yield f"{name}: {value} {figure}, its exception says {allowed}: tools/class_figures.py --shrink"


def shrunk(figures, exceptions):
    found = {}
    for name, own in exceptions.items():
        needed = {figure: min(allowed, figures.get(name, {}).get(figure, 0)) for figure, allowed in own.items()}
        found[name] = {figure: value for figure, value in needed.items() if value > LIMITS[figure]}
    return {name: own for name, own in found.items() if own}


def show(root, classes, names):
    lines = {}

    def lines_of(file):
        if file not in lines:
            lines[file] = without_comments_and_strings((root / file).read_text()).split("\n")
        return lines[file]

    chosen = [one for one in classes if not names or one.name in names or one.short_name in names]
    print(f"{'members':>7} {'methods':>7} {'files':>5}  {'circle':>12}  class")
    for one in sorted(chosen, key=lambda one: (-one.methods, -one.members, one.name)):
        circle = max(circles_of(calls_of(one, lines_of)), key=len, default=[])
        text = f"{len(circle)} in {len(files_of(one, circle))}" if circle else "-"
        print(f"{one.members:>7} {one.methods:>7} {len(one.sources):>5}  {text:>12}  {one.name}")
        if names:
            print("".join(f"        {file}\n" for file in one.sources), end="")
            print("".join(f"        circle: {', '.join(sorted(circle))}\n" if circle else ""), end="")
    if not names:
        uses = list(uses_of_lexer(root))
        print(f"\nSQL read by words outside sql: {len(uses)} places", *uses, sep="\n  ")


def main(root=ROOT):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the limits and the exceptions")
    parser.add_argument("--shrink", action="store_true", help="lower the exceptions to what is needed")
    parser.add_argument("names", metavar="CLASS", nargs="*")
    options = parser.parse_args()
    classes = list(classes_of(read_tags(root)).values())
    if not options.check and not options.shrink:
        show(root, classes, options.names)
        return 0
    figures, file = figures_by_name(classes), root / EXCEPTIONS
    if options.shrink:
        write_exceptions(file, shrunk(figures, read_exceptions(file)))
    exceptions = read_exceptions(file)
    found = list(problems_of(figures, exceptions))
    print("\n".join(found) if found else f"classes: {len(figures)} within the limits, {len(exceptions)} of them by exceptions")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
