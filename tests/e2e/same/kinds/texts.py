"""Several statements in one text, files, and odd ways to send a query."""
import re

import raw_protocol as raw

from . import kind
from ..model import query
from ..not_yet import NOT_YET
from ..steps import Act
from .facts import LONE
from .tables import READS, WRITES, filled

CHANGES = ("USE {other}", "USE {db}", "SET time_zone = '+02:00'", "SET NAMES latin1", "SET @a = 4", "SET sql_mode = ''", "SET @b = 'm'", "USE nodb")
ASKS = ("SELECT DATABASE(), @@time_zone, @a, @b", "SHOW WARNINGS", "SELECT @@character_set_client, @@sql_mode")
if "lone fact" not in NOT_YET:
    ASKS += LONE[:3]


# What takes the place of these is longer, so that TiDB's warning of the hint names another column (docs/known-differences.md).
ASKED_BEFORE_A_HINT = re.compile(r"(?<=\(\))(.*) /\*\+ nonsense \*/", re.DOTALL)


@kind("multi-statement", 3)
def multi(rnd, model):
    parts = []
    for _ in range(rnd.randint(2, 4)):
        texts = rnd.choices([WRITES, READS, CHANGES, ASKS], [3, 3, 3, 2])[0]
        parts.append(filled(rnd, model, rnd.choice(texts)))
    yield query(ASKED_BEFORE_A_HINT.sub(r"\1", rnd.choice(["; ", ";", ";;", " ;\n"]).join(parts)))
    if rnd.random() < 0.4:
        yield query(rnd.choice(ASKS))


@kind("transaction in a multi-statement", 0.7)
def multi_transaction(rnd, model):
    text = rnd.choice([
        "BEGIN; INSERT INTO {t}(v) VALUES (3); COMMIT", "BEGIN; INSERT INTO {t}(v) VALUES (3)", "SET autocommit = 0; SELECT COUNT(*) FROM {t}",
        "BEGIN; SELECT nonsense; COMMIT", "INSERT INTO {t}(v) VALUES (1); BEGIN; UPDATE {t} SET v = 5; ROLLBACK; SELECT COUNT(*) FROM {t}",
        "BEGIN; SAVEPOINT a; INSERT INTO {t}(v) VALUES (6); ROLLBACK TO a; SELECT COUNT(*) FROM {t}", "COMMIT; SELECT 1", "SELECT 1; ROLLBACK",
    ])  # fmt: skip
    model.autocommit = model.autocommit and "autocommit = 0" not in text
    yield query(filled(rnd, model, text), "transaction")
    yield query("ROLLBACK", drops={"transaction"})
    yield query("SET autocommit = 1", drops={"transaction"})
    model.autocommit = True


@kind("file", 0.8)
def load(rnd, model):
    content = rnd.choice([[b"1\ta\n2\tb\n"], [b"1\ta\n", b"2\tb\n"], [], None, [b"9\t" + b"a" * 300 + b"\n"], [b"x\ty\n"]])
    table = rnd.choice([model.table, model.table, f"t{model.number}", "none"])
    yield query(f"LOAD DATA LOCAL INFILE 'x' INTO TABLE {table} (v, s)", "file", file=content)
    yield query(rnd.choice(["SHOW WARNINGS", f"SELECT COUNT(*) FROM {model.table}"]), drops={"local_infile"})


@kind("file into user variables", 0.2)
def load_variables(rnd, model):
    text = f"LOAD DATA LOCAL INFILE 'x' INTO TABLE {model.table} (v, @a) SET s = @a"
    yield query(text, "computed user variable", file=[b"1\ta\n2\tb\n"])
    yield query("SELECT @a")


@kind("byte by byte", 0.2)
def pieces(rnd, model):
    yield Act(("pieces", filled(rnd, model, rnd.choice(READS[:5]))))


@kind("pipeline", 0.6)
def pipeline(rnd, model):
    if model.flags & raw.COMPRESS:
        return  # the numbers of TiDB's compressed packets depend on how many commands it has read
    texts = []
    for _ in range(rnd.randint(2, 4)):
        choices = rnd.choices([WRITES, READS, CHANGES, ASKS], [3, 3, 3, 3])[0]
        texts.append(filled(rnd, model, rnd.choice(choices)))
    yield Act(("pipeline", *texts))
