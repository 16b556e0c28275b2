"""Prepared statements: binary and text, cursors, long data."""
import datetime
import decimal

from same_bytes import LONG

from . import kind
from ..model import query, quoted
from ..not_yet import pins
from ..steps import Act

# Text, and what its parameters are.
TEXTS = (
    ("SELECT v, s FROM {t} WHERE id = ?", "I"), ("INSERT INTO {t}(v, s) VALUES (?, ?)", "IS"), ("UPDATE {t} SET v = ? WHERE id = ?", "II"),
    ("SELECT ?", "?"), ("SELECT ?, ?", "??"), ("SELECT LENGTH(?)", "s"), ("SELECT * FROM {db}.fixed ORDER BY id", ""), ("SELECT nonsense", ""),
    ("SELEC", ""), ("", ""), ("SELECT 1; SELECT 2", ""), ("DELETE FROM {t} WHERE id = ?", "I"), ("SELECT (DATABASE() = '{db}') IS TRUE, @@sql_mode", ""),
    ("SELECT 'a' \"b\"", ""), ("DO ?", "I"), ("SHOW TABLES LIKE 'fi%'", ""), ("SELECT COUNT(*) FROM fixed", ""), ("SELECT ? + 1, ? = 'a'", "is"),
    ("SELECT id FROM {t} ORDER BY id LIMIT ?", "i"), ("SELECT LENGTH(CONCAT(@a, @b))", ""), ("REPLACE INTO {t}(id, v) VALUES (?, ?)", "II"),
    ("SELECT * FROM {e}", ""), ("SELECT s FROM {db}.fixed WHERE s = ?", "s"), ("SELECT COLLATION(?), CHARSET('x')", "s"), ("-- c", ""),
)  # fmt: skip
# As binary ones they answer with the types of the prepare or of the first execute (NOT NULL, of DATABASE()), until the schema changes, by
# whatever session.
NAMED = TEXTS + (("SELECT @a, @b", ""), ("SELECT @a IS NULL", ""), ("SELECT DATABASE(), @@sql_mode", ""))
EFFECTS = (
    ("BEGIN", "transaction"), ("COMMIT", None), ("ROLLBACK", None), ("USE {db}", None), ("USE {other}", None), ("SET time_zone = '+01:00'", None),
    ("SET NAMES latin1", None), ("SET sql_mode = 'ANSI_QUOTES'", None), ("SET @a = 5", None), ("SET @b = 'text'", None),
    ("SELECT LAST_INSERT_ID(7)", None), ("CREATE TABLE IF NOT EXISTS {e}(id INT, v INT)", None), ("SELECT ROW_COUNT()", None),
    ("SELECT FOUND_ROWS()", None), ("SELECT LAST_INSERT_ID()", None), ("SET @c = ?", "computed user variable"), ("SELECT @d := ?", "computed user variable"),
    ("SELECT @e := 'text'", "computed user variable"), ("SELECT nonsense, @a := 2", "computed user variable"),
)  # fmt: skip


# A parameter keeps its type: with another one TiDB answers from a plan for the first, with whatever is in its memory. Where that
# shows nowhere (capitals), NULL may come among the others.
VALUES = {
    "i": [1, 2, 3, 7], "s": ["abc", "ä€", "", "a"], "I": [1, 2, 3, 7, None], "S": ["abc", "ä€", "", None, "a", b"\x00\xff"], "n": [None], "l": [1, -5, 1 << 40], "f": [1.5, -0.25], "t": ["text", "ä"],
    "b": [b"blob\x00", b""], "d": [decimal.Decimal("12.340")], "D": [datetime.date(2020, 1, 2)],
    "M": [datetime.datetime(2020, 1, 2, 3, 4, 5, 678000)],
}  # fmt: skip


def prepare(rnd, model, text, what, takes=frozenset()):
    handle = rnd.randrange(6)
    model.handles[handle] = "".join(rnd.choice("lftbdDMn") if one == "?" else one for one in what)
    model.effects[handle] = takes
    text = text.replace("{t}", model.table if rnd.random() < 0.8 else f"t{model.number}").replace("{e}", model.extra)
    return handle, Act(("prepare", handle, text), takes if ":=" in text else frozenset())


def execute(rnd, model, handle, takes=None, cursor=0):
    takes = model.effects.get(handle, frozenset()) if takes is None else takes
    values = tuple(rnd.choice(VALUES[what]) for what in model.handles.get(handle, ""))
    return Act(("execute", handle, values, rnd.random() < 0.85, cursor), takes)


