"""Callgrind around a process: a dump's instructions and allocations by our layers and by library."""
import collections
import pathlib
import re
import subprocess

LAYERS = ("base", "net", "protocol", "sql", "tracking", "backend", "pool", "session", "config", "metrics", "admin", "proxy")
LIBRARIES = {
    "libssl": "OpenSSL", "libcrypto": "OpenSSL", "libc": "libc", "ld-linux-x86-64": "libc", "libuv": "libuv",
    "libstdc++": "libstdc++", "libslow_clock": None,
}  # fmt: skip
NAMESPACE = re.compile(r"\btidepool::(?:(\w+)::)?")
ALLOCATES = re.compile(r"(__libc_)?(malloc|calloc|realloc|memalign|aligned_alloc|posix_memalign)$|operator new")
NAME = re.compile(r"(c?)(ob|fn)=\((\d+)\)(?: (.*))?$")


def owner_of(binary, function):
    """The layer or the library that a function counts for, of a template the first layer named; None: it does not count."""
    if not binary.startswith("tidepool"):
        return LIBRARIES.get(re.sub(r"\.so.*", "", binary), "other libraries")
    if found := NAMESPACE.search(function):
        return found[1] if found[1] in LAYERS else "base"
    return "templates"


class Dump:
    """`instructions` and `allocations` by owner; our slow clock has none."""

    def __init__(self, lines):
        self.instructions = collections.Counter()
        self.allocations = collections.Counter()
        self._names = {"ob": {}, "fn": {}}
        self._read(lines)

    def _name(self, kind, number, name):
        """A name stands where its number comes first."""
        if name is not None:
            self._names[kind][number] = pathlib.PurePath(name).name if kind == "ob" else name
        return self._names[kind][number]

    def _read(self, lines):
        caller, called = {"ob": "", "fn": ""}, {}
        owner, is_of_call = None, False
        for line in lines:
            if line[0] in "0123456789+-*":  # where in the source, and how many
                if not is_of_call and owner:
                    self.instructions[owner] += int(line.split()[1])
                is_of_call = False
            elif found := NAME.match(line):
                of_call, kind, number, name = found.groups()
                (called if of_call else caller)[kind] = self._name(kind, number, name)
                owner = owner_of(caller["ob"], caller["fn"])
            elif line.startswith("calls="):
                self._add_calls(int(line[6:].split()[0]), owner, caller["fn"], called["fn"])
                called, is_of_call = {}, True

    def _add_calls(self, count, owner, caller, called):
        """What the allocator does within itself is not counted."""
        if owner and ALLOCATES.match(called) and not ALLOCATES.match(caller):
            self.allocations[owner] += count


class Callgrind:
    """Counts from begin() to end(); before, the program runs as fast as it can."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self._out, self._pipes = folder / "out", folder / "vgdb"
        self._dumps = 0
        self.wrapper = [
            "valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={self._out}",
            f"--vgdb-prefix={self._pipes}", "--vgdb=yes", "-q",
        ]  # fmt: skip

    def _tell(self, pid, *words):
        subprocess.run(
            ["vgdb", f"--pid={pid}", f"--vgdb-prefix={self._pipes}", *words],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip

    def prepare(self, pid):
        self._tell(pid, "instrumentation", "on")

    def begin(self, pid):
        self._tell(pid, "zero")

    def end(self, pid):
        self._tell(pid, "dump")
        self._dumps += 1
        with open(f"{self._out}.{self._dumps}", errors="replace") as file:
            return Dump(file)
