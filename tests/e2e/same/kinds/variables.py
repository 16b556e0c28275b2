"""Every session variable of TiDB, in every form of SET."""
from . import kind
from ..model import query

FORMS = ("SET {} = {}", "SET SESSION {} = {}", "SET LOCAL {} = {}", "SET @@{} = {}", "SET @@session.{} = {}")
FORMS += ("SET @@local.{} := {}", "SET {} := {}", "set Session {}={}")


def form(rnd, name, value):
    return rnd.choice(FORMS).format(name if rnd.random() < 0.9 else name.upper(), value)


def set_one(rnd, model):
    name, value = model.catalog.assignment(rnd)
    model.variables.append(name)
    return name, value


def asked(rnd, model):
    names = rnd.sample(model.variables, min(len(model.variables), 4))
    if not names or rnd.random() < 0.2:
        return "SELECT @@autocommit, @@sql_mode, @@time_zone, @@transaction_isolation, @@tx_isolation"
    if rnd.random() < 0.2:
        return f"SHOW VARIABLES LIKE '{names[0]}'"
    return "SELECT " + ", ".join(rnd.choice(["@@", "@@session.", "@@local."]) + name for name in names)


@kind("variable", 5)
def variable(rnd, model):
    name, value = set_one(rnd, model)
    yield query(form(rnd, name, value))
    if rnd.random() < 0.4:
        yield query(asked(rnd, model))


@kind("variable asked", 2)
def variable_asked(rnd, model):
    yield query(asked(rnd, model))


@kind("variable to DEFAULT", 1)
def variable_default(rnd, model):
    name = rnd.choice(model.variables or ["sql_mode"])
    yield query(form(rnd, name, "DEFAULT"))
    yield query(f"SELECT @@{name}")


@kind("list of variables", 1)
def variable_list(rnd, model):
    """Also one that fails in its middle: what comes before is set."""
    parts = []
    for _ in range(rnd.randint(2, 4)):
        if rnd.random() < 0.2:
            parts.append(rnd.choice(["a_bad_one = 1", "time_zone = 'x'", "sql_mode = 'nonsense'", "NAMES nonsense"]))
        elif rnd.random() < 0.15:
            parts.append(rnd.choice(["NAMES latin1", "NAMES utf8mb4", "CHARACTER SET utf8mb4", "@b = 3", "@c = 'z'"]))
        else:
            name, value = set_one(rnd, model)
            parts.append(f"{rnd.choice(['', 'SESSION ', '@@'])}{name} = {value}")
    yield query("SET " + ", ".join(parts), "list that fails")
    yield query(asked(rnd, model))


@kind("computed variable", 1)
def computed(rnd, model):
    yield query(*COMPUTED[rnd.randrange(len(COMPUTED))])
    model.variables += ["sql_mode", "time_zone", "sql_select_limit", "group_concat_max_len"]
    yield query(asked(rnd, model))


COMPUTED = [
    (text, "computed session variable")
    for text in (
        "SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')", "SET time_zone = (SELECT '+01:00')",
        "SET SESSION sql_mode = REPLACE(@@sql_mode, 'ANSI_QUOTES', '')", "SET group_concat_max_len = 1000 + 24",
        "SET @@sql_select_limit = @b", "SET sql_mode = (SELECT @@global.sql_mode)", "SET time_zone = @@global.time_zone",
        "SET time_zone = (SELECT nonsense)", "SET sql_select_limit = (SELECT COUNT(*) + 10 FROM {db}.fixed)",
        "SET max_execution_time = @@max_execution_time + 100000", "SET tidb_mem_quota_query = 1 << 31",
    )
]  # fmt: skip

OLD = ("old_passwords", "sql_log_bin", "tx_read_only", "a_bad_one", "`sql_mode`", "@@global.sql_mode", "warning_count")


@kind("odd variable", 0.5)
def odd(rnd, model):
    name = rnd.choice([name for name in OLD if "global" not in name])
    yield query(f"SET {name} = {rnd.choice(['1', '0', 'DEFAULT', 'ON'])}", "computed session variable")
    yield query("SHOW WARNINGS")


@kind("lexing by sql_mode", 1)
def lexing(rnd, model):
    mode = rnd.choice(["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI", "", "PIPES_AS_CONCAT", "STRICT_ALL_TABLES"])
    yield query(f"SET sql_mode = '{mode}'")
    model.variables.append("sql_mode")
    for _ in range(rnd.randint(1, 3)):
        text = rnd.choice(LEXED)
        yield query(text, "computed user variable" if "@a" in text else None)


LEXED = (
    'SELECT "x"', "SELECT 'a\\\\b', '\\'' ", "SELECT 'a' || 'b'", "SELECT 1/0", "SELECT 'a\\'", 'SELECT "a\\"b"',
    "SELECT CAST('x' AS SIGNED)", 'SET @a = "v"', "SELECT 'it''s' /* ' */ -- '", "SELECT @@sql_mode",
)  # fmt: skip


@kind("clock and dice", 0.5)
def clock(rnd, model):
    """The clock that a session stops, the dice that it loads: each throw changes the state of the next."""
    if rnd.random() < 0.5:
        yield query(f"SET timestamp = {rnd.choice(['1000000', '1234567.5'])}")
        yield query("SELECT NOW(3), @@timestamp, CURRENT_DATE()")
        yield query("SET timestamp = DEFAULT")
    else:
        yield query(f"SET rand_seed1 = {rnd.randint(1, 99)}, rand_seed2 = 7", "list that fails")
        for _ in range(rnd.randint(1, 3)):
            yield query("SELECT RAND()")
