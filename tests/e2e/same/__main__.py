"""The differential test at length: python -m same --statements 100000, in tests/e2e; the exit code is 1 if anything differs.

--seed 17 runs one program, --kinds "USE,ping" only some kinds, --threads the mode in which every session has a thread,
--direct has a TiDB on either side, to tell what TiDB does in two ways itself.
"""
import argparse
import contextlib
import itertools
import pathlib
import sys
import tempfile

from support.certificates import Authority
from support.opener import opener
from support.tidb import TidbServer

from .arena import Arena
from .campaign import Wanted, campaign


def options():
    parser = argparse.ArgumentParser(prog="same", description=__doc__)
    parser.add_argument("--statements", type=int, default=100_000)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, help="this one program alone")
    parser.add_argument("--first", type=int, default=0, help="the first of the seeds")
    parser.add_argument("--length", type=int, default=150, help="statements a program")
    parser.add_argument("--kinds", help="separated by commas")
    parser.add_argument("--threads", action="store_true", help="all sessions of a program at once")
    parser.add_argument("--direct", action="store_true", help="no proxy: what differs then is TiDB's own doing")
    parser.add_argument("--times", type=int, default=1, help="each program so often")
    parser.add_argument("--as-found", action="store_true", help="differences are not made small")
    return parser.parse_args()


@contextlib.contextmanager
def new_arena(direct):
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="same-")))
        authority = Authority(folder)
        servers = []
        for name in ("direct", "behind"):
            server = TidbServer(folder / name, authority.issue("localhost", "127.0.0.1"))
            stack.callback(server.crash)
            servers.append(server.start())
        numbers = itertools.count(1)
        arena = Arena(*servers, opener(authority, lambda name: folder / f"{name}-{next(numbers)}", direct))
        stack.callback(arena.close)
        yield arena


def main():
    chosen = options()
    only = set(chosen.kinds.split(",")) if chosen.kinds else None
    programs = [chosen.seed] if chosen.seed is not None else itertools.count(chosen.first)
    seeds = (seed for seed in programs for _ in range(chosen.times))
    with new_arena(chosen.direct) as arena:
        report = campaign(
            arena, seeds, Wanted(only, not chosen.as_found, chosen.threads, chosen.length), chosen.statements, chosen.seconds,
            lambda text: print(text, "\n", flush=True),
        )  # fmt: skip
    print(report)
    print("by kind:", dict(report.kinds.most_common()))
    return 1 if report.found else 0


if __name__ == "__main__":
    sys.exit(main())
