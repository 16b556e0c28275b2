#!/usr/bin/env python3
"""Fails if a layer includes one that it may not know, or a third-party header that belongs to another layer, or reads SQL
text outside the layer sql."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What each layer may include besides itself. Upwards only: a cycle cannot be written down here unnoticed.
ALLOWED = {
    "base": set(),
    "net": {"base"},
    "protocol": {"base"},
    "sql": {"base"},
    "tracking": {"base", "protocol", "sql"},
    "backend": {"base", "net", "protocol", "sql"},
    "pool": {"base", "net", "sql", "tracking", "backend"},
    "session": {"base", "net", "protocol", "sql", "tracking", "backend", "pool"},
    "config": {"base", "net", "protocol", "backend", "pool", "session"},
    "metrics": {"base", "sql", "tracking", "pool", "session"},
    "admin": {"base", "net", "metrics"},
    "proxy": {"base", "net", "protocol", "sql", "tracking", "backend", "pool", "session", "config", "metrics", "admin"},
    "main": {"base", "config", "net", "proxy"},
}

# What a folder of a layer may include of the same layer besides itself.
ROOMS = {"sql": {"state": set(), "parse": {"state"}, "restore": {"state", "parse"}}}

# Third-party headers and the only layers that may name them.
OWNERS = {
    r"uv\.h": {"net"},
    r"(mysql|ma_\w+|mysqld_error|errmsg)\.h": {"backend"},
    r"openssl/.*": {"base", "net", "protocol", "backend"},
    r"yaml-cpp/.*": {"config"},
    r"uriparser/.*": {"config"},
    r"prometheus/.*": {"metrics"},
    r"boost/.*": {"admin"},
    r"spdlog/.*": {"base"},
    r"xxhash\.h": {"sql"},
    r"zlib\.h": {"protocol", "admin"},
    r"zstd\.h": {"protocol"},
    r"CLI/.*": {"main"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]')
PURE = {"protocol", "sql", "tracking"}
IMPURE = re.compile(r"\b(uv_\w+|steady_clock::now|system_clock::now|Clock::now|log::\w+\()")
# What reads SQL text: the lexer, or a word of it compared. Other layers ask a sql::Statement, which was read in the
# session's own mode.
SQL_WORDS = "SELECT|INSERT|REPLACE|UPDATE|DELETE|LOAD|SET|BEGIN|START|COMMIT|ROLLBACK|SHOW|EXPLAIN|DESC|PREPARE|EXECUTE|FOR"
READS_SQL = re.compile(
    r"\b(Lexer|TokenKind|sql::Token|is_keyword)\b|\bparse/lexer\.h"
    rf"|([=!]=|\b(starts_with|find|contains|equals?|iequals|\w*_word)\()\s*([\w.]+, )?\"({SQL_WORDS})\b"
)


def layer_of(path):
    parts = path.relative_to(ROOT).parts
    if parts[0] == "include":
        return parts[2]
    return "main" if len(parts) == 2 else parts[1]


def room_problems(layer, path, header):
    """Of an include within a layer that has folders."""
    if layer not in ROOMS:
        return
    rooms = ROOMS[layer]
    parts = path.relative_to(ROOT).parts
    here = parts[3] if parts[0] == "include" else parts[2]
    within = header.removeprefix(f"tidepool/{layer}/")
    there = within.split("/")[0]
    if header.startswith("tidepool/") and within == header or there not in rooms or here not in rooms:
        return
    if there != here and there not in rooms[here]:
        yield f"folder '{layer}/{here}' may not include '{header}'"


def problems_in(path):
    layer = layer_of(path)
    if layer not in ALLOWED:
        yield 0, f"layer '{layer}' is not in the table of tools/check_layers.py"
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if layer in PURE and IMPURE.search(line.split("//")[0]):
            yield number, f"layer '{layer}' is pure: no clock, loop or log"
        if layer != "sql" and READS_SQL.search(line.split("//")[0]):
            yield number, f"layer '{layer}' reads SQL text: layer 'sql' does, and a sql::Statement tells"
        match = INCLUDE.match(line)
        if not match:
            continue
        header = match.group(1)
        if header.startswith("tidepool/"):
            other = header.split("/")[1]
            if other != layer and other not in ALLOWED[layer]:
                yield number, f"layer '{layer}' may not include '{header}'"
        for problem in room_problems(layer, path, header):
            yield number, problem
        for pattern, owners in OWNERS.items():
            if re.fullmatch(pattern, header) and layer not in owners:
                yield number, f"'{header}' belongs to {', '.join(sorted(owners))}, not to '{layer}'"


def main():
    files = [p for top in ("src", "include") for p in sorted((ROOT / top).rglob("*")) if p.suffix in (".h", ".cc")]
    found = [f"{p.relative_to(ROOT)}:{n}: {text}" for p in files for n, text in problems_in(p)]
    print("\n".join(found) if found else f"layers: {len(files)} files keep to the table")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
