"""Programs that once differed, each as small as it could be made. The numbers are those of the sessions."""
import raw_protocol as raw
from same_bytes import LONG

from .command_cases import COMMANDS
from .written import command, connect, query

DEFINITION = "CREATE TABLE IF NOT EXISTS {db}.e0(id INT, v BIGINT UNSIGNED, w INT UNSIGNED)"
CASES = {
    "a dropped database stays the current one": [
        connect(0), connect(1), *query(0, "CREATE DATABASE {db}x1", "USE {db}x1"), *query(1, "DROP DATABASE {db}x1"),
        *query(0, "SELECT DATABASE()", "SELECT * FROM t", "SHOW TABLES"), *query(1, "SELECT DATABASE()"),
        *query(0, "SELECT 1", "CREATE TABLE x(a INT)", "SHOW WARNINGS", "SET autocommit = 0"), *query(1, "SELECT @@autocommit"),
        *query(0, "SELECT @@autocommit", "SET autocommit = 1"), *query(1, "SELECT DATABASE(), CURRENT_RESOURCE_GROUP()"),
        *query(0, "INSERT INTO {db}.t0(v) VALUES (1)", "SELECT DATABASE()"), *query(1, "SELECT 1"),
        (0, ("all_variables",)), *query(1, "SELECT 1"), *query(0, "USE {db}", "SELECT DATABASE()"),
    ],
    "USE out of a dropped database": [
        connect(0), connect(1), *query(0, "CREATE DATABASE {db}x1", "USE {db}x1"), *query(1, "DROP DATABASE {db}x1"),
        *query(0, "USE nodb"), *query(1, "SELECT 1"), *query(0, "SHOW WARNINGS", "SELECT DATABASE()"), *query(1, "SELECT 1"),
        command(0, raw.INIT_DB, "{db}"), *query(0, "SELECT DATABASE()"),
    ],
    "a session drops the database that it is in": [
        connect(0), connect(1), *query(0, "CREATE DATABASE {db}x1", "USE {db}x1", "DROP DATABASE {db}x1"), *query(1, "SELECT 1"),
        *query(0, "SELECT DATABASE()"), *query(1, "SELECT DATABASE()"), (0, ("prepare", 1, "SELECT COUNT(*) FROM {db}.t0")),
        *query(0, "USE {db}"), *query(1, "SELECT 1"), (0, ("execute", 1)), *query(0, "SELECT DATABASE()"),
    ],
    "what a connection asks about its encryption": [
        connect(0, raw.MULTI_STATEMENTS), connect(1),
        *(
            step
            for name in ("Ssl_cipher", "Ssl_cipher_list", "Ssl_verify_mode", "Ssl_version", "ssl_version", "none")
            for step in (*query(0, f"SHOW SESSION STATUS LIKE '{name}'", f"DO 1; SHOW GLOBAL STATUS WHERE Variable_name = '{name}'; SELECT 1"), *query(1, "SELECT 1"))
        ),
        (0, ("prepare", 1, "SHOW STATUS LIKE 'Ssl_version'")), *query(1, "SELECT 1"), (0, ("execute", 1)),
    ],
    "whose a lock is": [
        connect(0), connect(1), *query(0, "SELECT GET_LOCK('own', 1)", "SELECT IS_USED_LOCK('own') = CONNECTION_ID(), IS_FREE_LOCK('own')"),
        (0, ("prepare", 1, "SELECT CONNECTION_ID() = IS_USED_LOCK(CONCAT('o', 'wn')) a, IS_USED_LOCK('free') > 0 b")), (0, ("execute", 1)),
        *query(0, "SELECT IS_USED_LOCK(''), 1", "SHOW WARNINGS", "SELECT IS_USED_LOCK(NULL) IS NULL", "SELECT IS_USED_LOCK() = 1", "SELECT RELEASE_ALL_LOCKS()"),
    ],
    "DEFAULT after a SET GLOBAL": [
        connect(0), connect(1), *query(1, "SET GLOBAL div_precision_increment = 6"), *query(0, "SET div_precision_increment = DEFAULT"), *query(1, "SET @a = 1"),
        *query(0, "SELECT @@div_precision_increment, 1/3"), *query(1, "SET GLOBAL div_precision_increment = 4"), *query(0, "SELECT 1/3"),
    ],
    "what errors leave of the statement before them": [
        connect(0), connect(1), *query(0, "SELECT 1/0", "SELECT 1; SELECT 2"), command(0, raw.PING), *query(0, "SHOW WARNINGS", "EXECUTE none"),
        command(0, raw.PING), *query(0, "SELECT 1", "SELEC"), *query(1, "SELECT 1"), command(0, raw.PING), command(0, raw.FIELD_LIST, "t0\0"),
        *query(0, "SHOW WARNINGS", "SELECT * FROM none", "LOAD DATA LOCAL INFILE 'x' INTO TABLE t0 (v, s)"), *query(1, "SELECT 1"),
        *query(0, "SELECT ROW_COUNT()", "UPDATE {db}.t0 SET v = v + 1", "SET NAMES nonsense"), *query(1, "SELECT 1"), *query(0, "SELECT ROW_COUNT()"),
    ],
    "FOUND_ROWS() on another backend": [
        connect(0, raw.MULTI_STATEMENTS), connect(1), *query(0, "SELECT id FROM {db}.t0; SELECT nonsense"), *query(1, "SELECT 1"),
        *query(0, "DELETE FROM {db}.t0 WHERE 0", "SELECT FOUND_ROWS() + 0"), *query(1, "SELECT 1"), *query(0, "SELECT id FROM {db}.t0; SET @a = 1"),
        *query(1, "SELECT 1"), *query(0, "DELETE FROM {db}.t0 WHERE 0; SELECT FOUND_ROWS()"), (0, ("prepare", 1, "SELECT id FROM {db}.t0")),
        (0, ("execute", 1, (), True, 1)), (0, ("fetch", 1, 1)), (0, ("close_statement", 1)), *query(1, "SELECT 1"), *query(0, "SELECT FOUND_ROWS()"),
        *query(0, "SELECT LAST_INSERT_ID(5)"), *query(1, "SELECT LAST_INSERT_ID(6)"),
        *query(0, "SELECT id FROM {db}.t0 WHERE 0", "INSERT INTO {db}.t0(v) VALUES (1); SELECT FOUND_ROWS()"),
    ],
    "ROW_COUNT() after several statements that fail in their middle": [
        connect(0, raw.MULTI_STATEMENTS), connect(1), *query(0, "SELECT 1; INSERT INTO {db}.t0(id) VALUES (1); SELECT 2", "SELECT ROW_COUNT()"),
        *query(0, "SELECT 1; UPDATE none SET v = 1; SELECT ROW_COUNT()"), *query(1, "SELECT 1"), *query(0, "SELECT ROW_COUNT()"),
        *query(0, "SELECT 1/0", "INSERT INTO {db}.t0(id) VALUES (1); SHOW WARNINGS", "SHOW WARNINGS"),
    ],
    "warnings that were read back from a backend that is kept": [
        connect(0, raw.LOCAL_FILES), *query(0, "SELECT @d := @d + 1"),
        (0, ("query", "LOAD DATA LOCAL INFILE 'x' INTO TABLE {db}.t0 (v, s)", [b"x\ty\n"])), *query(0, "SHOW WARNINGS", "SHOW COUNT(*) WARNINGS"),
    ],
    "an insert id that a statement which failed did not set": [
        connect(0, database=None), connect(1), *query(0, "INSERT INTO {db}.t0(v) VALUES (3), (4)"), *query(1, "SELECT 1"),
        *query(0, "UPDATE {db}.none SET v = LAST_INSERT_ID(6)", "SELECT LAST_INSERT_ID()"),
    ],
    "counts of warnings in a connection of collation binary": [
        step for asks in ("SELECT @@warning_count", "SELECT @@warning_count, @@error_count, FOUND_ROWS(), ROW_COUNT()") for step in [
            connect(0, collation=63), connect(1), *query(0, "SELECT 1/0, 1/0, 1/0"), *query(1, "SELECT 1"), *query(0, asks, asks),
            *query(0, "SELECT nonsense"), *query(1, "SELECT 1"), *query(0, asks, "SELECT LAST_INSERT_ID(7)"), *query(1, "SELECT 1"), *query(0, asks),
        ]
    ],
    "collations that SET NAMES does not take": [
        connect(0), connect(1), *query(0, "SELECT 1", "SET NAMES gbk COLLATE nonsense_ci"), *query(1, "SELECT 1"), *query(0, "SELECT ROW_COUNT()"),
        *query(0, "SHOW WARNINGS", "SET NAMES binary COLLATE binary", "SET NAMES binary COLLATE 'binary'"), *query(1, "SELECT 'x'"),
        *query(0, "SELECT 'x'", "SET time_zone = '+01:00', NAMES latin1 COLLATE nonsense"), *query(1, "SELECT 1"), *query(0, "SELECT @@time_zone, 'x'"),
    ],
    "a prepared definition that was executed warns of its widths": [
        connect(0), connect(1, database=None), (0, ("prepare", 1, DEFINITION)), (0, ("execute", 1)), *query(1, "SELECT 1"), (0, ("execute", 1)),
        *query(0, "SHOW WARNINGS", f"PREPARE p FROM '{DEFINITION}'", "EXECUTE p", "SHOW WARNINGS"), *query(1, "SELECT 1"), *query(0, "EXECUTE p", "SHOW WARNINGS"),
        (1, ("prepare", 1, DEFINITION)), (1, ("execute", 1)), *query(1, "SHOW WARNINGS"),
    ],
    "a variable with the type of an assignment that was only planned": [
        connect(0), connect(1), *query(0, "SET @a = 'x'"), (0, ("prepare", 1, "SELECT @a := 1.5")), *query(0, "SELECT @a", "SHOW WARNINGS"),
        (0, ("execute", 1)), *query(1, "SELECT 1"), *query(0, "SELECT @a", "PREPARE p FROM 'SELECT 1, @a := @b, @b := 7'", "SELECT @a, @b"),
        *query(0, "EXECUTE p", "SET @c = 'z'", "EXPLAIN SELECT @c := 1", "SELECT @a, @b, @c", "UPDATE {db}.t0 SET v = (@b := 'q') WHERE 0", "SELECT @b"),
    ],
    "what is known after several statements that end with an INSERT": [
        connect(0, raw.MULTI_STATEMENTS), *query(0, "SELECT 1; INSERT INTO {db}.t0() VALUES ()"), command(0, raw.PING),
        *query(0, "INSERT INTO {db}.t0() VALUES (); UPDATE {db}.t0 SET v = 5"), command(0, raw.PING),
    ],
    "bytes that are no characters for a function": [
        connect(0), connect(1), *query(0, "SELECT 1/0", "SET character_set_connection = gbk", "SELECT HEX('ä')"), *query(1, "SELECT 1"),
        *query(0, "SELECT ROW_COUNT()", "SHOW WARNINGS", "SET @a = 1, @b = HEX('ä')", "SELECT @a, @b", "SET @a = 1, @b = 2"),
        *query(0, "SET NAMES gbk", "UPDATE {db}.t0 SET v = v + 1", "SELECT 'X\udcff'"), *query(1, "SELECT 1"), *query(0, "SELECT ROW_COUNT()"),
    ],
    "an insert id goes ahead of a text that is not executed": [
        connect(0), connect(1), *query(1, "INSERT INTO {db}.t1() VALUES ()"), *query(0, "SELECT 'a' + 1", "SELECT 1; SELECT LAST_INSERT_ID()", "SHOW WARNINGS"),
        *query(1, "INSERT INTO {db}.t1() VALUES ()"), *query(0, "SELECT 'a' + 1", "INSERT INTO {db}.t0 VALUES 1", "SHOW WARNINGS"),
    ],
    "a reset backend has no insert id": [
        connect(0, database=None), connect(1), *query(0, "INSERT INTO {db}.t0(v) VALUES (1)"), *query(1, "SELECT 1"),
        *query(0, "SELECT @@identity, LAST_INSERT_ID()"),
    ],
    "SHOW WARNINGS as the first of several, on another backend": [
        connect(0, raw.MULTI_STATEMENTS), connect(1), *query(0, "SELECT 1/0"), *query(1, "SELECT 1"),
        *query(0, "SHOW WARNINGS; SHOW COUNT(*) WARNINGS; SHOW ERRORS; SELECT @@warning_count; SHOW WARNINGS"), *query(1, "SELECT 1"),
        *query(0, "SELECT nonsense"), *query(1, "SELECT 1"), *query(0, "SHOW ERRORS; SHOW WARNINGS; SELECT FOUND_ROWS()"),
        *query(0, "SELECT CAST('1x' AS SIGNED), 5 DIV 0", "SELEC", "SELEC"), *query(1, "SELECT 1"), *query(0, "SHOW COUNT(*) ERRORS; SHOW WARNINGS; SELEC"),
        *query(1, "SELECT 1"), *query(0, "SHOW WARNINGS", "SHOW WARNINGS; SELECT nonsense", "SHOW WARNINGS; SHOW WARNINGS"),
    ],
    "SHOW WARNINGS as the last of several": [
        connect(0, raw.MULTI_STATEMENTS), connect(1), *query(0, "SELECT nonsense"), *query(1, "SELECT 1"), *query(0, "SHOW WARNINGS"),
        *query(0, "SELECT 1; SHOW WARNINGS"), *query(1, "SELECT 1"), *query(0, "EXECUTE none", "SHOW WARNINGS", "SELECT 1/0; SHOW WARNINGS"),
        *query(1, "SELECT 1"), *query(0, "SHOW WARNINGS"),
    ],
    "what the proxy sends ahead of a statement that is refused": [
        connect(0), connect(1), *query(1, "SELECT LAST_INSERT_ID(9)"), (0, ("prepare", 0, "SELECT @d := ?")), (0, ("execute", 0, ("q",))),
        *query(0, "LOAD DATA LOCAL INFILE 'x' INTO TABLE {db}.t0 (v, s)", "SHOW WARNINGS"), (0, ("prepare", 1, "SELECT v FROM {db}.t0 WHERE id = ?")),
        *query(1, "SELECT 1"), *query(0, "SELECT 1/0"), (0, ("execute", 1, (1,), False)), *query(0, "SHOW WARNINGS"), *query(1, "SELECT 1"),
        *query(0, "SELECT 1/0", "INSERT INTO {db}.t0(v) VALUES (1); SELECT 2", "SHOW WARNINGS"),
    ],
    "an empty text on a backend that is kept": [
        connect(0, collation=8), *query(0, "SET @d = 'ä'", "INSERT INTO {db}.t0(s) VALUES (REPEAT('x', 300))", ";", "SHOW WARNINGS", "EXECUTE none"),
        *query(0, "", "SHOW WARNINGS", "SELECT 1", "-- nothing", "SELECT ROW_COUNT()"),
    ],
    "a statement that has to be prepared while the own database is gone": [
        connect(0), connect(1), (0, ("prepare", 1, "SELECT 1, @@sql_mode")), *query(0, "PREPARE p FROM 'SELECT 2, @@sql_mode'", "CREATE DATABASE {db}x1"),
        *query(0, "USE {db}x1", "SET sql_mode = 'ANSI_QUOTES'"), *query(1, "DROP DATABASE {db}x1"), (0, ("execute", 1)), *query(0, "EXECUTE p"),
        (0, ("prepare", 2, "SELECT 3")), (0, ("execute", 2)), (0, ("execute", 1)), *query(0, "EXECUTE p", "SELECT DATABASE(), @@sql_mode"),
        *query(1, "SELECT DATABASE()"), *query(0, "EXECUTE p", "SET autocommit = 0"), (0, ("execute", 1)), *query(0, "SELECT @@autocommit"),
    ],
    "the insert id of the last of several": [
        connect(0, raw.MULTI_STATEMENTS), *query(0, "SELECT 1; INSERT INTO {db}.t0(id, v) VALUES (100, 1)"), command(0, raw.REFRESH, "\2"),
        *query(0, "INSERT INTO {db}.t0(id) VALUES (101); DO 1"), command(0, raw.PING), *query(0, "INSERT INTO {db}.t0(id) VALUES (102); SELECT 1"),
        command(0, raw.PING),
    ],
    "an insert id that another session had left there": [
        connect(0), connect(1), *query(0, "SET RESOURCE GROUP rg1"), *query(0, "SET RESOURCE GROUP `default`"), (0, ("reset",)),
        *query(1, "SELECT LAST_INSERT_ID(1)"), *query(0, "BEGIN", "UPDATE {db}.t0 SET v = LAST_INSERT_ID(1) WHERE id = 1", "SELECT LAST_INSERT_ID()", "COMMIT"),
    ],
    "FOUND_ROWS() after SELECT … FOR UPDATE": [
        connect(0), connect(1), *query(1, "SELECT id FROM {db}.t1"), *query(0, "BEGIN", "SELECT id FROM {db}.t0 FOR UPDATE", "SELECT (SELECT FOUND_ROWS())"),
        *query(0, "SELECT id FROM {db}.t0 LIMIT 2", "SELECT id FROM {db}.t0 FOR UPDATE", "SELECT FOUND_ROWS()", "COMMIT", "SELECT FOUND_ROWS()"),
        *query(0, "SELECT id FROM {db}.t0 FOR UPDATE", "SELECT FOUND_ROWS()", "BEGIN OPTIMISTIC", "SELECT id FROM {db}.t0 FOR UPDATE", "SELECT FOUND_ROWS()"),
        *query(0, "COMMIT", "SET autocommit = 0", "SELECT id FROM {db}.t0 FOR UPDATE", "SELECT FOUND_ROWS()", "ROLLBACK", "SET tidb_txn_mode = ''"),
        *query(0, "SELECT id FROM {db}.t0 FOR UPDATE", "SELECT FOUND_ROWS()", "ROLLBACK"),
    ],
    "a prepare that fails after its warning": [
        connect(0, database=None), connect(1), (0, ("prepare", 1, "SHOW TABLES LIKE 'x'")), command(0, raw.PING), *query(1, "SELECT 1"),
        *query(0, "SHOW WARNINGS", "SELECT 1/0"), (0, ("prepare", 1, "SELECT nonsense")), command(0, raw.PING), *query(0, "SHOW WARNINGS"),
        connect(0), (0, ("prepare", 1, "SHOW TABLES LIKE 'x'")), *query(0, "SELECT @@warning_count, @@error_count"), (0, ("prepare", 1, "DO ?")),
        *query(0, "EXECUTE none"), command(0, raw.PING), *query(0, "SHOW WARNINGS"), *query(1, "SELECT 1"), *query(0, "SHOW COUNT(*) WARNINGS"),
        *query(0, "BEGIN"), (0, ("prepare", 1, "DO ?")), *query(0, "SELEC", "SELECT @@warning_count", "COMMIT"),
    ],
    "several statements whose parser warned, by a client that may not send them": [
        connect(0), connect(1), *query(0, "SELECT 1/0"), *query(1, "SELECT CAST('x' AS SIGNED)"),
        *query(0, "SELECT /*+ nonsense */ 1; SELECT /*+ nonsense */ 2"), command(0, raw.PING), *query(0, "SHOW WARNINGS"), *query(1, "SELECT 1"),
        *query(0, "SELECT 1", "SELECT /*+ nonsense */ 1; SELECT 2", "SHOW WARNINGS", "SELECT /*+ nonsense */ 1; SELECT 2", "SELECT @@warning_count"),
        *query(0, "BEGIN", "SELECT 1/0", "SELECT /*+ nonsense */ 1; SELECT 2", "SHOW WARNINGS", "COMMIT"),
    ],
    "EXECUTE of what asks about warnings, where it has to be prepared first": [
        connect(0), connect(1), *query(0, "PREPARE p FROM 'SELECT @@warning_count, @@error_count'"), (0, ("prepare", 1, "SELECT @@warning_count")),
        *query(1, "SELECT 1"), *query(0, "SELECT 1/0", "EXECUTE p"), (0, ("execute", 1)), *query(1, "SELECT 1"), *query(0, "SELECT 1/0"),
        (0, ("execute", 1)), *query(0, "EXECUTE p", "SELECT nonsense", "EXECUTE p"), *query(1, "SELECT 1"), *query(0, "SELECT nonsense", "EXECUTE p"),
    ],
    "a statement that has to be prepared in a transaction after a computed sql_mode": [
        connect(0), connect(1), *query(0, "PREPARE p FROM 'SELECT \"a\", DATABASE()'"), (0, ("prepare", 1, 'SELECT "a", DATABASE()')),
        *query(1, "PREPARE p FROM 'SELECT 1'"), *query(0, "BEGIN", "SET sql_mode = CONCAT('ANSI', '_QUOTES')", "SELECT 1/0", "EXECUTE p"),
        *query(0, "SELECT @@sql_mode", "COMMIT"), *query(1, "EXECUTE p"), *query(0, "SET sql_mode = ''", "BEGIN"),
        *query(0, "SET sql_mode = CONCAT('ANSI', '_QUOTES')"), (0, ("execute", 1)), *query(0, "SHOW WARNINGS", "COMMIT", "SELECT @@sql_mode"),
    ],
    "COM_CHANGE_USER with a wrong password or name": [
        connect(0), *query(0, "SET @a = 1"), (0, ("change_user", 0, "{db}", "wrong")), (0, ("change_user", "nobody", "{db}")),
        *query(0, "SELECT @a"), (0, ("change_user", 1, "{db}")), *query(0, "SELECT @a, CURRENT_USER()"),
    ],
    "a collation that MySQL does not have": [
        step for number in (0, 17, 100, 125, 152, 188, 222, 254, 1, 28, 128) for step in (connect(0, collation=number), *query(0, "SELECT 1"))
    ],
    "COM_CHANGE_USER keeps what COM_SET_OPTION set": [
        connect(0), command(0, raw.SET_OPTION, "\0\0"), (0, ("change_user", 0, "{db}")), *query(0, "SELECT 1; SELECT 2"), (0, ("reset",)),
        command(0, raw.SET_OPTION, "\1\0"), (0, ("change_user", 1, "{db}")), *query(0, "SELECT 1; SELECT 2"),
    ],
    "a SET that fails holds no backend": [
        connect(0), connect(1),
        *query(0, "SET max_connections_ = 1"), *query(1, "SELECT 1"), *query(0, "SET rpl_stop_slave_timeout = 1"), *query(1, "SELECT 1"),
        *query(0, "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"),
        *query(1, "SELECT 1"), *query(0, "SET ROLE nobody"), *query(1, "SELECT 1"),
    ],
    "integers of 64 bits": [
        connect(0), connect(1), *query(0, "SET sql_select_limit = 18446744073709551615", "SET @a = 1"), *query(1, "SELECT @@sql_select_limit"),
        *query(0, "SELECT @@sql_select_limit", "SET sql_select_limit = 18446744073709551614"), *query(1, "SELECT @@sql_select_limit"),
        *query(0, "SELECT @@sql_select_limit, @a"),
    ],
    "a list of variables that fails in its middle": [
        connect(0), *query(0, "SET @a = 1, NAMES latin1, time_zone = 'nowhere', sql_mode = 'ANSI'"), (0, ("all_variables",)),
        *query(0, "SELECT @a, 'x'", "SET @b = 2, sql_mode = ''", "SELECT @b, @@sql_mode"),
    ],
    "what the parser warns of joins the warnings before": [
        connect(0, raw.MULTI_STATEMENTS), connect(1),
        *(
            step
            for failing in ("SELECT 1/0", "SELEC", "INSERT INTO none VALUES (1)")
            for asking in (
                "SHOW WARNINGS; SELECT /*+ nonsense */ 1", "SHOW COUNT(*) WARNINGS; SHOW ERRORS; SHOW WARNINGS; SELECT /*+ nonsense */ 1",
                "SELECT @@warning_count, @@error_count; SELECT /*+ nonsense */ 1", "SELECT /*+ nonsense */ @@warning_count",
                "SET @a = @@warning_count; INSERT /*+ nonsense */ INTO {db}.t0(v) VALUES (@a); SHOW WARNINGS; SELECT @a",
            )
            for step in (*query(0, failing), *query(1, "SELECT 1"), *query(0, asking))
        ),
    ],
    "a command that is no statement leaves the warnings": [
        connect(0), connect(1), *query(0, "SELECT * FROM none"), *query(1, "START TRANSACTION", "COMMIT"), command(0, raw.STATISTICS),
        *query(0, "SELECT @@warning_count, @@error_count"), *query(0, "SELECT 1/0"), *query(1, "SELECT 1"), command(0, raw.STATISTICS),
        *query(0, "SHOW WARNINGS; SELECT 2"),
    ],
    "FOUND_ROWS() behind what has no rows": [
        connect(0, raw.MULTI_STATEMENTS), connect(1),
        *(
            step
            for text in (
                "ANALYZE TABLE {db}.t0", "CREATE TABLE {db}.e0 (v INT)", "ALTER TABLE {db}.e0 ADD COLUMN w INT", "TRUNCATE TABLE {db}.e0",
                "RENAME TABLE {db}.e0 TO {db}.e0r", "DROP TABLE {db}.e0r", "GRANT SELECT ON {db}.* TO r1", "REVOKE SELECT ON {db}.* FROM r1",
                "FLUSH PRIVILEGES", "DELETE FROM {db}.t0 WHERE id > 2", "DO 1", "PREPARE p FROM 'SELECT 1'", "DEALLOCATE PREPARE p", "UNLOCK TABLES",
                "BEGIN; SAVEPOINT a; ROLLBACK TO a; RELEASE SAVEPOINT a; COMMIT", "SET NAMES latin1; DO 1; SET NAMES utf8mb4",
            )
            for step in (
                *query(0, "SELECT id FROM {db}.t1 ORDER BY id LIMIT 2"), *query(1, "SELECT id FROM {db}.t1 ORDER BY id"),
                *query(0, text + "; SELECT FOUND_ROWS(), FOUND_ROWS() + 1; SELECT FOUND_ROWS()"),
            )
        ),
    ],
    "sql_select_limit hides warnings, and no errors": [
        connect(0, raw.MULTI_STATEMENTS), connect(1), *query(0, "SELECT @a"),
        *(
            step
            for limit in (0, 1, 2)
            for failing in ("SELECT CAST('x' AS SIGNED), CAST('y' AS SIGNED), 1/0", "SELEC", "INSERT INTO none VALUES (1)")
            for asking in (
                "SHOW WARNINGS", "SHOW COUNT(*) WARNINGS", "SHOW ERRORS", "SHOW COUNT(*) ERRORS", "", "SELECT @@warning_count, @@error_count",
                "SHOW WARNINGS; SHOW ERRORS; SHOW COUNT(*) WARNINGS; SHOW COUNT(*) ERRORS; SELECT @@warning_count",
            )
            for step in (*query(0, f"SET sql_select_limit = {limit}", failing), *query(1, "SELECT 1"), *query(0, asking))
        ),
        *query(0, "SHOW WARNINGS LIMIT 1", ""),
    ],
    "a SET with an unknown column has not begun": [
        connect(0), connect(1), *query(0, "SET @a = 1, @b = 2", "SET @a = 5, time_zone = '+01:00', @b = nonsense + 1"), *query(1, "SELECT 1"),
        *query(0, "SELECT @a, @b, @@time_zone", "SET sql_mode = 'ANSI'", 'SET @a = - 3, @b = "q", @c = q'), *query(1, "SELECT 1"),
        *query(0, "SELECT @a, @b, @c"),
    ],
    "ASCII through any character set of results": [
        connect(0, collation=33), connect(1), *query(0, "SET @a = CONCAT('a', 'b'), @b = REPEAT('x', 3)"), *query(1, "SELECT 1"),
        *query(0, "SELECT @a, @b, LENGTH(@a), COLLATION(@b)", "SET NAMES latin1", "SET @a = CONCAT('c', 'd')"), *query(1, "SELECT 1"),
        *query(0, "SELECT @a, HEX(@a), CHARSET(@a), COLLATION(@a)"),
    ],
    "LAST_INSERT_ID() in a text that only the backend knows": [
        connect(0, collation=33), connect(1, collation=63), *query(0, "INSERT INTO {db}.t0(v) VALUES (1)"), *query(1, "SELECT LAST_INSERT_ID(99)"),
        *query(0, "SET NAMES utf8mb4, tiflash_fastscan = '', a_bad_one = 1", "PREPARE z FROM 'SELECT LAST_INSERT_ID()'", "EXECUTE z", "EXECUTE z"),
    ],
    "what a prepare warns of without an EOF to say so": [
        connect(0), (0, ("prepare", 1, "DO 1")), (0, ("reset_statement", 1)), (0, ("prepare", 2, "CREATE TABLE {db}.e0 (v INT)")),
        (0, ("reset_statement", 2)), (0, ("prepare", 3, "SET @a = 1")), (0, ("reset_statement", 3)), *query(0, "SHOW WARNINGS"),
        (0, ("prepare", 4, "DELETE FROM {db}.t0 WHERE id = 1")), (0, ("reset_statement", 4)),
        (0, ("prepare", 5, "INSERT INTO {db}.t0(v) VALUES (@a)")), (0, ("reset_statement", 5)),
    ],
    "LAST_INSERT_ID(n) is computed when it is prepared": [
        connect(0), connect(1), *query(0, "SELECT LAST_INSERT_ID(3)"), (0, ("prepare", 1, "SELECT LAST_INSERT_ID(7)")), command(0, raw.PING),
        *query(1, "SELECT 1"), *query(0, "SELECT LAST_INSERT_ID()", "SELECT LAST_INSERT_ID(), 1"), *query(1, "SELECT 1"), command(0, raw.PING),
        (0, ("prepare", 2, "SELECT LAST_INSERT_ID(7)")), *query(0, "SELECT LAST_INSERT_ID()"), (0, ("prepare", 3, "SELECT LAST_INSERT_ID(id) FROM {db}.t0")),
        *query(0, "SELECT LAST_INSERT_ID()"), *query(1, "SELECT LAST_INSERT_ID(9)"), (0, ("prepare", 5, "SELECT LAST_INSERT_ID(v) FROM {db}.t0")),
        *query(1, "SELECT 1"), *query(0, "SELECT LAST_INSERT_ID()"), (0, ("prepare", 4, "UPDATE {db}.t0 SET v = LAST_INSERT_ID(9)")), *query(0, "SELECT LAST_INSERT_ID()"),
    ],
    "strings of another collation with a character set that TiDB does not have": [
        connect(0, collation=1), connect(1, collation=1), *query(0, "SET @c = _latin1'x', @d = 'y'", "SET @e = CONCAT('a', 'b')"), *query(1, "SELECT 1"),
        *query(0, "SELECT @c, @d, @e, COLLATION(@c), COLLATION(@d)"), *query(1, "SELECT @c"), *query(0, "UPDATE {db}.t0 SET v = v", "SELECT @c"),
    ],
    "a limit of 0 leaves no row of what the proxy knows either": [
        connect(0), connect(1),
        *(
            step
            for limit in ("0", "-1", "1")
            for step in (
                *query(0, f"SET sql_select_limit = {limit}", "SELECT ROW_COUNT()", "SELECT FOUND_ROWS()", "SELECT LAST_INSERT_ID()"), *query(1, "SELECT 1"),
                *query(0, "SELECT ROW_COUNT()", "SELECT FOUND_ROWS()"),
            )
        ),
    ],
    "a plan of a statement that was executed under another sql_mode than that of its prepare": [
        connect(0), connect(1),
        *(
            step
            for n, (mode, text) in enumerate((
                ("ANSI_QUOTES", 'SELECT "v", ? FROM {db}.t0 WHERE id = ?'), ("PIPES_AS_CONCAT", "SELECT id || 'a', ? FROM {db}.t0 WHERE id = ?"),
                ("NO_BACKSLASH_ESCAPES", "SELECT '\\\\a', ? FROM {db}.t0 WHERE id = ?"), ("IGNORE_SPACE", "SELECT v, ? FROM {db}.t0 WHERE id = ?"),
            ))
            for step in (
                *query(0, f"SET sql_mode = '{mode}'"), (0, ("prepare", n, text)), *query(0, "SET sql_mode = ''"), *query(1, "SET sql_mode = ''"),
                (0, ("execute", n, (1, 1))), (1, ("prepare", n, text)), (1, ("execute", n, (1, 2))), (0, ("execute", n, (1, 1))), *query(0, "SELECT @@sql_mode"),
                *query(1, f"SET sql_mode = '{mode}'"), (1, ("execute", n, (1, 2))),
            )
        ),
    ],
    "a plan of a text that was executed under another sql_mode than that of its PREPARE": [
        connect(0), connect(1), *query(0, "SET sql_mode = 'ANSI_QUOTES'", "PREPARE s FROM 'SELECT \"v\" FROM {db}.t0 WHERE id = ?'", "SET sql_mode = ''", "SET @i = 1"),
        *query(1, "SET sql_mode = ''", "SET @i = 2"), *query(0, "EXECUTE s USING @i"), *query(1, "PREPARE s FROM 'SELECT \"v\" FROM {db}.t0 WHERE id = ?'", "EXECUTE s USING @i"),
        *query(0, "EXECUTE s USING @i", "SELECT @@tidb_enable_prepared_plan_cache", "SHOW VARIABLES LIKE 'tidb_enable_prepared_plan_cache'"),
    ],
    "a plan of a statement that was executed in another collation than that of its prepare": [
        connect(0), connect(1), *query(0, "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci"), (0, ("prepare", 1, "SELECT 'a' = 'A', ? FROM {db}.t0 WHERE id = ?")),
        *query(0, "SET NAMES utf8mb4 COLLATE utf8mb4_bin"), *query(1, "SET NAMES utf8mb4 COLLATE utf8mb4_bin"), (0, ("execute", 1, (1, 1))),
        (1, ("prepare", 1, "SELECT 'a' = 'A', ? FROM {db}.t0 WHERE id = ?")), (1, ("execute", 1, (1, 1))), (0, ("execute", 1, (1, 1))),
    ],
    "a plan with another session's variables computed into it": [
        connect(0), connect(1), *query(0, "SET div_precision_increment = 9, time_zone = '+05:00'"),
        *(
            step
            for n, text in enumerate(("SELECT v / 7, ? FROM {db}.t0 WHERE id = ?", "SELECT UNIX_TIMESTAMP('2020-07-01 00:00:00'), ? FROM {db}.t0 WHERE id = ?"))
            for session in (0, 1)
            for step in ((session, ("prepare", n, text)), (session, ("execute", n, (1, 1))), (session, ("execute", n, (1, 2))))
        ),
    ],
    "what TiDB warns of when it makes a plan, each client is told": [
        connect(0), connect(1), connect(2),
        *(
            step
            for n, text in enumerate(("SELECT 1 / 0", "SELECT v FROM {db}.t0 WHERE v > '1x'", "SELECT v FROM {db}.t0 WHERE v > '1x' AND id > ?"))
            for session in (0, 1, 2, 0, 1)
            for step in (
                (session, ("prepare", n, text)), (session, ("execute", n, (1,) * text.count("?"))), command(session, raw.PING), *query(session, "SHOW WARNINGS"),
                (session, ("close_statement", n)),
            )
        ),
    ],
    "a prepared @@identity tells that its plan is not kept": [
        connect(0), connect(1), *query(0, "SELECT LAST_INSERT_ID(7)"), (0, ("prepare", 1, "SELECT @@identity, @@last_insert_id + 1")), (0, ("execute", 1)),
        *query(0, "SHOW WARNINGS"), *query(1, "SELECT LAST_INSERT_ID(9)"), (0, ("execute", 1)), *query(0, "SHOW WARNINGS"),
        (0, ("prepare", 2, "SELECT CONCAT(@@identity, 'a')")), *query(1, "SELECT 1"), (0, ("execute", 2)), command(0, raw.PING), *query(0, "SHOW WARNINGS"),
    ],
    "a prepared EXECUTE, where the name is and where it is not": [
        connect(0), connect(1), *query(0, "PREPARE s FROM 'SELECT 1'"), *query(1, "PREPARE s FROM 'SELECT 2'", "DEALLOCATE PREPARE s"), (0, ("prepare", 1, "EXECUTE s")),
        (1, ("prepare", 1, "EXECUTE s")), *query(0, "EXECUTE s"), (0, ("prepare", 1, "EXECUTE s")), *query(0, "SHOW WARNINGS"),
    ],
    "long data behind a variable that the backend alone knows": [
        connect(0), connect(1), *query(0, "SET div_precision_increment = 4 + 3"), (0, ("prepare", 1, "SELECT LENGTH(?), ?")), (0, ("long_data", 1, 0, b"abc")),
        (0, ("execute", 1, (LONG, "q"))), *query(0, "SHOW WARNINGS"), *query(1, "SELECT 1"), *query(0, "SET time_zone = CONCAT('+0', '2:00')"),
        (0, ("long_data", 1, 0, b"abcd")), (0, ("execute", 1, (LONG, "q"))), *query(0, "SELECT @@time_zone, @@div_precision_increment"),
    ],
    "a statement that is prepared anew where the backend alone knows a variable": [
        connect(0), connect(1), *query(0, "DO @a := 'done'"), (0, ("prepare", 1, "INSERT INTO {db}.t0(s) VALUES ('x' || 'y')")),
        (0, ("prepare", 2, "SELECT '1' || id FROM {db}.t0 ORDER BY id")), *query(0, "SET sql_mode = 'PIPES_AS_CONCAT'"), (0, ("execute", 1)), (0, ("execute", 2)),
        *query(0, "SELECT @a, @@sql_mode, s, 'a' || 'b' FROM {db}.t0 ORDER BY id"), *query(1, "SELECT 1"), (0, ("execute", 1)),
    ],
    "a prepared SHOW WARNINGS where no plan is cached": [
        connect(0), connect(1), *query(0, "SET tidb_enable_prepared_plan_cache = OFF", "SELECT 1/0"), (0, ("prepare", 1, "SHOW WARNINGS")), *query(1, "SELECT 1"),
        (0, ("execute", 1)), *query(1, "SELECT 1"), *query(0, "SHOW WARNINGS", "SELECT 1/0"), *query(1, "SELECT 1"), (0, ("execute", 1)), *query(1, "SELECT 1"),
        *query(0, "SHOW WARNINGS"), (0, ("execute", 1)), *query(0, "SHOW COUNT(*) WARNINGS", "SELECT 1"), *query(1, "SELECT 1"), (0, ("execute", 1)), *query(0, "SHOW WARNINGS"),
    ],
    "a SHOW WARNINGS prepared on a backend that has no warnings, where no plan is cached": [
        connect(0), connect(1), *query(1, "SET tidb_enable_prepared_plan_cache = OFF"), (1, ("prepare", 1, "SHOW WARNINGS")),
        *query(0, "SET tidb_enable_prepared_plan_cache = OFF", "SELECT 1/0"), (0, ("prepare", 1, "SHOW WARNINGS")), *query(1, "SELECT 1"),
        (0, ("execute", 1)), *query(0, "SELECT 1/0"), (0, ("prepare", 2, "SHOW WARNINGS")), *query(1, "SELECT 1"), *query(0, "SHOW WARNINGS"),
    ],
    "a prepared SHOW WARNINGS": [
        connect(0), connect(1), *query(0, "SELECT 1/0"), (0, ("prepare", 1, "SHOW WARNINGS")), (0, ("execute", 1)), *query(0, "SHOW WARNINGS"),
        *query(0, "SELECT 1/0"), *query(1, "SELECT 1"), (0, ("execute", 1)), *query(0, "SHOW WARNINGS"), (0, ("execute", 1)), *query(0, "SHOW COUNT(*) WARNINGS"),
        *query(1, "SELECT 1/0"), (1, ("prepare", 1, "SHOW WARNINGS")), *query(0, "SELECT 2"), (1, ("execute", 1)), (0, ("execute", 1)), *query(1, "SHOW WARNINGS"),
    ],
    "a warning that depends on a parameter": [
        connect(0), connect(1), *(
            step
            for n, text in enumerate((
                "SELECT v FROM {db}.t0 WHERE id = ?", "SELECT v FROM {db}.t0 WHERE v > ?", "SELECT v FROM {db}.t0 WHERE id > ? AND v = 1",
                "SELECT v FROM {db}.t0 WHERE id IN (?, 7)", "SELECT v FROM {db}.t0 WHERE id > 1 AND id < ?",
                "SELECT a.v FROM {db}.t0 a JOIN {db}.t1 b ON a.id = b.id WHERE a.id = ?", "SELECT v FROM {db}.t0 WHERE id = (SELECT MAX(id) FROM {db}.t1 WHERE id < ?)",
                "SELECT v FROM {db}.t0 WHERE id LIKE ?", "SELECT v FROM {db}.t0 ORDER BY id LIMIT ?", "SELECT CAST(? AS SIGNED) + 1",
                "UPDATE {db}.t0 SET v = v WHERE id = ?", "DELETE FROM {db}.t0 WHERE id = 7000 AND v > ?", "SELECT v FROM {db}.t0 WHERE s = ?",
            ))
            for session, value in ((0, 1), (1, 1), (0, None), (1, None), (0, 1), (1, "1x"), (0, "1x"), (1, 1))
            for step in (
                (session, ("prepare", n, text)), (session, ("execute", n, (value,))), *query(session, "SHOW WARNINGS"),
                (session, ("close_statement", n)),
            )
        ),
    ],
} | COMMANDS  # fmt: skip
