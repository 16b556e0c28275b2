"""What the sessions of the comparison do: fixed programs for every kind of state, and random ones over several sessions."""
import random

import raw_protocol as raw
from same_bytes import LONG


def queries(*texts):
    return [("query", text) for text in texts]


PING = ("command", raw.PING)
LOAD = "LOAD DATA LOCAL INFILE 'x' INTO TABLE {table} (v, s)"


def load(file, table="t0"):
    return ("query", LOAD.format(table=table), file)


DATABASES = [
    *queries("SELECT DATABASE()", "USE {other}", "SELECT DATABASE()", "USE nodb", "SHOW WARNINGS", "USE {db}"),
    ("command", raw.INIT_DB, "{other}"), ("query", "SELECT DATABASE()"), ("command", raw.INIT_DB, "nodb"),
    *queries("SHOW WARNINGS", "SELECT DATABASE()"), ("reset",), ("query", "SELECT DATABASE()"),
]  # fmt: skip

PINGS = [
    step
    for text in (
        "INSERT INTO t0(v) VALUES (5), (6)", "UPDATE t0 SET v = v + 1", "SELECT * FROM t0 LIMIT 1",
        "INSERT IGNORE INTO t0(id) VALUES (1)", "BEGIN", "INSERT INTO t0(v) VALUES (1)", "COMMIT", "SET autocommit=0",
        "SELECT nonsense", "SET autocommit=1", "INSERT INTO t0(id) VALUES (1)", "SELECT LAST_INSERT_ID(5)", "",
        "-- comment", "/* comment */", ";", "SHOW TABLES", "SET NAMES utf8mb4", "USE {db}",
    )
    for step in (("query", text), PING, ("query", "SELECT ROW_COUNT()"), ("query", text), ("query", "SHOW WARNINGS"))
]  # fmt: skip

VARIABLES = queries(
    "SET NAMES utf8mb4", "SELECT @@character_set_client, @@collation_connection", "SET NAMES latin1",
    "SELECT @@character_set_client, @@collation_connection", "SET CHARACTER SET utf8mb4", "SET NAMES nonsense",
    "SELECT @@sql_mode", "SET sql_mode='ANSI_QUOTES'", 'SELECT "a"', "SET sql_mode=DEFAULT", 'SELECT "a"',
    "SET time_zone='+03:00'", "SELECT @@time_zone", "SET time_zone='x'", "SHOW ERRORS", "SELECT @@time_zone",
    "SET @@session.wait_timeout=77", "SELECT @@wait_timeout", "SET a=1", "SET wait_timeout=88, sql_mode='', time_zone='y'",
    "SELECT @@wait_timeout, @@time_zone, @@sql_mode", "SET autocommit=0", "SELECT @@autocommit", "SET autocommit=2",
)  # fmt: skip

TRANSACTIONS = queries(
    "BEGIN", "INSERT INTO t0(v) VALUES (1)", "SELECT COUNT(*) FROM t0", "ROLLBACK", "SELECT COUNT(*) FROM t0", "COMMIT",
    "BEGIN", "INSERT INTO t0(id) VALUES (1)", "SHOW WARNINGS", "SELECT 1", "SAVEPOINT a", "INSERT INTO t0(v) VALUES (3)",
    "ROLLBACK TO a", "RELEASE SAVEPOINT a", "SAVEPOINT b", "COMMIT", "ROLLBACK TO b", "BEGIN", "CREATE TABLE extra(a INT)",
    "SELECT 1", "BEGIN", "CREATE TABLE extra(a INT)", "SELECT 1", "DROP TABLE extra", "SET autocommit=0",
    "SELECT COUNT(*) FROM t0", "INSERT INTO t0(v) VALUES (9)", "COMMIT", "INSERT INTO t0(v) VALUES (9)", "ROLLBACK",
    "SET autocommit=1", "SELECT COUNT(*) FROM t0", "START TRANSACTION READ ONLY", "START TRANSACTION", "SELECT 1", "COMMIT",
)  # fmt: skip

FACTS = queries(
    "INSERT INTO t0(v) VALUES (5), (6)", "SELECT LAST_INSERT_ID()", "SELECT ROW_COUNT()", "UPDATE t0 SET v = v + 1",
    "SELECT ROW_COUNT()", "SELECT FOUND_ROWS()", "SELECT * FROM t0 LIMIT 2", "SELECT FOUND_ROWS()", "SELECT ROW_COUNT()",
    "UPDATE t0 SET v = v + 1", "SELECT FOUND_ROWS()", "SHOW TABLES", "SELECT FOUND_ROWS()", "SELECT 1 FROM t0 WHERE 0",
    "SELECT FOUND_ROWS()", "INSERT IGNORE INTO t0(id) VALUES (1)", "SHOW WARNINGS", "SELECT ROW_COUNT()",
    "SELECT nonsense", "SHOW WARNINGS", "SHOW ERRORS", "SHOW COUNT(*) WARNINGS", "SHOW COUNT(*) ERRORS", "SHOW WARNINGS",
    "INSERT INTO t0(id) VALUES (1)", "SELECT ROW_COUNT()", "SELECT LAST_INSERT_ID()", "SELECT LAST_INSERT_ID(5)",
    "SELECT LAST_INSERT_ID()", "INSERT INTO t0(id, v) VALUES (500, 1)", "SELECT LAST_INSERT_ID()", "DO 1",
    "SELECT ROW_COUNT()", "CREATE TABLE IF NOT EXISTS t0(a INT)", "SHOW WARNINGS", "SHOW ERRORS", "select row_count()",
    "SELECT 1/0", "SHOW WARNINGS", "UPDATE t0 SET v=LAST_INSERT_ID(9) WHERE id=1", "SELECT LAST_INSERT_ID()",
    "EXPLAIN SELECT 1", "SELECT ROW_COUNT()", "SELECT FOUND_ROWS()", "SELECT 1/0", "SELECT 'a text that makes the message wide' FROM", "SELECT FROM",
    "SHOW WARNINGS", "SELECT 'a text that makes the message wide' FROM", "SELECT FROM", "SHOW ERRORS",
    "SELECT 1/0 AS a_name_that_makes_it_wide", "SELECT FROM", "SHOW ERRORS",
)  # fmt: skip

