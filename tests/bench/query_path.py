"""Follows one SELECT 1 through the code, and prints how often a reader of it has to turn to another file.

Started by scripts/query-path. A client that is logged in sends SELECT 1, which it has sent before, to a proxy with an idle
backend in the session's state: nothing is restored, nothing read back. gdb notes each call of a function of the chosen layers,
and the stack below it, from the packet's arrival until Lease::release() is called. Of a debug build, which has
every call. call_path.py says what a change of file is."""
import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from call_path import path_of, visits_of, without_looks  # noqa: E402
from one_backend import fake_tidb, proxy  # noqa: E402
from support.waiting import wait_until  # noqa: E402

LAST = "tidepool::pool::Lease::release"
SYMBOL = re.compile(r"([0-9a-f]+) [tTwW] (.*)")


def parse():
    parser = argparse.ArgumentParser(
        prog="scripts/query-path", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", default="session", help="whose files count, such as session,pool (default: %(default)s)")
    parser.add_argument("--calls", action="store_true", help="each step too")
    parser.add_argument("--most", type=int, help="fail with more changes without looks")
    parser.add_argument("--binary", type=pathlib.Path, required=True, help="the proxy, a debug build")
    parser.add_argument("--helpers", type=pathlib.Path, required=True, help="where the fake TiDB is built")
    return parser.parse_args()


def functions_of(binary, layers):
    """Addresses within the file, of main and of all functions of the layers."""
    ours = re.compile(rf"tidepool::({'|'.join(layers)})::")
    listed = subprocess.run(["nm", "-C", "--defined-only", binary], capture_output=True, text=True, check=True).stdout
    found = [match.groups() for match in map(SYMBOL.match, listed.splitlines()) if match]
    main = [address for address, name in found if name == "main"]
    return main + sorted({address for address, name in found if ours.match(name) or name.startswith(LAST)})


def trace(binary, helpers, functions):
    """The stacks of one SELECT 1."""
    with tempfile.TemporaryDirectory(prefix="tidepool-path-") as name:
        folder = pathlib.Path(name)
        (folder / "functions").write_text("\n".join(functions))
        command = ["gdb", "-nx", "-batch", "-x", HERE / "gdb_calls.py", "--args", binary]
        variables = {"TRACE_FOLDER": name, "TRACE_LAST": LAST}
        with fake_tidb(helpers / "fake_tidb_server") as tidb, proxy(folder, command, tidb, variables) as (gdb, connect):

            def read(file):
                path = folder / file

                def is_there():
                    assert gdb.exit_code is None or path.exists(), f"gdb ended:\n{gdb.text()[-3000:]}"
                    return path.exists()

                wait_until(is_there, 120, lambda: f"{file} of gdb:\n{gdb.text()[-3000:]}")
                return path.read_text()

            with contextlib.closing(connect()) as client:
                client.query("SELECT 1")
                os.kill(int(read("pid")), signal.SIGWINCH)
                read("begun")
                client.query("SELECT 1")
                return [json.loads(line) for line in read("calls").splitlines()]


def until_release(stacks):
    """Without what the session does when its lease is back."""
    last = max(index for index, stack in enumerate(stacks) if stack[-1][0].startswith(LAST))
    return stacks[: last + 1]


def main():
    options = parse()
    layers = options.layers.split(",")
    stacks = trace(options.binary.resolve(), options.helpers.resolve(), functions_of(options.binary, layers))
    path = path_of(until_release(stacks), layers)
    if options.calls:
        print(*(f"{step.file:<40} {'  ' * step.depth}{step.function}" for step in path), sep="\n", end="\n\n")
    visits, moves = visits_of(path), without_looks(path)
    print(" → ".join(pathlib.PurePath(file).stem for file in moves), end="\n\n")
    print(f"SELECT 1 takes {len(path)} steps in {len(set(visits))} files of {' and '.join(layers)},")
    print(f"with {len(visits) - 1} changes of file; {len(moves) - 1} of them are no mere looks")
    if options.most is not None and len(moves) - 1 > options.most:
        sys.exit(f"query-path: more than {options.most}")


main()
