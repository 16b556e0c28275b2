"""Statements that are prepared in one context and executed in another: everything that a plan may depend on.

A statement is not executed again in a third context: in a direct connection it keeps the plan and the columns of its first execute, which
is one of the differences of docs/known-differences.md. Nor is one that warns when its plan is made executed twice, or by its name.
"""
from . import kind
from ..model import query, quoted
from ..steps import Act

MODES = (
    "", "ANSI_QUOTES", "PIPES_AS_CONCAT", "NO_BACKSLASH_ESCAPES", "ANSI", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "HIGH_NOT_PRECEDENCE", "IGNORE_SPACE",
    "NO_UNSIGNED_SUBTRACTION", "ONLY_FULL_GROUP_BY", "STRICT_TRANS_TABLES", "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO", "NO_ZERO_DATE,STRICT_TRANS_TABLES",
    "NO_ZERO_IN_DATE", "ALLOW_INVALID_DATES", "TIME_TRUNCATE_FRACTIONAL", "NO_AUTO_VALUE_ON_ZERO", "PAD_CHAR_TO_FULL_LENGTH", "REAL_AS_FLOAT", "TRADITIONAL",
)  # fmt: skip
CONTEXTS = (
    *(f"SET sql_mode = '{mode}'" for mode in MODES), "SET sql_mode = DEFAULT",
    "SET NAMES utf8mb4", "SET NAMES utf8mb4 COLLATE utf8mb4_bin", "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci", "SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci",
    "SET NAMES latin1", "SET NAMES gbk", "SET NAMES binary", "SET character_set_results = NULL", "SET character_set_results = latin1",
    "SET character_set_connection = latin1", "SET collation_connection = utf8mb4_unicode_ci", "SET character_set_client = gbk",
    "SET default_collation_for_utf8mb4 = utf8mb4_general_ci", "SET default_collation_for_utf8mb4 = utf8mb4_bin",
    "SET time_zone = '+05:00'", "SET time_zone = '-03:30'", "SET time_zone = 'UTC'", "SET time_zone = 'Europe/Berlin'", "SET time_zone = DEFAULT",
    "SET div_precision_increment = 0", "SET div_precision_increment = 9", "SET div_precision_increment = DEFAULT", "SET sql_select_limit = 1",
    "SET sql_select_limit = DEFAULT", "SET group_concat_max_len = 4", "SET group_concat_max_len = DEFAULT", "SET default_week_format = 3", "SET default_week_format = 0",
    "SET block_encryption_mode = 'aes-256-cbc'", "SET block_encryption_mode = 'aes-128-ecb'", "SET lc_time_names = 'de_DE'", "SET lc_time_names = 'en_US'",
    "SET windowing_use_high_precision = OFF", "SET windowing_use_high_precision = ON", "SET sql_safe_updates = ON", "SET sql_safe_updates = OFF",
    "SET timestamp = 1000000", "SET timestamp = DEFAULT", "SET tidb_enable_noop_functions = ON", "SET tidb_enable_noop_functions = OFF",
    "SET transaction_isolation = 'READ-COMMITTED'", "SET transaction_isolation = 'REPEATABLE-READ'", "SET @p = 5", "SET @p = 'text'", "SET @p = NULL",
    "USE {db}", "USE {other}", "SET auto_increment_increment = 3, auto_increment_offset = 2", "SET auto_increment_increment = 1, auto_increment_offset = 1",
    "SET tidb_enable_prepared_plan_cache = OFF", "SET tidb_enable_prepared_plan_cache = ON", "SET cte_max_recursion_depth = 3", "SET cte_max_recursion_depth = 1000",
    "SET foreign_key_checks = OFF", "SET max_execution_time = 90000", "SET tidb_opt_agg_push_down = ON", "SET tidb_enable_null_aware_anti_join = OFF",
    "SET tidb_read_consistency = 'weak'", "SET tidb_read_consistency = 'strict'", "SET tidb_isolation_read_engines = 'tikv,tidb'", "SET tidb_opt_fix_control = '44262:ON'",
)  # fmt: skip
# Text, and its parameters. {f} is a table that nobody writes.
PLAIN = (
    ('SELECT "s", ? FROM {f} WHERE id = ?', "II"), ('SELECT id FROM {f} WHERE s = "a" AND id < ?', "I"),
    ("SELECT id || '1', ? FROM {f} WHERE id = ?", "II"), ("SELECT id || 0 FROM {f} WHERE id > ? ORDER BY id", "I"), ("SELECT '\\\\a', LENGTH('\\\\'), ? FROM {f} WHERE id = ?", "II"),
    ("SELECT NOT 1 BETWEEN -5 AND 5, ? FROM {f} WHERE id = ?", "II"), ("SELECT COUNT(*), MAX(id) FROM {f} WHERE id >= ?", "I"),
    ("SELECT COUNT (*) FROM {f} WHERE id >= ?", "I"), ("SELECT s, COUNT(*) FROM {f} WHERE id > ? GROUP BY s ORDER BY s", "I"),
    ("SELECT 'a' = 'A', ? FROM {f} WHERE id = ?", "II"), ("SELECT COLLATION('x'), CHARSET('x'), COLLATION(CONCAT('x', ?))", "S"), ("SELECT 'ä', HEX('ä'), ?", "I"),
    ("SELECT ? LIKE 'A', ? = 'a'", "SS"), ("SELECT id FROM {f} WHERE s = ? ORDER BY id", "S"),
    ("SELECT _utf8mb4'a' = 'A', CONVERT('a' USING utf8mb4) = 'A', ?", "I"), ("SELECT l, CONCAT(l, 'x'), CAST(? AS CHAR) FROM {f} WHERE id = 2", "I"),
    ("SELECT UNIX_TIMESTAMP('2020-07-01 00:00:00'), ?", "I"), ("SELECT FROM_UNIXTIME(?), CAST(FROM_UNIXTIME(86400) AS CHAR)", "I"), ("SELECT UNIX_TIMESTAMP(t), ? FROM {f} WHERE id = 1", "I"),
    ("SELECT CONVERT_TZ('2020-01-01 10:00:00', @@time_zone, '+00:00'), ?", "I"), ("SELECT d / 7, ? / 3, 1 / 3 FROM {f} WHERE id = 1", "I"), ("SELECT AVG(d), AVG(id) FROM {f} WHERE id < ?", "I"),
    ("SELECT id FROM {f} WHERE id >= ? ORDER BY id", "I"), ("SELECT GROUP_CONCAT(id ORDER BY id), ? FROM {f}", "I"), ("SELECT WEEK('2020-01-05'), WEEK(t), ? FROM {f} WHERE id = 1", "I"),
    ("SELECT HEX(AES_ENCRYPT('a', 'k', '1234567890123456')), ?", "I"), ("SELECT DATE_FORMAT('2020-03-05', '%M %W'), ?", "I"), ("SELECT SUM(f) OVER (ORDER BY id), ? FROM {f} ORDER BY id", "I"),
    ("SELECT @p, ? FROM {f} WHERE id = 1", "I"), ("SELECT COUNT(*), ? FROM fixed", "I"), ("SELECT DATABASE(), ?", "I"), ("SELECT @@sql_mode, @@time_zone, @@div_precision_increment, ?", "I"),
    ("UPDATE {t} SET v = v + 1 WHERE id = ?", "I"), ("INSERT INTO {t}(v) VALUES (?)", "I"), ("INSERT INTO {t}(id, v) VALUES (0, ?)", "I"), ("DELETE FROM {t} WHERE id > ?", "I"),
    ("UPDATE {t} SET v = ?", "I"), ("INSERT INTO {t}(s) VALUES ('ä'), (?)", "S"), ("SELECT CAST(1 AS UNSIGNED) - ?", "I"),
    ("WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT MAX(n), ? FROM c", "I"), ("SELECT TIME('01:02:03.6789'), CAST(? AS TIME)", "S"),
    ("SELECT id FROM {f} WHERE t > '2020-01-02 00:00:00' AND id = ?", "I"), ("SELECT NOW(), ?", "C"), ("SELECT ?, ? + 0.5", "SI"),
    ("SELECT id FROM {f} WHERE y = ? LOCK IN SHARE MODE", "I"), ("SELECT SQL_CALC_FOUND_ROWS id FROM {f} WHERE id < ? ORDER BY id", "I"),
)  # fmt: skip
WARNING = (
    ("SELECT 1 / 0, ?", "I"), ("SELECT id || 'a', ? FROM {f} WHERE id = ?", "II"), ("SELECT id FROM {f} WHERE id > '1x' AND id < ? ORDER BY id", "I"), ("SELECT CAST('x' AS SIGNED), ?", "I"), ("SELECT id / 0, ? FROM {f} WHERE id = 1", "I"),
    ("UPDATE {t} SET v = 1 / 0 WHERE id = ?", "I"), ("INSERT INTO {t}(v) VALUES ('1x'), (?)", "I"), ("SELECT DATE('0000-00-00'), CAST('2020-02-31' AS DATE), ?", "I"),
    ("INSERT INTO {t}(s) VALUES (REPEAT('x', 300)), (?)", "S"), ("SELECT s + ? FROM {f} WHERE id < 3 ORDER BY id", "I"), ("SELECT /*+ nonsense */ ?", "I"), ("SELECT 'a' + 0, ?", "I"),
    ("SELECT id FROM {f} WHERE d > 1 / ? ORDER BY id", "I"), ("SELECT id FROM {f} WHERE 'A' = ? ORDER BY id", "S"), ("INSERT INTO {t}(s) VALUES (\"x\" || ?)", "S"), ("SELECT CAST(? AS SIGNED), CAST('9x' AS SIGNED)", "S"), ("SELECT id FROM {f} WHERE y = 0 OR 1 / 0 OR id = ?", "I"), ("SELECT 5 DIV 0, MOD(?, 0)", "I"), ("SELECT LAST_INSERT_ID(), ?", "I"),
)  # fmt: skip
VALUES = {"I": (1, 2, 3, 7), "S": ("a", "A", "ä", "2020"), "A": ("a", "A", "2020"), "C": (1,)}
HANDLES = ("c0", "c1", "c2")  # which no other kind executes