FACTS_WITHIN = [
    *queries(
        "INSERT INTO t0(v) VALUES (5), (6)", "SELECT ROW_COUNT(), 1", "UPDATE t0 SET v = v + 1",
        "SELECT ROW_COUNT() /* c */, /* d */ 1+ROW_COUNT() -- hi", "SELECT * FROM t0 LIMIT 2", "SELECT 2, FOUND_ROWS()",
        "SELECT * FROM t0 LIMIT 3", "select (Found_rows( )), `FOUND_ROWS`() + 1 f", "DELETE FROM t0 WHERE id = 3",
        "SELECT ROW_COUNT()   FROM DUAL", "DELETE FROM t0 WHERE id = 3", "SELECT CONCAT(ROW_COUNT(), 'x'), FOUND_ROWS() FROM t0",
        "SHOW TABLES", "SELECT (SELECT FOUND_ROWS() ), -FOUND_ROWS() UNION SELECT 1, ROW_COUNT() ORDER BY 1",
        "INSERT IGNORE INTO t0(id) VALUES (1), (2)", "SELECT @@warning_count, @@error_count", "SELECT @@warning_count",
        "INSERT IGNORE INTO t0(id) VALUES (1)", "SELECT @@session.warning_count w, @@error_count + 1 > 1, ROW_COUNT()",
        "SELECT nonsense", "SELECT @@warning_count, @@error_count, ROW_COUNT()", "SELEC 1", "SELECT @@error_count, @@warning_count",
        "SELECT 1/0", "SHOW WARNINGS", "SELECT @@warning_count, FOUND_ROWS()", "SELECT nonsense", "SHOW COUNT(*) ERRORS",
        "SELECT @@error_count", "SELECT LAST_INSERT_ID(), 1", "SELECT LAST_INSERT_ID() + 1 FROM t0 LIMIT 1",
        "SELECT @@last_insert_id, @@identity i", "INSERT INTO t0(v) VALUES (LAST_INSERT_ID())", "SELECT * FROM t0",
        "INSERT INTO t0(v) VALUES (FOUND_ROWS()), (ROW_COUNT())", "SELECT v FROM t0", "UPDATE t0 SET v = ROW_COUNT()",
        "SELECT ROW_COUNT() FROM t0 WHERE v = ROW_COUNT()", "SELECT v FROM t0", "SELECT * FROM (SELECT FOUND_ROWS() /* z */, 1) q",
        "UPDATE t0 SET v = 2", "SELECT CASE ROW_COUNT() WHEN 0 THEN 'none' ELSE 'some' END, NOW() > NOW() - INTERVAL ROW_COUNT() DAY",
        "UPDATE t0 SET v = 3", "EXPLAIN SELECT ROW_COUNT()", "UPDATE t0 SET v = 4", "SELECT ROW_COUNT() FROM", "SHOW WARNINGS",
        "UPDATE t0 SET v = 5", "SELECT ROW_COUNT() > nonsense", "SHOW WARNINGS", "SELECT * FROM t0", "DO FOUND_ROWS()",
        "SELECT /*!40101 ROW_COUNT() */, /*! 1 + ROW_COUNT( ) */ ", "UPDATE t0 SET v = 6", "SET @a = ROW_COUNT()", "SELECT @a",
        "SELECT CONNECTION_ID() = CONNECTION_ID(), CONNECTION_ID() > 0 c", "SELECT COUNT(*) FROM information_schema.processlist "
        "WHERE id = CONNECTION_ID()",
    ),
    ("reset",), ("prepare", "a", "SELECT ROW_COUNT(), FOUND_ROWS(), @@warning_count, LAST_INSERT_ID(), ?"),
    ("query", "INSERT INTO t0(v) VALUES (5), (6)"), ("execute", "a", (1,)), ("query", "SELECT * FROM t0"), ("execute", "a", (1,)),
    ("query", "SELECT nonsense"), ("execute", "a", (2,), False), ("execute", "a", (2,), False),
    ("prepare", "b", "SELECT CONNECTION_ID() > 0"), ("execute", "b"), ("prepare", "c", "SELECT CONNECTION_ID() FROM"),
]  # fmt: skip

# A session that never inserted, on a backend where others did.
NEVER_INSERTED = queries(
    "SELECT LAST_INSERT_ID()", "SELECT LAST_INSERT_ID(), @@identity", "SELECT 1", "SELECT @@last_insert_id", "BEGIN",
    "SELECT LAST_INSERT_ID()", "INSERT INTO t0(id, v) VALUES (700, 1)", "SELECT LAST_INSERT_ID(), @@last_insert_id", "COMMIT",
    "SELECT LAST_INSERT_ID()", "SET autocommit=0", "INSERT INTO t0(id, v) VALUES (701, 1)", "SELECT LAST_INSERT_ID()", "ROLLBACK",
    "SELECT 1; SELECT LAST_INSERT_ID()", "SET @a = LAST_INSERT_ID()", "SELECT @a", "SELECT LAST_INSERT_ID()", "BEGIN",
    "INSERT INTO t0(v) VALUES (1)", "SELECT LAST_INSERT_ID() > 0", "SELECT 1", "SELECT LAST_INSERT_ID()", "COMMIT",
    "SELECT LAST_INSERT_ID()",
)  # fmt: skip

PREPARED = [
    ("prepare", "a", "SELECT v, s FROM t0 WHERE id = ?"), ("execute", "a", (2,)), ("execute", "a", (1,), False),
    ("reset_statement", "a"), ("prepare", "b", "INSERT INTO t0(v, s) VALUES (?, ?)"), ("execute", "b", (1, "zz")),
    ("query", "SELECT LAST_INSERT_ID()"), ("prepare", "c", "SELECT nonsense"), ("query", "SHOW WARNINGS"),
    ("prepare", "c", "SELECT"), ("execute", "none"), ("fetch", "none", 1), ("reset_statement", "none"),
    ("close_statement", "a"), ("execute", "a", (1,)), ("prepare", "d", "BEGIN"), ("execute", "d"),
    ("execute", "b", (1, "in it")), ("prepare", "e", "COMMIT"), ("execute", "e"), ("prepare", "h", "USE {other}"),
    ("execute", "h"), ("query", "SELECT DATABASE()"), ("execute", "b", (1, "zz")), ("prepare", "i", "SELECT * FROM t0"),
    ("query", "USE {db}"), ("prepare", "j", "SET time_zone='+01:00'"), ("execute", "j"), ("query", "SELECT @@time_zone"),
    ("prepare", "l", "SELECT 1; SELECT 2"), ("prepare", "n", ""), ("execute", "n"), ("execute", "b", (1,)),
    ("query", "SELECT 1"), ("prepare", "o", "SELECT LENGTH(?)"), ("execute", "o", ("abc",), False),
    ("execute", "o", ("abc",)), ("execute", "o", ("abcd",), False),
]  # fmt: skip

