"""Transactions, savepoints, autocommit, and what holds for the next transaction only."""
from . import kind
from ..model import ends_everything, query
from .tables import DEFINITIONS, READS, WRITES, filled

OPENING = ("BEGIN", "START TRANSACTION", "BEGIN PESSIMISTIC", "BEGIN OPTIMISTIC", "begin /* x */", "START TRANSACTION READ WRITE")
OPENING += ("START TRANSACTION WITH CONSISTENT SNAPSHOT", "START TRANSACTION READ ONLY", "START TRANSACTION WITH CAUSAL CONSISTENCY ONLY")
SAVEPOINTS = ("SAVEPOINT a", "SAVEPOINT b", "ROLLBACK TO a", "ROLLBACK TO SAVEPOINT b", "RELEASE SAVEPOINT a", "SAVEPOINT a", "ROLLBACK TO none")
CLOSING = ("COMMIT", "ROLLBACK", "COMMIT", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "COMMIT AND NO CHAIN", "COMMIT RELEASE", "commit -- c")


def inside(rnd, model, count):
    for _ in range(count):
        texts = rnd.choices([WRITES, READS, SAVEPOINTS, DEFINITIONS, OPENING], [10, 8, 4, 0.4, 0.4])[0]
        yield query(filled(rnd, model, rnd.choice(texts)), "transaction")


@kind("transaction", 3)
def transaction(rnd, model):
    model.begin()
    yield query(rnd.choice(OPENING), "transaction")
    yield from inside(rnd, model, rnd.randint(0, 4))
    if rnd.random() < 0.7:
        model.end()
        yield query(rnd.choice(CLOSING), drops=() if not model.autocommit else {"transaction"})


@kind("end of a transaction", 1.5)
def closing(rnd, model):
    model.end()
    yield query(rnd.choice(CLOSING), drops={"transaction"})


@kind("savepoint", 0.7)
def savepoint(rnd, model):
    yield query(rnd.choice(SAVEPOINTS))


@kind("autocommit", 1)
def autocommit(rnd, model):
    word = rnd.choice(["autocommit", "@@autocommit", "SESSION autocommit", "LOCAL autocommit"])
    model.autocommit = False
    yield query(f"SET {word} = {rnd.choice(['0', 'OFF', 'off', 'FALSE'])}", "transaction")
    yield from inside(rnd, model, rnd.randint(0, 3))
    yield query(rnd.choice(["COMMIT", "ROLLBACK"]), drops={"transaction"})
    if rnd.random() < 0.85:
        model.autocommit = True
        yield query(f"SET {word} = {rnd.choice(['1', 'ON', 'DEFAULT', 'TRUE'])}", drops={"transaction"})


@kind("autocommit as it is", 1)
def same_autocommit(rnd, model):
    yield query("SET autocommit = " + ("1" if model.autocommit else "0"))
    yield query("SELECT @@autocommit")


LEVELS = ("READ COMMITTED", "REPEATABLE READ", "READ COMMITTED", "SERIALIZABLE", "READ UNCOMMITTED", "NONSENSE")


@kind("session's isolation", 0.7)
def isolation(rnd, model):
    scope = rnd.choice(["SESSION", "SESSION", "LOCAL"])
    yield query(f"SET {scope} TRANSACTION ISOLATION LEVEL {rnd.choice(LEVELS)}", "computed session variable")
    yield query("SELECT @@transaction_isolation, @@tx_isolation")


@kind("one-shot isolation", 0.7)
def one_shot(rnd, model):
    yield query(f"SET TRANSACTION ISOLATION LEVEL {rnd.choice(LEVELS)}", "one-shot transaction")
    yield query(rnd.choice(["BEGIN", "SELECT 1", "SELECT @@tx_isolation", "SELEC"]), "transaction")
    yield query("COMMIT", drops={"transaction", "one_shot_transaction"})


@kind("access mode", 0.3)
def access_mode(rnd, model):
    yield query(f"SET {rnd.choice(['', 'SESSION '])}TRANSACTION READ {rnd.choice(['ONLY', 'WRITE'])}", "one-shot transaction")
    yield query("SELECT @@tx_read_only, @@transaction_read_only", drops={"one_shot_transaction"})


@kind("read of the past", 0.4)
def as_of(rnd, model):
    when = rnd.choice(["FROM_UNIXTIME({then})", "'nonsense'", "NULL"])
    text = rnd.choice(["SET TRANSACTION READ ONLY AS OF TIMESTAMP {}", "START TRANSACTION READ ONLY AS OF TIMESTAMP {}"])
    yield query(text.replace("{}", when), "read of the past")
    yield query("COMMIT", drops={"transaction", "one_shot_transaction"})
    yield query("SELECT v FROM past.moment")
    model.begin_anew()
    yield ends_everything("reset")
