"""strace around a process: the system calls of a stretch of its log, by name."""
import collections
import re

CALL = re.compile(r"\d+ +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)")


def count(lines):
    """A wait that only a timer has ended is not counted: how many there are depends on the machine's speed."""
    calls = collections.Counter()
    for line in lines:
        found = CALL.match(line)
        if not found or line.rstrip().endswith("<unfinished ...>"):
            continue
        name = found[1] or found[2]
        if not (name.startswith("epoll_") and re.search(r"\)\s+= 0$", found[3])) or name == "epoll_ctl":
            calls[name] += 1
    return calls


class Strace:
    """Counts from begin() to end()."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self._log = folder / "log"
        self._start = 0
        # The program keeps the process id that was started: its tracer is a process beside it (-D).
        self.wrapper = ["strace", "-D", "-f", "-qq", "-s", "0", "-o", str(self._log)]

    def prepare(self, pid):
        pass

    def begin(self, pid):
        self._start = self._log.stat().st_size

    def end(self, pid):
        with open(self._log, errors="replace") as log:
            log.seek(self._start)
            return count(log)