CURSORS = [
    ("prepare", "a", "SELECT id FROM t0 ORDER BY id"), ("prepare", "b", "SELECT id FROM t0 ORDER BY id"),
    ("execute", "a", (), True, 1), ("fetch", "a", 1), ("execute", "b"), ("execute", "b", (), True, 1), ("fetch", "a", 1),
    ("fetch", "b", 1), ("query", "SELECT 1"), ("close_statement", "b"), ("fetch", "a", 1000), ("fetch", "a", 1),
    ("query", "SELECT 1"), ("execute", "a", (), True, 1), ("reset_statement", "a"), ("fetch", "a", 1), ("execute", "a"),
    ("execute", "a", (), True, 1), *queries("INSERT INTO t0(v) VALUES (3)", "INSERT IGNORE INTO t0(id) VALUES (1)"),
    ("close_statement", "a"), *queries("SHOW WARNINGS", "SELECT LAST_INSERT_ID()"),
]  # fmt: skip

LONG_DATA = [
    ("prepare", "a", "SELECT LENGTH(?), ?"), ("prepare", "b", "SELECT LENGTH(?), ?"), ("long_data", "a", 0, b"abc"),
    ("long_data", "a", 0, b"def"), ("execute", "b", ("xy", "z")), ("execute", "a", (LONG, "q")), ("execute", "a", ("x", "q")),
    ("long_data", "a", 0, b"abc"), ("reset_statement", "a"), ("execute", "a", ("x", "q")), ("long_data", "a", 0, b"abc"),
    ("close_statement", "a"), ("execute", "b", ("xyz", "z")),
]  # fmt: skip

ELSEWHERE = [  # prepared in another state than it is executed in, also inside a transaction
    ("prepare", "a", "SELECT 1"), ("query", "USE {db}"), ("prepare", "b", "SELECT COUNT(*) FROM t0"),
    *queries("USE {other}", "SET sql_mode='ANSI_QUOTES'"), ("execute", "b"), *queries("USE {db}", "BEGIN"),
    ("query", "INSERT INTO t0(v) VALUES (31)"), ("execute", "a"), ("execute", "b"), ("query", "USE {other}"), ("execute", "b"),
    *queries("SELECT DATABASE()", "COMMIT"), ("execute", "b"), ("query", "SELECT DATABASE()"),
]  # fmt: skip



def once(text, values=(), handle="x"):
    """As a driver does that prepares, executes and closes every time."""
    return [("prepare", handle, text), ("execute", handle, values), ("close_statement", handle)]


AGAIN = [  # answered from memory, in all states that show in the answer
    *(step for _ in range(3) for step in once("SELECT v, s, id + ? FROM t0 WHERE id = ?", (1, 2))),
    *once("INSERT INTO t0(v, s) VALUES (?, ?)", (1, "z")), *once("INSERT INTO t0(v, s) VALUES (?, ?)", (2, "y")),
    *queries("SELECT LAST_INSERT_ID()", "UPDATE t0 SET v = v + 1"), ("prepare", "y", "SELECT v, s, id + ? FROM t0 WHERE id = ?"),
    PING, *queries("SELECT ROW_COUNT()", "SELECT FOUND_ROWS()"), ("execute", "y", (3, 4)), ("query", "SELECT nonsense"),
    *once("SELECT v FROM t0 WHERE id = 1"), ("query", "SHOW WARNINGS"), ("query", "SELECT nonsense"),
    ("prepare", "y", "SELECT v FROM t0 WHERE id = 1"), *queries("SHOW WARNINGS", "SHOW ERRORS", "SELECT @@warning_count"),
    *(step for _ in range(2) for step in (("prepare", "n", "BEGIN"), PING, ("query", "SHOW WARNINGS"))),
    *(step for text in ("SELECT COUNT(*) FROM mysql.user", "SELECT * FROM t0 ORDER BY id LIMIT ?", "SELECT s FROM t0 FOR UPDATE")
      for _ in range(2) for step in (("prepare", "w", text), PING, *queries("SHOW WARNINGS", "SHOW WARNINGS"))),
    *queries("UPDATE t0 SET v = v + 1", "BEGIN", "UPDATE t0 SET v = v + 1"), ("prepare", "t", "SELECT v FROM t0 WHERE id = 1"), PING,
    ("query", "SELECT ROW_COUNT()"), ("execute", "t"), ("query", "SELECT nonsense"), ("prepare", "t", "SELECT v FROM t0 WHERE id = 1"),
    *queries("SHOW WARNINGS", "INSERT INTO t0(v) VALUES (8)"), *once("SELECT COUNT(*) FROM t0"), *once("SELECT COUNT(*) FROM t0"),
    ("query", "ROLLBACK"), *once("SELECT COUNT(*) FROM t0"), *queries("SET autocommit=0"), *once("SELECT COUNT(*) FROM t0"),
    *once("SELECT COUNT(*) FROM t0"), *queries("COMMIT", "SET autocommit=1", "SET sql_mode='NO_BACKSLASH_ESCAPES'"),
    *once("SELECT COUNT(*) FROM t0"), *once("SELECT COUNT(*) FROM t0"), *queries("SET sql_mode=DEFAULT", "SET NAMES latin1"),
    *once("SELECT s FROM t0"), *once("SELECT s FROM t0"), *queries("SET NAMES utf8mb4", "SET @u = 5"), *once("SELECT @u"),
    ("query", "SET @u = 'text'"), *once("SELECT @u"), ("query", "USE {other}"), *once("SELECT DATABASE()"), ("query", "USE {db}"),
    *once("SELECT DATABASE()"), ("query", "CREATE TEMPORARY TABLE t0(a INT)"), *once("SELECT * FROM t0"),
    ("query", "DROP TEMPORARY TABLE t0"), *once("SELECT * FROM t0"),
]  # fmt: skip