def filled(model, text):
    return text.replace("{f}", "{db}.fixed").replace("{t}", model.table)


def context(rnd, most=3):
    for text in rnd.sample(CONTEXTS, rnd.randint(1, most)):
        yield query(text)


def values(rnd, what):
    return tuple(rnd.choice(VALUES[one]) for one in what)


def favourites(model, texts):
    """A few of them: sessions of one program are to meet in the same text."""
    start = model.sessions * 7 % len(texts)
    return [texts[(start + step) % len(texts)] for step in range(6)]


@kind("context", 1.5)
def alone(rnd, model):
    yield from context(rnd, 2)


@kind("context of a prepare", 3)
def prepared(rnd, model):
    warns = rnd.random() < 0.3
    texts = WARNING if warns else PLAIN
    text, what = rnd.choice(favourites(model, texts) if rnd.random() < 0.6 else texts)
    if model.is_strange and not text.isascii():
        return  # it cannot be prepared again in the character set of that login: docs/known-differences.md
    if "NOW()" in text:
        yield query("SET timestamp = 5000000")
    handle = rnd.choice(HANDLES)
    if rnd.random() < 0.7:
        yield from context(rnd)
    yield Act(("prepare", handle, filled(model, text)))
    if rnd.random() < 0.2:
        yield query("SHOW WARNINGS")
    if rnd.random() < 0.7 and "NOW()" not in text:
        yield from context(rnd)
    for _ in range(1 if warns else rnd.randint(1, 3)):
        yield Act(("execute", handle, values(rnd, what), True))
        if rnd.random() < 0.5:
            yield query("SHOW WARNINGS")
    if rnd.random() < 0.7:
        yield Act(("close_statement", handle))


@kind("context of a PREPARE", 1.5)
def named(rnd, model):
    """In ASCII, since other texts pin where the character set is not known to pass them unchanged."""
    text, what = rnd.choice(favourites(model, PLAIN) if rnd.random() < 0.6 else PLAIN)
    if "NOW()" in text or not text.isascii():
        return
    name = rnd.choice(HANDLES)
    yield from context(rnd)
    yield query(f"PREPARE {name} FROM {quoted(filled(model, text))}")
    if rnd.random() < 0.7:
        yield from context(rnd)
    names = [f"@i{index}" for index in range(len(what))]
    yield query("SET " + ", ".join(f"{one} = {value!r}" for one, value in zip(names, values(rnd, what.replace("S", "A")))))
    for _ in range(rnd.randint(1, 2)):
        yield query(f"EXECUTE {name} USING {', '.join(names)}")
    if rnd.random() < 0.5:
        yield query(f"DEALLOCATE PREPARE {name}")
