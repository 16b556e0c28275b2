"""Figures of a release build against a real TiDB; docs/benchmarks.md says what they mean. Started by scripts/bench."""
import argparse
import contextlib
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import lease  # noqa: E402
import load  # noqa: E402
import share  # noqa: E402
import stand  # noqa: E402

PARTS = ("lease", "load", "share")


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="which of " + ", ".join(PARTS) + "; all if none")
    parser.add_argument("--rounds", type=int, default=15, help="of each way to TiDB in turn (default %(default)s)")
    parser.add_argument("--seconds", type=int, default=4, help="a run of sysbench (default %(default)s)")
    parser.add_argument("--smoke", action="store_true", help="as short as possible: does it still work?")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return options


def main():
    options = parse()
    parts = options.parts or PARTS
    rounds, seconds = (1, 1) if options.smoke else (options.rounds, options.seconds)
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the start, {rounds} rounds")
    with tempfile.TemporaryDirectory(prefix="tidepool-bench-") as folder, contextlib.ExitStack() as stack:
        made = stand.Stand(folder, stack)
        if "lease" in parts:
            lease.run(made, rounds, 0.05 if options.smoke else 0.4)
        if "load" in parts or "share" in parts:
            made.sysbench(made.direct, "oltp_point_select", "prepare")
        if "load" in parts:
            load.run(made, max(1, rounds // 3), seconds)
        if "share" in parts:
            share.run(made, seconds if options.smoke else 4 * seconds)
    print(f"load average {os.getloadavg()[0]:.1f} at the end")


main()