DEFINED = [  # tables change between prepare and execute
    ("query", "CREATE TABLE extra(a INT, b INT)"), *once("SELECT * FROM extra"), ("prepare", "a", "SELECT * FROM extra"),
    ("prepare", "b", "SELECT b FROM extra WHERE a = ?"), ("prepare", "i", "INSERT INTO extra VALUES (?, 1)"),
    ("execute", "i", (1,)), ("execute", "a"), ("query", "ALTER TABLE extra ADD COLUMN c INT DEFAULT 7"), ("execute", "a"),
    ("execute", "i", (1,)), *once("SELECT * FROM extra"), ("execute", "b", (1,)), ("query", "ALTER TABLE extra DROP COLUMN b"),
    ("execute", "a"), ("execute", "b", (1,)), *once("SELECT * FROM extra"), ("prepare", "d", "DROP TABLE extra"), ("execute", "d"),
    ("execute", "a"), ("execute", "b", (1,)), ("execute", "i", (1,)), *once("SELECT * FROM extra"),
    ("query", "CREATE TABLE extra(z VARCHAR(9))"), ("execute", "a"), ("execute", "b", (1,)), *once("SELECT * FROM extra"),
    ("query", "DROP TABLE extra"), *once("SELECT * FROM extra"), ("execute", "a"), ("query", "SELECT 1"),
]  # fmt: skip

TEXTS = [
    *queries(
        "PREPARE s FROM 'SELECT v, s FROM t0 WHERE id = ?'", "SELECT ROW_COUNT()", "SET @i = 1", "EXECUTE s USING @i", "EXECUTE s USING @I",
        "SELECT ROW_COUNT(), FOUND_ROWS()", "EXECUTE s", "SHOW WARNINGS", "EXECUTE s USING @i, @i", "EXECUTE none", "SHOW WARNINGS",
        "DEALLOCATE PREPARE none", "EXECUTE S USING @i", "PREPARE s FROM 'SELEC'", "SHOW WARNINGS", "EXECUTE s USING @i", "PREPARE S FROM 'SELECT 1'",
        "EXECUTE s USING @i", "EXECUTE S", "PREPARE s FROM 'SELECT 2'", "SHOW WARNINGS", "EXECUTE s", "SET @t = 'SELECT 3'", "PREPARE v FROM @t",
        "EXECUTE v", "SET @t = 'SELECT 4'", "EXECUTE v", "PREPARE b FROM 'BEGIN'", "SHOW WARNINGS", "EXECUTE b", "INSERT INTO t0(v) VALUES (7)",
        "PREPARE c FROM 'ROLLBACK'", "EXECUTE s", "EXECUTE c", "EXECUTE c", "SELECT COUNT(*) FROM t0", "PREPARE z FROM \"SET time_zone='+03:00'\"",
        "EXECUTE z", "SELECT @@time_zone", "SET time_zone=DEFAULT", "EXECUTE s", "PREPARE u FROM 'USE {other}'", "EXECUTE u", "SELECT DATABASE()",
        "EXECUTE s", "PREPARE d FROM 'SELECT DATABASE(), 1'", "USE {db}", "EXECUTE d", "EXECUTE s", "PREPARE i FROM 'INSERT INTO t0(v) VALUES (?)'",
        "SET @n = 5", "EXECUTE i USING @n", "SELECT LAST_INSERT_ID()", "EXECUTE i USING @n", "SELECT ROW_COUNT()", "DEALLOCATE PREPARE s",
        "SHOW WARNINGS", "EXECUTE s", "DROP PREPARE d", "EXECUTE d", "DEALLOCATE PREPARE d", "PREPARE q FROM 'SELECT ''it''''s'', \"x\\\\y\"'",
        "EXECUTE q", "SET sql_mode='ANSI_QUOTES'", "PREPARE a FROM 'SELECT \"v\" FROM t0 WHERE id=1'", "EXECUTE q", "SET sql_mode=DEFAULT",
        "EXECUTE a", "SET sql_mode='NO_BACKSLASH_ESCAPES'", "PREPARE k FROM 'SELECT ''a\\b'''", "EXECUTE k", "SET sql_mode=DEFAULT", "EXECUTE k",
        "PREPARE t FROM 'SELECT * FROM extra'", "CREATE TABLE extra(a INT)", "PREPARE t FROM 'SELECT * FROM extra'", "EXECUTE t",
        "PREPARE x FROM 'DROP TABLE extra'", "EXECUTE x", "EXECUTE t", "SHOW WARNINGS", "EXECUTE x", "DEALLOCATE PREPARE t", "EXECUTE t",
        "PREPARE e FROM ''", "PREPARE m FROM 'SELECT 1; SELECT 2'", "PREPARE f FROM 'PREPARE g FROM ''SELECT 1'''", "PREPARE h FROM 'SELECT ?, ?'",
        "EXECUTE h USING @i, @none", "SET @i = 'text'", "EXECUTE h USING @i, @i", "PREPARE `odd``name` FROM 'SELECT 5'", "EXECUTE `odd``name`",
        "PREPARE ä FROM 'SELECT ''ä'''", "EXECUTE ä", "BEGIN", "EXECUTE q", "EXECUTE i USING @n", "EXECUTE none", "ROLLBACK", "EXECUTE q",
    ),
    ("prepare", "p", "SELECT 9"), ("query", "PREPARE w FROM 'SELECT 10'"), ("prepare", "r", "SELECT 11"), ("execute", "r"), ("execute", "p"),
    ("query", "EXECUTE w"), ("reset",), *queries("EXECUTE i USING @n", "PREPARE n FROM @nothing", "EXECUTE n", "PREPARE s FROM 'SELECT 6'"),
    *queries("EXECUTE s", "EXECUTE n", "DEALLOCATE PREPARE n", "EXECUTE n"), ("change_user",), ("query", "EXECUTE s"),
]  # fmt: skip

