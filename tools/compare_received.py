#!/usr/bin/env python3
"""compare_received BEFORE AFTER: compares two directories of scripts/received; the exit code is 1 if they differ.

What the end of a test cuts off, at the end of a connection, is no difference.
"""
import collections
import pathlib
import sys


def connections(path):
    """What each connection brought, in its order."""
    brought = collections.defaultdict(list)
    for line in path.read_text(errors="surrogateescape").splitlines():
        number, _, what = line.partition(" ")
        brought[number].append(what)
    return brought


def differs(one, other):
    shorter = min(len(one), len(other))
    return one[:shorter] != other[:shorter]


def differences(before, after):
    names = {path.name for directory in (before, after) for path in directory.iterdir()}
    for name in sorted(names):
        if not (before / name).exists() or not (after / name).exists():
            yield f"{name}: only in one of them"
            continue
        ones, others = connections(before / name), connections(after / name)
        different = [number for number in ones.keys() | others.keys() if differs(ones[number], others[number])]
        if different:
            yield f"{name}: connections {', '.join(sorted(different, key=int))}"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    found = list(differences(*map(pathlib.Path, sys.argv[1:])))
    print("\n".join(found) or "no difference")
    sys.exit(bool(found))


main()
