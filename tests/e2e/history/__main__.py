"""The command line of scripts/soak."""
import argparse
import pathlib
import random
import sys
import tempfile
import time

from support.certificates import Authority
from support.opener import opener
from support.tidb import TidbServer

from .history import run


class Progress:
    """A line a minute."""

    def __init__(self):
        self._last = self._began = time.monotonic()

    def __call__(self, text):
        now = time.monotonic()
        if now - self._last >= 60:
            self._last = now
            print(f"[{(now - self._began) / 60:.0f} min] {text}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="scripts/soak")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the same seed makes the same faults")
    parser.add_argument("--clients", type=int, default=2, help="of each of the four kinds, with and without replay")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="tidepool-soak-") as name:
        folder = pathlib.Path(name)
        authority = Authority(folder)
        server = TidbServer(folder / "tidb", authority.issue("localhost"), durable=True)
        try:
            doors = opener(authority, lambda stem: folder / stem)
            report = run(doors, server.start(), options.minutes * 60, options.seed, options.clients, Progress())
        finally:
            server.crash()
    print(report.text())
    return 0 if report.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