TEXTS_AMONG_OTHERS = queries(
    "PREPARE s FROM 'SELECT 1'", "SELECT 2; EXECUTE s; SELECT 3", "EXECUTE s", "SELECT 4; EXECUTE t", "EXECUTE t",
    "PREPARE t FROM 'SELECT 5'; EXECUTE t; EXECUTE s", "EXECUTE t; EXECUTE s", "DEALLOCATE PREPARE s; EXECUTE s", "EXECUTE s", "EXECUTE t",
)

ODD = [  # refused, or odd
    *(("prepare", "x", text) for text in (
        "", "-- comment", "/* comment */", ";", "SELECT 1;", "SELECT 1; SELECT 2", "LOAD DATA LOCAL INFILE 'x' INTO TABLE t0",
        "PREPARE s FROM 'SELECT 1'", "EXECUTE s", "DEALLOCATE PREPARE s", "CREATE TABLE x(a INT DEFAULT ?)", "SELECT ? FROM none",
        "SELEC", "SELECT (1", "USE nodb", "SELECT " + ", ".join("?" * 300), "SELECT " + ",".join("?" * 65535),
        "SELECT " + ",".join("?" * 65536),
    )),
    ("prepare", "p", "SELECT ?, ?"), ("execute", "p"), ("execute", "p", (1,)), ("execute", "p", (1, 2)), ("execute", "p", (1, 2, 3)),
    ("execute", "p", (1, None), False), ("execute", "p", (1, 2), True, 2), ("execute", "p", (1, 2), True, 4),
    ("execute", "p", (1, 2)), ("fetch", "p", 1), ("reset_statement", "p"), ("fetch", "p", 1),
    ("close_statement", "p"), ("fetch", "p", 1), ("reset_statement", "p"), ("execute", "p", (1, 2)),
    ("prepare", "s", "SET @v = ?"), ("execute", "s", (5,)), ("query", "SELECT @v"), ("execute", "s", ("abc",)), ("query", "SELECT @v"),
    ("prepare", "z", "SET time_zone = ?"), ("execute", "z", ("+03:00",)), ("query", "SELECT @@time_zone"), ("execute", "z", ("x",)),
    ("query", "SELECT @@time_zone"),
]  # fmt: skip

MANY = [("prepare", "cursor", "SELECT id FROM t0 ORDER BY id"), ("execute", "cursor", (), True, 1)]
MANY += [step for n in range(150) for step in (("prepare", n, f"SELECT {n}"), ("execute", n))]
MANY += [("fetch", "cursor", 2), ("close_statement", "cursor"), ("execute", 3), ("execute", 149)]

COMMANDS = [
    *(("command", number, "\1") for number in (0, 5, 6, 10, 11, 12, 13, 15, 16, 18, 19, 20, 21, 29, 30, 32, 99, 255)),
    ("command", raw.REFRESH, "\2"), ("command", raw.STATISTICS), ("command", raw.FIELD_LIST, "t0\0"),
    ("command", raw.FIELD_LIST, "none\0"), ("command", raw.SET_OPTION, "\0\0"), ("query", "SELECT 1; SELECT 2"),
    ("command", raw.SET_OPTION, "\1\0"), ("query", "SELECT 1; SELECT 2"), ("command", raw.SET_OPTION, "\7\0"),
    ("pieces", "SELECT 'byte by byte'"), ("pipeline", "SELECT 1", "SET @@time_zone='+01:00'", "SELECT @@time_zone", "BEGIN"),
    ("pipeline", "SELECT COUNT(*) FROM t0", "COMMIT", "", "SELECT nonsense", "SHOW WARNINGS"),
]  # fmt: skip

PINS = [
    *queries("SELECT GET_LOCK('{db}', 1)", "SELECT RELEASE_LOCK('{db}')", "SET @a=5", "SELECT @a"),
    *queries("CREATE TEMPORARY TABLE tmp(a INT)", "INSERT INTO tmp VALUES (1)", "SELECT * FROM tmp"), ("reset",),
    *queries("SELECT @a", "SELECT * FROM tmp", "PREPARE s FROM 'SELECT 1'", "EXECUTE s"), ("reset",), ("query", "EXECUTE s"),
    ("query", "SET @a=1"), ("change_user",), ("query", "SELECT @a"), ("change_user", "nodb"),
    ("query", "SELECT DATABASE()"), ("query", "BEGIN"), ("change_user", "nodb"), ("query", "COMMIT"),
    ("change_user", "{other}"), ("query", "SELECT DATABASE()"), ("change_user", ""), ("query", "SELECT DATABASE()"),
]  # fmt: skip

# Variables whose values only the backend knows, with everything that a client can tell of them.
VALUES = (
    "1+6", "CAST(7 AS SIGNED)", "CAST(-7 AS SIGNED)", "CAST(7 AS UNSIGNED)", "LAST_INSERT_ID()", "18446744073709551615", "-9223372036854775808",
    "(SELECT COUNT(*) FROM t0)", "(SELECT -3 FROM t0 LIMIT 1)", "(SELECT COUNT(*)-7 FROM t0)", "(SELECT MAX(id) FROM t0)", "(SELECT v FROM t0 LIMIT 1)",
    "1>0", "TRUE", "1", "@@autocommit", "(SELECT SUM(v) FROM t0)", "(SELECT AVG(v) FROM t0)", "1.5+1", "CAST(-2.5 AS DECIMAL(20,4))", "1/3",
    "1e0*2", "1e0/3", "0.1e0+0.2e0", "1e300*10", "-1e0/7", "SQRT(2)", "RAND(1)", "PI()", "CAST('1.5' AS FLOAT)",
    "CAST('2020-01-01 10:20:30' AS DATETIME)", "CAST('2020-01-01 10:20:30.5' AS DATETIME(3))", "CAST('2020-02-29' AS DATE)",
    "CAST('10:11:12.5' AS TIME(2))", "YEAR('2020-01-01')", "CONCAT('a','b''c','\\\\')", "REPEAT('x', 3000)", "UPPER('é€😀')",
    "CONCAT('')", "CAST('abc' AS CHAR(36))", "MD5('a')", "(SELECT s FROM t0 LIMIT 1)", "CONCAT('a', 5)", "JSON_OBJECT('a', 1.5)",
    "CAST('{\"a\": [1]}' AS JSON)", "UNHEX('00ff41')", "x'414243'", "CAST('abc' AS BINARY(5))", "INET6_ATON('::1')",
    "'abc' COLLATE utf8mb4_general_ci", "_latin1'abc'", "CONVERT('abc' USING gbk)", "@@sql_mode", "NULL", "(SELECT v FROM t0 WHERE 0)",
)  # fmt: skip
ASKED = "SELECT @x, @x+0, CONCAT(@x), HEX(@x), LENGTH(@x), COLLATION(@x), COERCIBILITY(@x), @x/3, @x*3, @x IS NULL, @x='ABC'"


