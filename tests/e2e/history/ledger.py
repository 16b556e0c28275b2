"""What each client was told of each write, and whether TiDB's tables agree with it."""
import collections
import dataclasses
import threading

DONE, NOT_DONE, UNKNOWN = "acknowledged", "not executed", "unknown"


@dataclasses.dataclass(frozen=True)
class Write:
    """Tokens that are written together, or an addition to a counter; all of it or nothing."""

    tokens: tuple = ()
    counter: int | None = None


@dataclasses.dataclass
class Verdict:
    duplicates: list  # tokens that are there more than once
    losses: list  # acknowledged and not there
    ghosts: list  # there, though their client was told that they were not executed, or nobody wrote them
    torn: list  # writes that are there in part
    counters: list  # with another sum than the acknowledged and some of the unknown additions

    @property
    def is_clean(self):
        return not (self.duplicates or self.losses or self.ghosts or self.torn or self.counters)


class Ledger:
    def __init__(self):
        self._lock = threading.Lock()
        self._writes = []
        self._next = 0
        self._kinds = collections.defaultdict(collections.Counter)
        self.reads = 0
        self.problems = []  # reads that failed or saw what they must not

    def new_token(self):
        with self._lock:
            self._next += 1
            return self._next

    def note(self, write, outcome, kind=""):
        with self._lock:
            self._writes.append((write, outcome))
            self._kinds[kind][outcome] += 1

    def note_read(self, problem=None):
        with self._lock:
            self.reads += 1
            if problem:
                self.problems.append(problem)

    def counts(self):
        """Writes by outcome."""
        with self._lock:
            return collections.Counter(outcome for _, outcome in self._writes)

    def counts_of(self, kind):
        """Likewise, of those that were noted as of that kind."""
        with self._lock:
            return collections.Counter(self._kinds[kind])

    def judge(self, tokens, counters):
        """`tokens`: how often each is in the table; `counters`: their sums."""
        found = Verdict([token for token, times in tokens.items() if times > 1], [], [], [], [])
        known = set()
        bounds = collections.defaultdict(lambda: [0, 0])
        for write, outcome in self._writes:
            known.update(write.tokens)
            there = [token for token in write.tokens if tokens.get(token)]
            if outcome == DONE and len(there) < len(write.tokens):
                found.losses += sorted(set(write.tokens) - set(there))
            if outcome == NOT_DONE:
                found.ghosts += there
            if outcome == UNKNOWN and there and len(there) < len(write.tokens):
                found.torn.append(write)
            if write.counter is not None:
                bounds[write.counter][0] += outcome == DONE
                bounds[write.counter][1] += outcome != NOT_DONE
        found.ghosts += sorted(set(tokens) - known)
        for counter, (least, most) in bounds.items():
            if not least <= counters.get(counter, 0) <= most:
                found.counters.append((counter, least, counters.get(counter), most))
        return found
