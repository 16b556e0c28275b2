"""Clients that leave in the middle of something; another one takes their place."""
import raw_protocol as raw

from . import kind
from ..model import ends_everything, query
from .connections import connect
from .tables import WRITES, filled

# What is sent in one write before the client goes. The rows of its table tell what came of it. No several statements in one text: TiDB
# goes on with them until it cannot write an answer, which is a matter of time.
LAST = (
    ("{w}",), ("{w}", "{w}"), ("{w}", "SELEC", "{w}"), ("{w}", "{w}", "{w}", "{w}"), ("BEGIN", "{w}", "COMMIT"), ("BEGIN", "{w}"),
    ("{w}", "BEGIN", "{w}", "ROLLBACK", "{w}"), ("SET autocommit = 0", "{w}"), ("SET autocommit = 0", "{w}", "COMMIT"), ("SET autocommit = 0", "{w}", "SET autocommit = 1"),
    ("SET @v = 7", "INSERT INTO {t}(v) VALUES (@v)"), ("SET @v = 3 + 4", "INSERT INTO {t}(v) VALUES (@v)"), ("USE {db}", "{w}"), ("USE nodb", "{w}"),
    ("SELECT * FROM {t} ORDER BY id", "{w}"), ("COMMIT", "{w}"), ("ROLLBACK", "{w}"),
    ("INSERT INTO {t}(v) VALUES (LAST_INSERT_ID())",), ("PREPARE p FROM 'INSERT INTO {t}(v) VALUES (77)'", "EXECUTE p"), ("SELECT 1/0", "SHOW WARNINGS", "{w}"),
    (), ("SELECT REPEAT('x', 1000000)", "{w}"), ("SELECT LAST_INSERT_ID(55)", "INSERT INTO {t}(v) VALUES (LAST_INSERT_ID())"),
    ("INSERT INTO {t}(v) SELECT ROW_COUNT() + SLEEP(0.02)", "{w}"), ("SET NAMES latin1", "INSERT INTO {t}(s) VALUES ('ä')"),
)  # fmt: skip
# How: it closes without reading; behind a COM_QUIT; in the middle of a packet; or it says that it sends no more and reads to the end.
WAYS = ("close", "close", "quit", "part", "half", "half", "half quit")


def last_texts(rnd, model):
    write = [text for text in WRITES if "{t}" in text]
    return [filled(rnd, model, text.replace("{w}", rnd.choice(write))) for text in rnd.choice(LAST)]


@kind("departure", 1.5)
def departure(rnd, model):
    if rnd.random() < 0.3:
        yield query(rnd.choice(["BEGIN", "BEGIN OPTIMISTIC", "START TRANSACTION"]), "transaction")
        yield query(filled(rnd, model, rnd.choice(WRITES)), "transaction")
    if rnd.random() < 0.15:
        yield query(f"SELECT GET_LOCK('l{model.number}', 1)", "lock")
    # How many commands TiDB has read when it answers shows in the numbers of its compressed packets.
    way = rnd.choice(WAYS if not model.flags & raw.COMPRESS else WAYS[:4])
    yield ends_everything("depart", way, model.table, *last_texts(rnd, model))
    yield connect(rnd, model)
    yield query(f"SELECT COUNT(*), SUM(v), MAX(id) FROM {model.table}")


@kind("table of another", 0.7)
def of_another(rnd, model):
    number = rnd.randrange(model.sessions) if model.shares else model.number
    yield query(rnd.choice(["SELECT COUNT(*), SUM(v), MAX(id) FROM {}", "SELECT * FROM {} ORDER BY id"]).format(f"{{db}}.t{number}"))