def computed(*ways):
    return queries(*(text for value in VALUES for way in ways for text in (way.replace("{}", value), ASKED, "SET @x = NULL", ASKED)))


COMPUTED = queries(
    "SET time_zone = CONCAT('+0', '2:00')", "SELECT @@time_zone, NOW() > 0", "SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')",
    'SELECT "id" FROM t0 ORDER BY 1', "SELECT @@sql_mode", "SET sql_mode = DEFAULT", "SET @old = @@time_zone, time_zone = '+03:00'", "SELECT @@time_zone, @old",
    "SET time_zone = @old", "SELECT @@time_zone", "SET @a = 1, @b = @a + 1, @c = CONCAT(@b, 'x')", "SELECT @a, @b, @c",
    "SET @r = 0", "SELECT @r := @r + 1 FROM t0", "SELECT @r", "SET wait_timeout = 70 + 7, time_zone = 'x'", "SELECT @@wait_timeout, @@time_zone",
    "SET @a = 5, sql_mode = 'nonsense'", "SELECT @a", "SET NAMES latin1, time_zone = 'bad'", "SELECT @@character_set_client, @@collation_connection",
    "SET NAMES utf8mb4", "SET character_set_results = DEFAULT", "SELECT @@character_set_results, 'a'", "SET collation_connection = DEFAULT",
    "SELECT @@collation_connection, COLLATION('a')", "SET tidb_mem_quota_query = 1024 * 1024 * 100", "SELECT @@tidb_mem_quota_query",
    "SET timestamp = 1 + 1700000000", "SELECT NOW()", "SET timestamp = DEFAULT", "SET @x = nonsense", "SELECT @x", "SELECT @x := 'abc', @y := @x",
    "SELECT @x, @y", "SET autocommit = 1 - 1", "SELECT @@autocommit", "SET autocommit = 1", "INSERT IGNORE INTO t0(id) VALUES (1)", "SHOW WARNINGS",
    "SHOW COUNT(*) WARNINGS", "SELECT 1/0, @z := 5", "SHOW WARNINGS", "SHOW ERRORS", "SELECT nonsense", "SHOW ERRORS",
)  # fmt: skip
COMPUTED += [("prepare", "a", "SET @x = ?"), ("execute", "a", (5,)), ("query", ASKED), ("execute", "a", ("text",)), ("query", ASKED)]
COMPUTED += [("reset",), ("query", ASKED), ("query", "SET @x = 1+1"), ("change_user",), ("query", ASKED)]
HELD = [  # what pins as long as it is there
    *queries("CREATE TEMPORARY TABLE tmp(a INT)", "CREATE TEMPORARY TABLE tmp(a INT)", "INSERT INTO tmp VALUES (1)"),
    *queries("CREATE TEMPORARY TABLE IF NOT EXISTS {db}.TMP(a INT)", "DROP TEMPORARY TABLE IF EXISTS tmp, none"),
    *queries("SELECT * FROM tmp", "DROP TABLE {other}.tmp", "DROP TABLE tmp, none", "SELECT * FROM tmp", "DROP TABLE {db}.tmp"),
    *queries("SELECT * FROM tmp", "CREATE TEMPORARY TABLE {other}.tmp(a INT)", "USE {other}", "DROP TABLE Tmp", "USE {db}"),
    *queries("SELECT GET_LOCK('{db}', 1)", "SELECT GET_LOCK('{db}', 1)", "SELECT RELEASE_LOCK('{db}')", "SHOW WARNINGS"),
    *queries("SELECT RELEASE_LOCK('{db}')", "SELECT RELEASE_LOCK('{db}')", "SELECT GET_LOCK('', 1)", "SHOW WARNINGS"),
    ("prepare", "a", "SELECT GET_LOCK('{db}', 1)"), *queries("SELECT RELEASE_ALL_LOCKS() n", "DO GET_LOCK('{db}', 1)"),
    *queries("DO RELEASE_LOCK('{db}')", "SELECT RELEASE_ALL_LOCKS()", "LOCK TABLES t0 WRITE", "SHOW WARNINGS", "UNLOCK TABLES"),
    *queries("EXPLAIN FORMAT='brief' SELECT GET_LOCK('{db}', 1)", "SELECT RELEASE_ALL_LOCKS()", "SET ROLE NONE", "SELECT 1"),
    *queries("SELECT CURRENT_ROLE()", "SET ROLE DEFAULT", "SET ROLE nobody", "SHOW WARNINGS", "SELECT 1", "SELECT ROW_COUNT()"),
    *queries("SET tidb_skip_isolation_level_check=1", "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SHOW WARNINGS"),
    *queries("SET tidb_skip_isolation_level_check=0", "SELECT @@tx_isolation", "SELECT @@tidb_skip_isolation_level_check"),
    *queries("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED", "SELECT @@transaction_isolation"),
    *queries("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "SHOW WARNINGS", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"),
]  # fmt: skip

