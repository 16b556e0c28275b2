#!/usr/bin/env python3
"""run_tidy.py [--since REV] [FILE…]: clang-tidy over the program's sources, as many at once as there are cores.

--since REV leaves out sources that, with all of ours that they include, are as they were in REV.

A source that was clean is not checked again while it, everything of ours that it includes, its compile command and the
configuration stay the same; the marks are in the per-user cache ($TIDEPOOL_CACHE, else ~/.cache/tidepool). Called by
scripts/lint, which also configures the build.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "debug"
CACHE = pathlib.Path(
    os.environ.get("TIDEPOOL_CACHE")
    or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "tidepool"
) / "tidy"
MARKS_KEPT_DAYS = 30


def arguments_of(entry):
    """The compile command without the compiler (and ccache before it), output and input."""
    words = shlex.split(entry["command"])
    start = next(i for i, word in enumerate(words) if word.startswith("-"))
    kept, skip = [], False
    for word in words[start:]:
        if skip or word in ("-o", "-c"):
            skip = word == "-o"
        elif word != entry["file"]:
            kept.append(word)
    return kept


def own_files_of(entry):
    """The source and what it includes from this repository, by the preprocessor's own account."""
    command = ["clang++-14", "-MM", "-w", *arguments_of(entry), entry["file"]]
    answer = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True)
    if answer.returncode != 0:
        return None
    names = answer.stdout.replace("\\\n", " ").split()[1:]
    paths = {(pathlib.Path(entry["directory"]) / name).resolve() for name in names}
    return sorted(path.relative_to(ROOT) for path in paths if path.is_relative_to(ROOT))


def mark_of(entry, files):
    """The file that exists if exactly these contents were clean."""
    seal = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    seal.update(portable_arguments_of(entry))
    for path in files:
        seal.update(str(path).encode() + b"\0" + (ROOT / path).read_bytes())
    return CACHE / seal.hexdigest()


def portable_arguments_of(entry):
    return " ".join(arguments_of(entry)).replace(str(ROOT), "").encode()


def was_clean(entry):
    """By the files that it included last time: if none of them has changed, it includes no others now."""
    list_file = included_list_of(entry)
    if not list_file.exists():
        return False
    files = [pathlib.Path(name) for name in list_file.read_text().splitlines()]
    if not all((ROOT / path).exists() for path in files):
        return False
    mark = mark_of(entry, files)
    if not mark.exists():
        return False
    list_file.touch()
    mark.touch()
    return True


def included_list_of(entry):
    name = str(pathlib.Path(entry["file"]).relative_to(ROOT)).encode()
    return CACHE / ("includes-" + hashlib.sha256(name + b"\0" + portable_arguments_of(entry)).hexdigest())


def check(entry, changed):
    """(what came of it: "clean before", "not changed", "clean" or "findings"; clang-tidy's output)."""
    if was_clean(entry):
        return "clean before", ""
    files = own_files_of(entry)
    if files is not None:
        mark = mark_of(entry, files)
        included_list_of(entry).write_text("\n".join(map(str, files)))
        if mark.exists():
            return "clean before", ""
        if changed is not None and changed.isdisjoint(files):
            return "not changed", ""
    command = ["clang-tidy-14", "-p", str(BUILD), "--quiet", "--warnings-as-errors=*", entry["file"]]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if answer.returncode != 0:
        return "findings", answer.stdout or answer.stderr
    if files is not None:
        mark.touch()
    return "clean", ""


def changed_since(revision):
    """What differs from the revision, committed or not; None, which is everything, if that is the configuration."""
    def names(*command):
        answer = subprocess.run(["git", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        return {pathlib.Path(name) for name in answer.stdout.split("\0") if name}

    changed = names("diff", "-z", "--name-only", revision) | names("ls-files", "-z", "--others", "--exclude-standard")
    return None if pathlib.Path(".clang-tidy") in changed else changed


def forget_old_marks():
    limit = time.time() - MARKS_KEPT_DAYS * 86400
    for mark in CACHE.iterdir():
        if mark.stat().st_mtime < limit:
            mark.unlink(missing_ok=True)


def entries_of(names):
    """One entry a source of the program, or those of the named.

    Tests only when named: what GoogleTest's macros expand to breaks half of the rules.
    """
    database = json.loads((BUILD / "compile_commands.json").read_text())
    entries = {pathlib.Path(entry["file"]): entry for entry in database}
    entries = {path: entry for path, entry in entries.items() if not path.is_relative_to(ROOT / "build")}
    if not names:
        return [entry for path, entry in entries.items() if path.is_relative_to(ROOT / "src")]
    wanted = {pathlib.Path(name).resolve() for name in names}
    unknown = sorted(wanted - set(entries))
    if unknown:
        sys.exit("tidy: not a source of the debug build: " + ", ".join(map(str, unknown)))
    return [entry for path, entry in entries.items() if path in wanted]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--since", metavar="REV")
    parser.add_argument("files", nargs="*", metavar="FILE")
    options = parser.parse_args()
    entries = entries_of(options.files)
    changed = changed_since(options.since) if options.since else None
    CACHE.mkdir(parents=True, exist_ok=True)
    forget_old_marks()
    counts = dict.fromkeys(("clean", "clean before", "not changed", "findings"), 0)
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as workers:
        checks = workers.map(lambda entry: check(entry, changed), entries)
        for number, (entry, (result, output)) in enumerate(zip(entries, checks), 1):
            counts[result] += 1
            if result in ("clean", "findings"):
                print(f"[{number}/{len(entries)}] {pathlib.Path(entry['file']).relative_to(ROOT)}", flush=True)
            if output:
                print(output, flush=True)
    print(f"tidy: {len(entries)} sources: " + ", ".join(f"{count} {result}" for result, count in counts.items() if count))
    return 1 if counts["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
