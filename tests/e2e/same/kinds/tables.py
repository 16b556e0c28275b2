"""Reads and writes, and definitions of tables of the session's own."""
from . import kind
from ..model import query

WRITES = (
    "INSERT INTO {t}(v) VALUES ({n})", "INSERT INTO {t}(v, s) VALUES ({n}, 'x'), (2, NULL)", "INSERT INTO {t}(id) VALUES (1)",
    "INSERT INTO {t}(id, v) VALUES ({n}00, 1)", "INSERT IGNORE INTO {t}(id) VALUES (1), (2)", "REPLACE INTO {t}(id, v) VALUES (2, {n})",
    "INSERT INTO {t}(id, v) VALUES (1, 1) ON DUPLICATE KEY UPDATE v = v + 1",
    "INSERT INTO {t}(id, v) VALUES (1, 1) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)",
    "UPDATE {t} SET v = v + {n}", "UPDATE {t} SET v = v WHERE id < 3", "UPDATE {t} SET s = NULL WHERE id = {n}",
    "DELETE FROM {t} WHERE id > 60", "DELETE FROM {t} WHERE v > {n}0 ORDER BY id LIMIT 1",
    "INSERT INTO {t}(v, s) SELECT v, s FROM {t} LIMIT 2", "INSERT INTO {t}(v) VALUES ('nonsense')", "UPDATE {t} SET v = 'x{n}'",
    "INSERT INTO {t}(s) VALUES (REPEAT('x', 300))", "INSERT INTO {t}(none) VALUES (1)", "INSERT INTO {t} VALUES (1)",
    "INSERT INTO {t}(v) VALUES (NULL), (99999999999)", "UPDATE {t} SET v = 1/0 WHERE id = 1", "INSERT INTO {t}() VALUES ()",
    "INSERT INTO {t}(v, s) VALUES (1, 'ä€😀')", "/* a */ INSERT /*+ nonsense */ INTO {t}(v) VALUES (/*!80000 {n} */) -- b",
)  # fmt: skip
READS = (
    "SELECT {n}", "SELECT * FROM {t} ORDER BY id LIMIT {n}", "SELECT COUNT(*), SUM(v) FROM {t}", "SELECT * FROM {db}.fixed ORDER BY id",
    "SELECT s FROM {t} WHERE id = {n}", "SELECT 1/0", "SELECT nonsense", "SELEC {n}", "SELECT * FROM none", "SELECT 'a' + 1",
    "SHOW TABLES FROM {db} LIKE 'fix%'", "SHOW COLUMNS FROM {db}.fixed", "DESC {t}", "EXPLAIN SELECT 1", "SELECT v, s FROM {t} WHERE 0",
    "SHOW INDEX FROM {t}", "SELECT CAST('1x' AS SIGNED), 5 DIV 0", "DO 1", "DO 1/0", "SELECT 1 UNION ALL SELECT 1",
    "TABLE {t} LIMIT 2", "VALUES ROW(1, 2)", "WITH c AS (SELECT {n} AS n) SELECT n FROM c", "SELECT REPEAT('r', {n}000)",
    "SELECT (SELECT v FROM {t} ORDER BY id LIMIT 1)", "(SELECT 1)", "SELECT id FROM {t} ORDER BY id FOR UPDATE", "HELP 'x'",
    "", ";", "-- nothing", "/* {n} */", "  ", "SELECT 1;", "CHECK TABLE {t}", "SHOW CREATE TABLE {db}.fixed", "SELECT ?", "CALL p()",
    "SELECT DATE('x'), CAST('2020-13-01' AS DATE)", "SELECT JSON_EXTRACT('[1', '$')", "SELECT SLEEP(0)", "SHOW GRANTS",
    "SELECT d, b, j, e FROM {db}.fixed ORDER BY id", "SELECT /*+ SET_VAR(sql_mode='') */ @@sql_mode", "ANALYZE TABLE {t} WITH 1 SAMPLERATE",
    "SELECT /*+ SET_VAR(sql_select_limit=1) */ id FROM {t} ORDER BY id", "SELECT @@version_comment LIMIT 0", "FLUSH TABLES",
    "SHOW CHARACTER SET LIKE 'a%'", "SELECT USER() = CURRENT_USER()", "SELECT id FROM t0 ORDER BY id LIMIT 1", "SHOW PLUGINS",
)  # fmt: skip
DEFINITIONS = (
    "CREATE TABLE {e}(id INT PRIMARY KEY AUTO_INCREMENT, v INT)", "CREATE TABLE IF NOT EXISTS {e}(id INT PRIMARY KEY, v INT)",
    "DROP TABLE {e}", "DROP TABLE IF EXISTS {e}", "ALTER TABLE {e} ADD COLUMN c INT", "ALTER TABLE {e} DROP COLUMN c",
    "CREATE INDEX i ON {e}(v)", "DROP INDEX i ON {e}", "TRUNCATE TABLE {e}", "INSERT INTO {e}(v) VALUES (1), (2)", "SELECT * FROM {e}",
    "CREATE VIEW {e}v AS SELECT * FROM {t}", "SELECT COUNT(*) FROM {e}v", "DROP VIEW IF EXISTS {e}v", "CREATE TABLE {e} LIKE {t}",
    "RENAME TABLE {e} TO {e}r, {e}r TO {e}", "CREATE TABLE {e}(a INT, a INT)", "ALTER TABLE {t} COMMENT 'c{n}'", "CREATE TABLE {t}(a INT)",
)  # fmt: skip


def filled(rnd, model, text):
    """Sometimes with the table's name alone, which then depends on the current database."""
    table = model.table if rnd.random() < 0.75 else f"t{model.number}"
    return text.replace("{t}", table).replace("{e}", model.extra).replace("{n}", str(rnd.randint(1, 9)))


@kind("write", 8)
def write(rnd, model):
    yield query(filled(rnd, model, rnd.choice(WRITES)))


@kind("read", 7)
def read(rnd, model):
    yield query(filled(rnd, model, rnd.choice(READS)))


@kind("definition", 0.8)
def definition(rnd, model):
    for _ in range(rnd.randint(1, 3)):
        yield query(filled(rnd, model, rnd.choice(DEFINITIONS)))
