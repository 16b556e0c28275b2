"""Many random programs, one after the other; a difference is made small and told once."""
import collections
import dataclasses
import re
import time

from . import generate
from .shrink import shrink
from .steps import listing
from .threads import PATIENCE

SIZES, WORKERS = (1, 2, 3), (1, 2)


@dataclasses.dataclass
class Report:
    started: float = dataclasses.field(default_factory=time.monotonic)
    statements: int = 0
    programs: int = 0
    found: dict = dataclasses.field(default_factory=dict)  # signature → text
    kinds: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    pins: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    again: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    def add(self, key, text):
        if key in self.found:
            self.again[key] += 1
        else:
            self.found[key] = text

    def __str__(self):
        lines = [f"{self.statements} statements in {self.programs} programs in {time.monotonic() - self.started:.0f} s, {len(self.found)} different", f"pins: {dict(self.pins)}"]
        return "\n".join(lines + [f"{text}\n(seen {self.again[key]} more times)" for key, text in self.found.items()])


def shape_of(seed, wanted):
    """Seeds go through all pool sizes and numbers of workers and sessions."""
    sessions = 4 + seed % 5
    shape = generate.Shape(sessions, wanted.length, SIZES[seed % 3], not wanted.threads)
    return shape, WORKERS[seed // 3 % 2]


def signature(difference):
    """Equal for what is probably the same."""
    text = repr(difference.step.act.op)
    return difference.step.kind, re.sub(r"\d+", "N", text)[:60], repr(difference.proxy[-1:])[:40]


@dataclasses.dataclass(frozen=True)
class Wanted:
    only: set | None = None  # kinds; all
    shrinks: bool = True
    threads: bool = False
    length: int = 150


def one_program(arena, seed, report, wanted=Wanted()):
    shape, workers = shape_of(seed, wanted)
    steps = generate.program(seed, shape, arena.catalog, wanted.only)
    door = arena.door(shape.size, workers)
    before = pins_of(door)

    def count(step):
        report.statements += 1
        report.kinds[step.kind] += 1

    difference = arena.run(steps, shape.size, workers, count)
    report.programs += 1
    pinned = pins_of(door) - before
    report.pins += pinned
    if difference:
        return note(arena, seed, steps, difference, report, wanted)
    unexpected = set(pinned).difference(*(step.act.takes for step in steps))
    if unexpected:
        note_pins(arena, seed, steps, unexpected, report, wanted)


def note_pins(arena, seed, steps, unexpected, report, wanted):
    """What is not documented to pin did."""
    key = ("pins", *sorted(unexpected))
    text = f"seed {seed} pins for {sorted(unexpected)}, which it must not"
    if key not in report.found and wanted.shrinks:
        shape, workers = shape_of(seed, wanted)
        door = arena.door(shape.size, workers)

        def differs(candidate):
            before = pins_of(door)
            return arena.run(candidate, shape.size, workers) is None and unexpected & set(pins_of(door) - before)

        text += f"\n  after\n{listing(shrink(steps, shape.size, differs))}"
    report.add(key, text)


def pins_of(door):
    if door.proxy is None:
        return collections.Counter()
    counts = door.proxy.counts("tidepool_pins_total", "reason")
    return collections.Counter({reason: int(count) for reason, count in counts.items()})


def one_at_once(arena, seed, report, wanted):
    """All sessions of a program at once."""
    shape, workers = shape_of(seed, wanted)
    steps = generate.program(seed, shape, arena.catalog, wanted.only)
    door = arena.door(shape.size, workers, PATIENCE)
    before = pins_of(door)
    report.programs += 1
    report.statements += len(steps)
    for step in steps:
        report.kinds[step.kind] += 1
    differences = arena.run_at_once(steps, shape.size, workers)
    pinned = pins_of(door) - before
    report.pins += pinned
    for difference in differences:
        report.add(signature(difference), told_at_once(seed, steps, difference, shape, workers))
    unexpected = set(pinned).difference(*(step.act.takes for step in steps))
    if unexpected and not differences:
        text = f"seed {seed} at once pins for {sorted(unexpected)}, which it must not\n  after\n{listing(steps)}"
        report.add(("pins", *sorted(unexpected)), text)


def told_at_once(seed, steps, difference, shape, workers):
    """As it is, because another run has another order."""
    mine = [step for step in steps[: difference.at] if step.session == difference.step.session]
    about = f"seed {seed} at once, {shape.size} backends, {workers} workers"
    return f"{about}\n{difference}\n  after\n{listing(mine[-30:])}"


def note(arena, seed, steps, difference, report, wanted):
    key = signature(difference)
    if key in report.found or not wanted.shrinks:
        text = f"seed {seed}\n{difference}\n  after\n{listing(steps[:difference.at][-30:])}"
    else:
        text = told(arena, seed, steps[: difference.at + 1], difference, shape_of(seed, wanted))
    report.add(key, text)


def told(arena, seed, steps, difference, where):
    """The difference with the least program that shows it."""
    shape, workers = where
    last = difference

    def differs(candidate):
        nonlocal last
        found = arena.run(candidate, shape.size, workers)
        if found is None or found.at != len(candidate) - 1 or found.is_starvation != difference.is_starvation:
            return False
        last = found
        return True

    about = f"seed {seed}, {shape.size} backends, {workers} workers"
    if not differs(steps):
        return f"{about} (not again when it is repeated)\n{last}\n  after\n{listing(steps[:-1][-30:])}"
    return f"{about}\n{last}\n  after\n{listing(shrink(steps, shape.size, differs, 30 if difference.is_starvation else 120)[:-1])}"


def campaign(arena, seeds, wanted=Wanted(), statements=None, seconds=None, say=lambda text: None):
    report = Report()
    end = time.monotonic() + seconds if seconds else None
    for seed in seeds:
        known = len(report.found)
        (one_at_once if wanted.threads else one_program)(arena, seed, report, wanted)
        if len(report.found) > known:
            say(list(report.found.values())[-1])
        if statements and report.statements >= statements or end and time.monotonic() > end:
            break
    return report
