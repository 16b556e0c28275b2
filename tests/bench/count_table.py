"""The committed table of counts: a line for each figure, a column for each case; and how others compare with it."""
import dataclasses

# How far a count may be from the table's: a share of it, and at least so much.
TOLERANCES = {"instructions": (0.03, 25), "allocations": (0, 0.02), "system calls": (0, 0.05)}
# The instructions of a library depend on what was allocated before, and on which events come together. Growth of those
# is caught by the sum over all.
LIBRARIES = ("OpenSSL", "libc", "libuv", "libstdc++", "other libraries")
LIBRARY_TOLERANCE = (0.15, 100)
NOTHING = "-"
INSTALLED = "installed: "


@dataclasses.dataclass(frozen=True)
class Key:
    figure: str  # of TOLERANCES
    of: str  # "all", a layer, a library, a system call
    case: str


@dataclasses.dataclass(frozen=True)
class Change:
    key: Key
    before: float
    now: float

    def text(self):
        share = f"{100 * (self.now / self.before - 1):+.1f} %" if self.before else "new"
        return [self.key.case, self.key.figure, self.key.of, number(self.key, self.before), number(self.key, self.now), share]


@dataclasses.dataclass
class Table:
    """What was counted, and what was installed there: versions of what is not ours, but is counted."""

    installed: str
    counts: dict  # by Key


def number(key, value):
    return f"{value:.0f}" if key.figure == "instructions" else f"{value:.2f}"


def order(line):
    figure, of = line
    return list(TOLERANCES).index(figure), of not in ("all", "Tidepool"), of


def rows(counts):
    """The cells of the table, its header first."""
    cases = list(dict.fromkeys(key.case for key in counts))
    lines = sorted({(key.figure, key.of) for key in counts}, key=order)
    yield ["a turn", "of", *cases]
    for figure, of in lines:
        keys = [Key(figure, of, case) for case in cases]
        yield [figure, of, *(number(key, counts[key]) if key in counts else NOTHING for key in keys)]


def write(path, table):
    lines = ["# " + INSTALLED + table.installed, *("\t".join(row) for row in rows(table.counts))]
    path.write_text("\n".join(lines) + "\n")


def read(path):
    first, header, *lines = path.read_text().splitlines()
    cases = header.split("\t")[2:]
    counts = {}
    for line in lines:
        figure, of, *cells = line.split("\t")
        counts |= {Key(figure, of, case): float(cell) for case, cell in zip(cases, cells) if cell != NOTHING}
    return Table(first.removeprefix("# " + INSTALLED), counts)


def tolerance(key):
    return LIBRARY_TOLERANCE if key.figure == "instructions" and key.of in LIBRARIES else TOLERANCES[key.figure]


def compare(committed, counted, is_compared):
    """What grew and what fell by more than is tolerated, the largest first."""
    changes = []
    for key in filter(is_compared, committed.keys() | counted.keys()):
        before, now = committed.get(key, 0.0), counted.get(key, 0.0)
        share, least = tolerance(key)
        if abs(now - before) > max(share * before, least):
            changes.append(Change(key, before, now))
    changes.sort(key=lambda change: (list(TOLERANCES).index(change.key.figure), -abs(change.now - change.before)))
    return [c for c in changes if c.now > c.before], [c for c in changes if c.now < c.before]