@kind("prepare", 3)
def prepare_and_execute(rnd, model):
    handle, act = prepare(rnd, model, *rnd.choice(TEXTS))
    yield act
    for _ in range(rnd.randint(0, 3)):
        yield execute(rnd, model, handle)


@kind("execute", 4)
def execute_again(rnd, model):
    yield execute(rnd, model, rnd.choice(list(model.handles) or [9]))


@kind("close or reset a statement", 0.7)
def close(rnd, model):
    handle = rnd.choice(list(model.handles) or [9])
    if rnd.random() < 0.5:
        model.handles.pop(handle, None)
        yield Act(("close_statement", handle))
    else:
        yield Act(("reset_statement", handle))


@kind("prepared statement with an effect", 1.2)
def effect(rnd, model):
    text, pinned = rnd.choice(EFFECTS)
    handle, act = prepare(rnd, model, text, "?" if "?" in text else "", pins(pinned) if pinned else frozenset())
    yield act
    yield execute(rnd, model, handle)
    if text == "BEGIN":
        yield query("COMMIT", drops=pins("transaction"))


@kind("cursor", 1)
def cursor(rnd, model):
    handle, act = prepare(rnd, model, rnd.choice(["SELECT id FROM {t} ORDER BY id", "SELECT id FROM {t} WHERE 0", "DO 1"]), "")
    yield act
    yield execute(rnd, model, handle, pins("cursor"), 1)
    for _ in range(rnd.randint(0, 3)):
        yield Act(("fetch", handle, rnd.choice([1, 2, 1000])))
    if rnd.random() < 0.5:
        yield query(rnd.choice(["SELECT 1", "SHOW WARNINGS", "INSERT INTO %s(v) VALUES (1)" % model.table]))
    last = rnd.choice(["close_statement", "reset_statement", "execute"])
    yield Act((last, handle), drops=pins("cursor"))
    if last == "close_statement":
        model.handles.pop(handle, None)


@kind("long data", 0.8)
def long_data(rnd, model):
    handle, act = prepare(rnd, model, "SELECT LENGTH(?), ?", "s")
    yield act
    for _ in range(rnd.randint(1, 3)):
        yield Act(("long_data", handle, rnd.choice([0, 0, 0, 1]), rnd.choice([b"abc", b"", b"d" * 3000])), pins("long data"))
    if rnd.random() < 0.3:
        yield Act(("reset_statement", handle), drops=pins("long data"))
    yield Act(("execute", handle, rnd.choice([(LONG, "q"), (LONG, LONG), ("x", "q")])), drops=pins("long data"))
    yield Act(("execute", handle, ("x", "q")))
    model.handles.pop(handle, None)
    yield Act(("close_statement", handle))


@kind("unknown statement", 0.3)
def unknown(rnd, model):
    yield rnd.choice([Act(("execute", "none")), Act(("fetch", "none", 1)), Act(("reset_statement", "none")), Act(("close_statement", "none"))])


@kind("text PREPARE", 1.5)
def text_prepare(rnd, model):
    name = rnd.choice(["p", "q", "`r`", "P"])
    text, what = rnd.choice(NAMED)
    text = text.replace("{t}", model.table).replace("{e}", model.extra)
    model.names[name] = len(what)
    if rnd.random() < 0.2:
        yield query(f"SET @s = {quoted(text)}")
        yield query(f"PREPARE {name} FROM @s")
    else:
        yield query(f"PREPARE {name} FROM {quoted(text)}")
    yield from text_execute(rnd, model)


@kind("text EXECUTE", 1.5)
def text_execute(rnd, model):
    name = rnd.choice(list(model.names) or ["none"])
    using = ", ".join(rnd.choice(["@a", "@b", "@c"]) for _ in range(model.names.get(name, 0)))
    yield query(f"EXECUTE {name}" + (f" USING {using}" if using else ""))


@kind("text PREPARE with an effect", 0.7)
def text_effect(rnd, model):
    text, pinned = rnd.choice([one for one in EFFECTS if "?" not in one[0]])
    yield query(f"PREPARE z FROM {quoted(text.replace('{e}', model.extra))}", pinned if ":=" in text else None)
    yield query("EXECUTE z", pinned)
    if text == "BEGIN":
        yield query("COMMIT", drops=pins("transaction"))


@kind("text DEALLOCATE", 0.7)
def text_deallocate(rnd, model):
    name = rnd.choice(list(model.names) or ["none"])
    model.names.pop(name, None)
    yield query(f"{rnd.choice(['DEALLOCATE', 'DROP'])} PREPARE {name}")