MULTI = queries(
    "SELECT 1; SELECT 2", "INSERT INTO t0(v) VALUES (1); SELECT ROW_COUNT(), LAST_INSERT_ID()",
    "SELECT 1; SELECT nonsense; SELECT 3", "SHOW WARNINGS", "BEGIN; INSERT INTO t0(v) VALUES (3); SELECT 1",
    "ROLLBACK; SELECT COUNT(*) FROM t0", "INSERT INTO t0(v) VALUES (3); INSERT INTO t0(id) VALUES (1); SELECT 1",
    "SELECT COUNT(*) FROM t0", "SET time_zone='+02:00'; SELECT nonsense; SET time_zone='+04:00'", "SELECT @@time_zone",
    "USE {other}; SELECT DATABASE(); USE nodb", "SELECT DATABASE()", "USE {db}; SET autocommit=0; SELECT COUNT(*) FROM t0",
    "COMMIT; SET autocommit=1", "SELECT 1;", "SELECT 1; ", "SELECT 1;;SELECT 2", "SELECT 1; SELEC", "BEGIN; SELECT nonsense",
    "SELECT 1", "COMMIT", "SELECT 1; COMMIT",
)  # fmt: skip

FILES = [
    *(load(file) for file in ([b"1\ta\n2\tb\n"], [b"1\ta\n", b"2\tb\n"], [], None, [b"9\t" + b"a" * 300 + b"\n"])),
    *queries("SHOW WARNINGS", "SELECT v, s FROM t0 ORDER BY id"), load([b"1"], "none"), ("query", "BEGIN"),
    load([b"1\ta\n2\tb\n"]), *queries("ROLLBACK", "SELECT COUNT(*) FROM t0"),
]  # fmt: skip

DROPPED = queries("CREATE DATABASE {other}x", "USE {other}x", "DROP DATABASE {other}x", "SELECT DATABASE()", "USE {db}")

KILLS = queries(
    "KILL 2097000", "SHOW WARNINGS", "KILL QUERY 99999999", "SHOW WARNINGS", "SELECT ROW_COUNT()", "KILL 18446744073709551615",
    "SELECT @@warning_count, ROW_COUNT()", "KILL QUERY CONNECTION_ID()", "SHOW WARNINGS", "KILL CONNECTION CONNECTION_ID()",
    "KILL 'x'", "SHOW ERRORS", "BEGIN", "KILL 2097000", "SELECT 1", "COMMIT", "KILL CONNECTION_ID()",
)  # fmt: skip

# What a proxy might answer itself, and TiDB refuses or warns of; and in forms that it may answer.
ALMOST_OWN = [
    step
    for text in (
        "COMMIT foo", "commit work", "COMMIT WORK", "ROLLBACK WORK TO SAVEPOINT zz", "ROLLBACK TO SAVEPOINT zz", "(COMMIT)", "COMMIT AND CHAIN",
        "COMMIT AND CHAIN RELEASE", "ROLLBACK AND NO CHAIN RELEASE", "ROLLBACK NO RELEASE", "COMMIT /*+ x */", "COMMIT /*! AND CHAIN */", "COMMIT /*! foo */",
        "show count(*) warningsx", "SHOW COUNT (*) WARNINGS", "SHOW WARNINGS 5", "SHOW WARNINGS()", "SHOW WARNINGS LIMIT 1", "show/**/errors",
        "SET autocommit = 1 foo", "SET autocommit = +1", "SET autocommit = 'on'", "SET NAMES utf8mb4 foo", "SET NAMES utf8mb4 COLLATE latin1_bin",
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED foo", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE, READ WRITE",
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, ISOLATION LEVEL REPEATABLE READ", "select last_insert_id /* e */ ()", "select row_count () /* e */",
        "select /* e */ found_rows( ) -- e", "select /*!40101 row_count() */", "SELECT /*+ x() */ ROW_COUNT()", "SELECT ROW_COUNT() x", "select row_count() /* é */",
        "KILL 99999999 foo", "KILL (99999999)", "/*! */", "/*!", "COMMIT; ", "COMMIT;;",
    )
    for step in queries("INSERT IGNORE INTO t0(id) VALUES (1)", text, "SHOW WARNINGS", "SELECT ROW_COUNT()")
] + [("query", "KILL (CONNECTION_ID())")]  # fmt: skip

# Name: flags, database of the login, what is done.
TYPES = [  # of parameters: TiDB's plan of a statement keeps something of those that it was first executed with
    step
    for name, value in (("a", 3), ("b", "3"), ("c", 3.0), ("d", None))
    for step in (("prepare", name, "SELECT ? + 0, s FROM t0 WHERE id = ?"), ("execute", name, (value, 1)))
] + [("execute", name, (value, 2)) for name, value in (("c", 4.5), ("a", 5), ("b", "4.5"), ("d", None), ("c", 1.5), ("a", 6))]


CASES = {
    "types": (0, "{db}", TYPES),
    "databases": (0, "{db}", DATABASES),
    "no database": (0, None, DATABASES[2:]),
    "pings": (0, "{db}", PINGS),
    "variables": (0, "{db}", VARIABLES),
    "transactions": (0, "{db}", TRANSACTIONS),
    "facts": (0, "{db}", FACTS),
    "facts within": (0, "{db}", FACTS_WITHIN),
    "kills": (0, "{db}", KILLS),
    "almost answered": (0, "{db}", ALMOST_OWN),
    "empty packet": (0, "{db}", [("query", "BEGIN"), ("empty",), ("query", "SELECT 1")]),
    "never inserted": (raw.MULTI_STATEMENTS, "{db}", NEVER_INSERTED),
    "prepared": (0, "{db}", PREPARED),
    "cursors": (0, "{db}", CURSORS),
    "long data": (0, "{db}", LONG_DATA),
    "prepared elsewhere": (0, None, ELSEWHERE),
    "prepared again": (0, "{db}", AGAIN),
    "prepared and defined": (0, "{db}", DEFINED),
    "text prepares": (0, "{db}", TEXTS),
    "text prepares among others": (raw.MULTI_STATEMENTS, "{db}", TEXTS_AMONG_OTHERS),
    "odd prepares": (0, "{db}", ODD),
    "many prepared": (0, "{db}", MANY),
    "commands": (0, "{db}", COMMANDS),
    "pins": (0, "{db}", PINS),
    "computed": (0, "{db}", COMPUTED),
    "computed values": (0, "{db}", computed("SET @x = {}")),
    "computed in a query": (0, "{db}", computed("SELECT @x := {}")),
    "held": (0, "{db}", HELD),
    "multi-statements": (raw.MULTI_STATEMENTS, "{db}", MULTI),
    "files": (raw.LOCAL_FILES, "{db}", FILES),
    "files refused": (0, "{db}", FILES[:2]),
    "found rows": (raw.FOUND_ROWS, "{db}", queries("UPDATE t0 SET v = v") + TRANSACTIONS),
    "dropped database": (0, "{db}", DROPPED),
}


