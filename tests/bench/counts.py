"""Counts what a turn of each case costs the proxy: instructions, allocations and system calls, compared with a table.

Started by scripts/counts; docs/benchmarks.md says what the figures mean."""
import argparse
import functools
import pathlib
import platform
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import count_table as tables  # noqa: E402
from callgrind import LAYERS, Callgrind  # noqa: E402
from count_cases import CASES  # noqa: E402
from count_table import Key  # noqa: E402
from figures import show_table  # noqa: E402
from one_backend import fake_tidb, proxy  # noqa: E402
from strace import Strace  # noqa: E402

OURS = (*LAYERS, "templates")
# Parts of the counted work that come from elsewhere, in versions of their own.
PACKAGES = ("g++", "libc6", "libssl3", "libstdc++6", "libuv1", "valgrind")
WARM_UP = 200


def parse():
    parser = argparse.ArgumentParser(prog="scripts/counts", description=__doc__)
    parser.add_argument("--write", action="store_true", help="the table anew, instead of comparing with it")
    parser.add_argument("--table", type=pathlib.Path, default=HERE / "counts.tsv", help="another one than %(default)s")
    parser.add_argument("--binary", type=pathlib.Path, required=True, help="the proxy, a release build")
    parser.add_argument("--helpers", type=pathlib.Path, required=True, help="where the fake TiDB and the clock are built")
    return parser.parse_args()


def installed():
    """What the counts of the libraries hold for; not for a machine on which those have other code to run."""
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    machine = platform.machine() + (" with AVX2" if " avx2 " in flags else "")
    listed = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PACKAGES], capture_output=True, text=True, check=True
    )
    return ", ".join([machine, *sorted(set(listed.stdout.splitlines()))])


def count(tool, options, tidb):
    """What the tool counted of each case."""
    command = [*tool.wrapper, options.binary.resolve()]
    clock = {"LD_PRELOAD": options.helpers.resolve() / "libslow_clock.so"}
    with proxy(tool.folder, command, tidb, clock) as (running, connect):
        pid = running.pid
        tool.prepare(pid)
        for case in CASES:
            case.start(connect)
            case.run(WARM_UP)
            tool.begin(pid)
            case.run(case.turns)
            yield case, tool.end(pid)
            case.stop()


def per_turn(case, figure, counts):
    """What is not seen in the table is left out."""
    found = {Key(figure, of, case.name): count / case.turns for of, count in counts.items()}
    return {key: value for key, value in found.items() if float(tables.number(key, value))}


def count_all(options, folder):
    counts = {}
    with fake_tidb(options.helpers / "fake_tidb_server") as tidb:
        for case, dump in count(Callgrind(folder / "callgrind"), options, tidb):
            ours = sum(dump.instructions[of] for of in OURS)
            instructions = {"all": dump.instructions.total(), "Tidepool": ours} | dump.instructions
            counts |= per_turn(case, "instructions", instructions)
            counts |= per_turn(case, "allocations", {"all": dump.allocations.total()} | dump.allocations)
        for case, calls in count(Strace(folder / "strace"), options, tidb):
            counts |= per_turn(case, "system calls", {"all": calls.total()} | calls)
    return tables.Table(installed(), counts)


def is_compared(key, same_libraries):
    """The instructions of libraries only with those of the table."""
    return same_libraries or key.figure != "instructions" or key.of in ("Tidepool", *OURS)


def report(committed, counted):
    """False: something grew."""
    same = committed.installed == counted.installed
    if not same:
        print(f"the instructions of the libraries are not compared: the table is of {committed.installed}")
        print(f"here is {counted.installed}")
    changes = tables.compare(committed.counts, counted.counts, functools.partial(is_compared, same_libraries=same))
    for title, found in zip(("grew: more than the table says", "fell: scripts/counts --write keeps it so"), changes):
        if found:
            show_table(title, ["case", "a turn", "of", "table", "now", ""], [change.text() for change in found])
    grew, fell = changes
    if not grew and not fell:
        print("as the table says")
    return not grew


def main():
    options = parse()
    with tempfile.TemporaryDirectory(prefix="tidepool-counts-") as folder:
        counted = count_all(options, pathlib.Path(folder))
    header, *lines = tables.rows(counted.counts)
    show_table("counts", header, lines)
    if options.write:
        tables.write(options.table, counted)
    elif not report(tables.read(options.table), counted):
        sys.exit(1)


main()
