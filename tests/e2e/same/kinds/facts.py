"""What a statement can ask about the one before it."""
from . import kind
from ..model import query
from .tables import WRITES, filled

LONE = ("SELECT LAST_INSERT_ID()", "SELECT ROW_COUNT()", "SELECT FOUND_ROWS()", "select row_count()", "SELECT @@last_insert_id", "SELECT @@identity")
LARGER = (
    "SELECT LAST_INSERT_ID(), ROW_COUNT()", "SELECT FOUND_ROWS() + 0", "SELECT ROW_COUNT() AS r, FOUND_ROWS() AS f",
    "INSERT INTO {t}(v) VALUES (LAST_INSERT_ID())", "INSERT INTO {t}(v) VALUES (ROW_COUNT())", "SELECT IF(ROW_COUNT() > 0, 'y', 'n')",
    "UPDATE {t} SET v = LAST_INSERT_ID() WHERE id = 1", "SELECT * FROM {t} WHERE id = LAST_INSERT_ID()", "SELECT (SELECT FOUND_ROWS())",
    "SET @a = LAST_INSERT_ID()", "SELECT LAST_INSERT_ID() FROM {t} LIMIT 2", "DO ROW_COUNT()",
)  # fmt: skip
WARNINGS = ("SHOW WARNINGS", "SHOW WARNINGS", "SHOW ERRORS", "SHOW WARNINGS LIMIT 1", "show warnings")
COUNTS = ("SHOW COUNT(*) WARNINGS", "SHOW COUNT(*) ERRORS", "SELECT @@warning_count, @@error_count", "SELECT @@session.warning_count", "SELECT @@error_count")


@kind("insert id", 1.5)
def insert_id(rnd, model):
    text = rnd.choice(["SELECT LAST_INSERT_ID({n})", "INSERT INTO {t}(v) VALUES (3), (4)", "UPDATE {t} SET v = LAST_INSERT_ID({n}) WHERE id = 1"])
    yield query(filled(rnd, model, text))
    yield query(LONE[0])


@kind("lone fact", 3)
def lone(rnd, model):
    yield query(rnd.choice(LONE[:4]))


@kind("insert id as a variable", 0.5)
def id_variable(rnd, model):
    yield query(rnd.choice(LONE[4:]))


@kind("fact in a larger statement", 1.5)
def larger(rnd, model):
    if rnd.random() < 0.5:
        yield query(filled(rnd, model, rnd.choice(WRITES)))
    text = filled(rnd, model, rnd.choice(LARGER))
    yield query(text, "computed user variable" if text.startswith("SET") else None)


@kind("warnings", 4)
def warnings(rnd, model):
    yield query(rnd.choice(WARNINGS))


@kind("counts of warnings", 1.5)
def counts(rnd, model):
    yield query(rnd.choice(COUNTS))


@kind("facts of the connection", 0.4)
def connection(rnd, model):
    yield query(rnd.choice(["SELECT CONNECTION_ID() = CONNECTION_ID()", "SELECT CURRENT_USER(), USER()", "SELECT @@version", "SELECT VERSION()"]))
