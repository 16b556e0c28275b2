"""The system variables of this TiDB and values for them."""
import re

# Values of these would end connections, stop or slow the server, read the past, show other times or how busy TiDB is; or they
# tell of the backend's last statement, whoever sent it (docs/known-differences.md); or they are those of the server (ssl_cert is a
# file's name).
UNSAFE = re.compile(
    r"^(tidb_snapshot|tidb_read_staleness|tx_read_ts|tidb_low_resolution_tso|tidb_memory_debug\w*|timestamp|"
    r"tidb_idle_transaction_timeout|max_allowed_packet|tidb_wait_split\w*|tidb_mem_quota\w*|tidb_ddl_\w+|"
    r"tidb_slow_txn\w*|tidb_external_ts|max_execution_time|innodb_lock_wait_timeout|lock_wait_timeout|"
    r"tidb_isolation_read_engines|tidb_enforce_mpp|tidb_redact_log|tidb_load_binding_timeout|tidb_replica_read|"
    r"tidb_opt_write_row_id|tidb_request_source_type|tidb_cdc_write_source|pseudo_\w+|gtid_next|insert_id|rand_seed\d|"
    r"tidb_current_ts|tidb_last\w+|last_plan\w+|server_\w+|hostname|port|ssl_\w+|tidb_config|tidb_enable_resource_control|"
    r"character_set\w*|collation\w*|autocommit|tidb_dml_type|tidb_txn_mode|tidb_slow_query_file|error_count|"
    r"tx_isolation_one_shot|datadir|last_insert_id|identity|tidb_batch_\w+|tidb_dml_batch_size|tidb_store_limit|"
    r"tidb_stats_load_\w+|tidb_stmt_summary\w*|tidb_evolve\w*|tidb_capture\w*|sql_auto_is_null|tidb_pessimistic_txn\w*|"
    r"tidb_constraint_check\w*|tidb_general_log|tidb_skip_isolation_level_check|warning_count|last_sql_use_alloc)$"
)
# The most that TiDB has memory for: a chunk of 2 billion rows ends it.
MOST = {"tidb_max_chunk_size": 100_000}
SMALL = 100  # a time limit below it may be felt


class Catalog:
    def __init__(self, rows):
        """Rows of information_schema.variables_info: name, scope, default, current, min, max, possible values, no-op."""
        self._all = [row for row in rows if "INSTANCE" not in row[1] and not UNSAFE.match(row[0])]
        self._session = [row for row in self._all if "SESSION" in row[1]]
        self._global = [row for row in self._all if "SESSION" not in row[1]]

    def assignment(self, rnd):
        """A name, and a value as written in SET."""
        if rnd.random() < 0.03 and self._global:
            return rnd.choice(self._global)[0], "1"  # fails
        if rnd.random() < 0.2:
            return rnd.choice(USUAL)
        row = rnd.choice(self._session)
        return row[0], rnd.choice(candidates(row))


def candidates(row):
    name, _, default, current, least, most, possible, _ = row
    most = MOST.get(name, most)
    values = ["DEFAULT", "''", "NULL", "'nonsense'"]
    if possible:
        words = [word.strip() for word in possible.split(",")]
        values += [f"'{word}'" for word in words] * 2
        if set(words) <= {"ON", "OFF"}:
            values += ["ON", "OFF", "on", "1", "0", "TRUE", "false", "2"] * 2
    elif least is not None:
        numbers = {int(least), int(most), int(float(default or current or 0)) + 1, SMALL + 1}
        if "timeout" in name or "time" in name:
            numbers = {number for number in numbers if number >= SMALL}
        values += [str(number) for number in numbers if abs(number) < 1 << 63] * 2
        values += ["'%s'" % (SMALL + 2), "1e3", "-1" if "time" not in name else "1000"]
    else:
        values += [f"'{current}'" if current is not None else "''"] * 3 + [f"'{default}'" if default else "''"]
    return values


USUAL = [
    (name, value)
    for name, values in {
        "sql_mode": ("''", "'ANSI_QUOTES'", "'STRICT_TRANS_TABLES'", "DEFAULT", "'ansi'", "'NO_BACKSLASH_ESCAPES'", "'x'"),
        "time_zone": ("'+01:00'", "'UTC'", "'SYSTEM'", "'Europe/Berlin'", "'nowhere'", "DEFAULT", "'-05:30'"),
        "transaction_isolation": ("'READ-COMMITTED'", "'REPEATABLE-READ'", "'SERIALIZABLE'", "DEFAULT"),
        "tx_isolation": ("'read-committed'", "'REPEATABLE-READ'", "'READ-UNCOMMITTED'"),
        "sql_select_limit": ("2", "DEFAULT", "18446744073709551615"),
        "max_execution_time": ("100000", "0", "'99999'"),
        "innodb_lock_wait_timeout": ("40", "DEFAULT"),
        "foreign_key_checks": ("0", "1", "OFF"),
        "unique_checks": ("0", "1"),
        "tidb_enable_noop_functions": ("ON", "OFF", "WARN"),
        "tidb_multi_statement_mode": ("ON", "OFF", "WARN"),
        "tidb_skip_isolation_level_check": ("1", "0"),
        "tidb_constraint_check_in_place": ("1", "0"),
        "tidb_txn_mode": ("'optimistic'", "'pessimistic'", "DEFAULT"),
        "auto_increment_increment": ("3", "1", "DEFAULT"),
        "auto_increment_offset": ("2", "1"),
        "group_concat_max_len": ("4", "1024"),
        "div_precision_increment": ("4", "8"),
        "default_week_format": ("3", "0"),
        "sql_safe_updates": ("0", "1"),
        "windowing_use_high_precision": ("0", "1"),
        "block_encryption_mode": ("'aes-256-cbc'", "'aes-128-ecb'"),
        "tidb_session_alias": ("'me'", "''"),
        "default_collation_for_utf8mb4": ("utf8mb4_0900_ai_ci", "utf8mb4_bin", "utf8mb4_general_ci"),
    }.items()
    for value in values
]  # fmt: skip