# Single statements after which nothing pins; {t} is the session's own table, so that no lock is waited for.
FREE = (
    "SELECT {n}", "SELECT * FROM {t} ORDER BY id LIMIT {n}", "INSERT INTO {t}(v) VALUES ({n}), (2)",
    "INSERT IGNORE INTO {t}(id) VALUES (1), ({n})", "INSERT INTO {t}(id) VALUES (1)", "UPDATE {t} SET v = v + {n}",
    "DELETE FROM {t} WHERE v > 60", "SELECT nonsense", "SELEC {n}", "SHOW WARNINGS", "SHOW ERRORS", "SELECT ROW_COUNT()",
    "SELECT FOUND_ROWS()", "SELECT LAST_INSERT_ID({n})", "SELECT DATABASE()", "USE {other}",
    "USE {db}", "USE nodb", "SET NAMES latin1", "SET NAMES utf8mb4", "SET time_zone='+0{n}:00'", "SET sql_mode=''",
    "SET sql_mode='ANSI_QUOTES'", "SET sql_mode=DEFAULT", 'SELECT "x", \'\\\\\'', "SELECT @@time_zone, @@sql_mode", "COMMIT",
    "ROLLBACK", "", "/* {n} */", "SET autocommit=1", "SELECT @@autocommit", "SET wait_timeout={n}00", "DO {n}",
    "PREPARE s FROM 'SELECT {n}'", "PREPARE s FROM 'SELECT s FROM {t} WHERE id = {n}'", "EXECUTE s", "DEALLOCATE PREPARE s",
    "SELECT 1/0", "SELECT 1; SELECT {n}", "SELECT {n}; SELECT nonsense", "INSERT INTO {t}(v) VALUES (1); SHOW TABLES",
)  # fmt: skip


def free_op(rnd, table, handles):
    """One operation that leaves no pin, without knowing what was done before."""
    kind = rnd.random()
    if kind < 0.65:
        text = rnd.choice(FREE).replace("{t}", table).replace("{n}", str(rnd.randint(1, 9)))
        return ("query", text)
    if kind < 0.75:
        command = rnd.choice([(raw.PING, ""), (raw.INIT_DB, "{db}"), (raw.INIT_DB, "{other}"), (raw.STATISTICS, ""), (12, "")])
        return ("command", *command)
    handle = rnd.randint(0, 4)
    if handle not in handles or kind < 0.8:
        handles[handle] = rnd.choice(["SELECT s FROM {t} WHERE id = ?", "INSERT INTO {t}(v) VALUES (?)", "SELECT LENGTH(?)"])
        return ("prepare", handle, handles[handle].replace("{t}", "{db}." + table))
    if kind < 0.95:
        value = "text" if "LENGTH" in handles[handle] else rnd.randint(1, 9)
        return ("execute", handle, (value,))
    if kind < 0.97:
        return ("reset_statement", handle)
    del handles[handle]
    return ("close_statement", handle)


def transaction(rnd, table, handles):
    ways = [["BEGIN"], ["SET autocommit=0", "SELECT COUNT(*) FROM {t}"], ["START TRANSACTION"]]
    yield from queries(*(text.replace("{t}", "{db}." + table) for text in rnd.choice(ways)))
    for _ in range(rnd.randint(1, 5)):
        yield free_op(rnd, table, handles)
    yield from queries(rnd.choice(["COMMIT", "ROLLBACK"]), "SET autocommit=1")


def fetching(rnd, table):
    yield ("prepare", "cursor", f"SELECT id FROM {{db}}.{table} ORDER BY id")
    yield ("execute", "cursor", (), True, 1)
    for _ in range(rnd.randint(0, 3)):
        yield ("fetch", "cursor", rnd.choice([1, 2, 1000]))
    yield rnd.choice([("close_statement", "cursor"), ("reset_statement", "cursor"), ("execute", "cursor")])
    yield ("query", "SELECT 1")  # FOUND_ROWS() of what a cursor has not fetched is TiDB's knowledge alone


def pinned(rnd):
    yield from queries("SET @x = 5", "SELECT @x", "CREATE TEMPORARY TABLE {db}.tmp(a INT)", "SELECT * FROM {db}.tmp")
    yield rnd.choice([("reset",), ("change_user",), ("connect", raw.MULTI_STATEMENTS)])


def block(rnd, session, handles):
    """Some operations in a row, and whether the session holds a backend between them."""
    table = f"t{session}"
    kind = rnd.random()
    if kind < 0.6:
        return [free_op(rnd, table, handles) for _ in range(rnd.randint(1, 5))], False
    if kind < 0.78:
        return list(transaction(rnd, table, handles)), True
    if kind < 0.88:
        return list(fetching(rnd, table)), True
    if kind < 0.94:
        handles.clear()
        return list(pinned(rnd)), True
    handles.clear()
    leaving = [("leave", rnd.choice(["quit", "close", "reset"])), ("connect", raw.MULTI_STATEMENTS)]
    return rnd.choice([[("reset",)], [("change_user", "{other}")], leaving]), False


def random_program(seed, sessions, blocks, may_overlap):
    """Steps (session, operation). At most one session holds a backend while others act, and none if the pool has one."""
    rnd = random.Random(seed)
    handles = [{} for _ in range(sessions)]
    for session in range(sessions):
        yield session, ("connect", raw.MULTI_STATEMENTS)
    for _ in range(blocks):
        session = rnd.randrange(sessions)
        ops, holds = block(rnd, session, handles[session])
        others = [other for other in range(sessions) if other != session]
        for op in ops:
            yield session, op
            while (may_overlap or not holds) and rnd.random() < 0.4:
                other = rnd.choice(others)
                yield other, free_op(rnd, f"t{other}", handles[other])
