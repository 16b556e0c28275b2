"""Commands that are answered in an odd way, and packets that are too short for their command."""
import raw_protocol as raw

from . import kind
from ..model import command, query
from .connections import connect
from .facts import LONE
from .tables import WRITES, filled

PRIVILEGES = "\1"  # the one flag that TiDB looks at: it answers with two OKs
SHORT = (raw.INIT_DB, raw.FIELD_LIST, raw.STATISTICS, raw.SET_OPTION, raw.RESET_STATEMENT, raw.FETCH, raw.EXECUTE, raw.PREPARE, raw.QUERY, raw.PING)
# COM_SLEEP to COM_END without those that have an answer, or stop the server (COM_SHUTDOWN).
REFUSED = (0, 5, 6, 10, 11, 12, 13, 15, 16, 18, 19, 20, 21, 29, 30, 32, 33, 99, 127, 128, 254, 255)


@kind("refreshing", 0.6)
def refresh(rnd, model):
    if rnd.random() < 0.5:
        yield query(filled(rnd, model, rnd.choice(WRITES)))
    yield command(raw.REFRESH, rnd.choice([PRIVILEGES, PRIVILEGES, "\1\1", "\0", "\2", "\3", "\4", "\5", "\x40", "\x80", "\xff", "\xfe\1"]))
    yield query(rnd.choice(LONE[:4] + ("SHOW WARNINGS",)))


@kind("refused command", 0.6)
def refused(rnd, model):
    if rnd.random() < 0.5:
        yield query(filled(rnd, model, rnd.choice(WRITES)))
    yield command(rnd.choice(REFUSED), rnd.choice(["", "\1", "\0\0\0\0\0\0\0\0", "{db}", "x" * 300]))
    yield rnd.choice([query(rnd.choice(LONE[:4] + ("SHOW WARNINGS",))), command(raw.PING)])


@kind("command in a transaction", 0.5)
def in_transaction(rnd, model):
    yield query("BEGIN", "transaction")
    yield query(filled(rnd, model, rnd.choice(WRITES)), "transaction")
    yield rnd.choice([
        command(raw.REFRESH, rnd.choice([PRIVILEGES, "\2"])), command(raw.STATISTICS), command(rnd.choice(REFUSED), "\1"), command(raw.PING),
        command(raw.INIT_DB, "{db}"), command(raw.SET_OPTION, "\0\0"), command(raw.FIELD_LIST, f"t{model.number}\0"),
    ])  # fmt: skip
    yield query("SELECT ROW_COUNT()")
    yield query(rnd.choice(["COMMIT", "ROLLBACK"]), drops={"transaction"})


@kind("short packet", 0.3)
def short(rnd, model):
    yield command(rnd.choice(SHORT), rnd.choice(["", "\0", "\1", "\0\0\0", "\1\0\0\0"]))
    yield connect(rnd, model)  # it may have lost its connection, as with TiDB


@kind("empty refresh", 0.1)
def empty_refresh(rnd, model):
    yield command(raw.REFRESH)
    yield connect(rnd, model)
