#!/usr/bin/env python3
"""Prints src/sql/state/variable_table.inc from a running TiDB: make_variable_table.py PORT > src/sql/state/variable_table.inc

Asks information_schema.variables_info for the scopes, then tries every session variable on a session of its own: is it
read-only, does SET x = DEFAULT leave what a fresh session has, and is it a switch (1 is stored as ON, 0 as OFF).
What a session cannot set is left out.
"""
import subprocess
import sys

# Session state that repeating a literal does not bring back, and why.
PINNING = {
    "tidb_snapshot": "a time in the session's zone, checked against the garbage collector's safe point",
    "tx_read_ts": "one-shot", "tx_isolation_one_shot": "one-shot",
    "rand_seed1": "consumed by RAND()", "rand_seed2": "consumed by RAND()",
    "character_set_server": "changes collation_server", "collation_server": "changes character_set_server",
    "character_set_database": "changed by USE", "collation_database": "changed by USE",
    "tidb_slow_query_file": "a path on the server",
}
CHARSET = {"character_set_client", "character_set_connection", "character_set_results", "collation_connection"}
# SET is accepted and changes nothing: the value is that of the last statement (sysvar.go, LastInsertID and Identity).
NO_EFFECT = {"last_insert_id", "identity"}
# Accepted and ignored (removed.go).
REMOVED = {"tidb_enable_alter_placement", "tidb_mem_quota_hashjoin", "tidb_mem_quota_mergejoin", "tidb_mem_quota_sort",
           "tidb_mem_quota_topn", "tidb_mem_quota_indexlookupreader", "tidb_mem_quota_indexlookupjoin",
           "tidb_enable_global_temporary_table", "tidb_slow_log_masking", "placement_checks", "tidb_enable_streaming",
           "tidb_opt_broadcast_join", "tidb_enable_change_multi_schema"}
# src/sql/state/variable.cc resolves them.
ALIASES = {"tx_isolation", "tx_read_only", "tidb_session_plan_cache_size"}
# May only be ON while tidb_enable_noop_functions allows it, so the order of undoing would matter.
UNDO_BY_RESET = {"transaction_read_only", "tx_read_only", "tidb_enable_noop_functions", "sql_auto_is_null"}


def run(port, sql):
    command = ["mariadb", "-h127.0.0.1", f"-P{port}", "-uroot", "-N", "-f"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    return [line.split("\t") for line in done.stdout.splitlines()]


def is_default_fresh(port, name):
    rows = run(port, f"SELECT 'v', @@{name};\nSET {name} = DEFAULT;\nSELECT 'v', @@{name};\nSELECT 'e', @@error_count;\n")
    values = [row[1:] for row in rows if row[0] == "v"]
    return len(values) == 2 and values[0] == values[1]


def settable(port, name):
    rows = run(port, f"SET {name} = DEFAULT;\nSELECT @@error_count;\n")
    return rows == [["0"]]


def is_switch(port, name):
    ask = f"SHOW SESSION VARIABLES WHERE variable_name = '{name}';\n"
    rows = run(port, "".join(f"SET {name} = {value};\n{ask}" for value in ("1", "0", "'on'", "FALSE", "TRUE", "'off'")))
    return [row[1] for row in rows if len(row) == 2] == ["ON", "OFF", "ON", "OFF", "ON", "OFF"]


def describe(port, name, scope):
    if name in CHARSET:
        return "kCharset, kDefault, false"
    if name in PINNING:
        return "kPinning, kReset, false"
    if "INSTANCE" in scope:
        return "kServer, kReset, false"
    if name in NO_EFFECT or name in REMOVED:
        return "kNoState, kReset, false"
    if "SESSION" not in scope or not settable(port, name):
        return None
    by_default = name not in UNDO_BY_RESET and (name == "timestamp" or is_default_fresh(port, name))
    return f"kFollowed, {'kDefault' if by_default else 'kReset'}, {'true' if is_switch(port, name) else 'false'}"


def main():
    port = sys.argv[1]
    scopes = {row[0].lower(): row[1] for row in
              run(port, "SELECT variable_name, variable_scope FROM information_schema.variables_info;")}
    scopes.update({name: "" for name in REMOVED})
    print("// Made by tools/make_variable_table.py; do not edit. Sorted by name.")
    for name in sorted(set(scopes) - ALIASES):
        description = describe(port, name, scopes[name])
        if description:
            print(f'    {{"{name}", {description}}},')


if __name__ == "__main__":
    main()
