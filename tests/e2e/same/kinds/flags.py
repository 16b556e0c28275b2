"""Clients of one pool, of one user or of two, that have told different capabilities at their logins."""
import raw_protocol as raw

from . import kind
from ..model import ends_everything, query
from ..steps import Act
from .connections import SECOND, leaving

FLAGS = (raw.FOUND_ROWS, raw.MULTI_STATEMENTS, raw.LOCAL_FILES, raw.INTERACTIVE)
SHOWING = (
    "UPDATE {t} SET v = v", "UPDATE {t} SET v = v + 1", "UPDATE {t} SET v = 5 WHERE id < 3", "UPDATE {t} SET s = 'x' WHERE id = 2; SELECT ROW_COUNT()",
    "INSERT INTO {t}(id, v) VALUES (1, 5), (2, 5) ON DUPLICATE KEY UPDATE v = 5", "SELECT 1; UPDATE {t} SET v = v", "REPLACE INTO {t}(id, v) VALUES (1, 5)",
    "SELECT @@wait_timeout, @@interactive_timeout", "UPDATE {t} SET v = v; UPDATE {t} SET v = v + 1",
)  # fmt: skip


@kind("flags", 1.5)
def flags(rnd, model):
    yield leaving(rnd)
    model.account, model.alive = 0, True
    model.flags = sum(flag for flag in FLAGS if rnd.random() < 0.5)
    model.begin_anew()
    yield ends_everything("connect", model.flags, "{db}", 46, rnd.choice([0, SECOND]))
    yield from showing(rnd, model)


@kind("what flags show", 1.5)
def showing(rnd, model):
    for _ in range(rnd.randint(1, 4)):
        choice = rnd.random()
        text = rnd.choice(SHOWING).replace("{t}", model.table)
        if choice < 0.7:
            yield query(text)
        elif choice < 0.85:
            yield Act(("prepare", "flags", text))
            yield Act(("execute", "flags"))
        else:
            yield query(f"LOAD DATA LOCAL INFILE 'x' REPLACE INTO TABLE {model.table} (id, v)", "file", file=[b"1\t5\n2\t5\n"])
            yield query("SELECT ROW_COUNT()", drops={"local_infile"})
        if rnd.random() < 0.5:
            yield query(rnd.choice(["SELECT ROW_COUNT()", "SHOW WARNINGS", "SELECT 1; SELECT ROW_COUNT()"]))
    if rnd.random() < 0.3:
        yield query("BEGIN", "transaction")
        yield query(rnd.choice(SHOWING[:3]).replace("{t}", model.table), "transaction")
        yield query(rnd.choice(["COMMIT", "ROLLBACK"]), drops={"transaction"})
