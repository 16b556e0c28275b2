"""The current database, also one that somebody drops."""
import raw_protocol as raw

from . import kind
from ..model import command, query

ASKS = ("SELECT DATABASE()", "SHOW TABLES LIKE 'f%'", "SELECT COUNT(*) FROM fixed", "SELECT SCHEMA(), DATABASE() IS NULL")


@kind("USE", 3)
def use(rnd, model):
    yield query("USE " + rnd.choice(["{db}", "{db}", "{other}", "nodb", "`{db}`", "`no``db`"]))
    if rnd.random() < 0.5:
        yield query(rnd.choice(ASKS))


@kind("COM_INIT_DB", 1.5)
def init_db(rnd, model):
    yield command(raw.INIT_DB, rnd.choice(["{db}", "{db}", "{other}", "nodb", ""]))
    if rnd.random() < 0.5:
        yield query(rnd.choice(ASKS))


@kind("scratch database", 1)
def scratch(rnd, model):
    name = model.scratch(rnd)
    yield query(rnd.choice([f"CREATE DATABASE {name}", f"CREATE DATABASE IF NOT EXISTS {name}"]))
    for text in rnd.sample(scratch_texts(rnd, name), rnd.randint(1, 4)):
        yield query(text)


@kind("dropped database", 1.5)
def dropped(rnd, model):
    yield query(rnd.choice(scratch_texts(rnd, model.scratch(rnd))))


def scratch_texts(rnd, name):
    return [
        f"USE {name}", f"USE {name}", "SELECT DATABASE()", "SHOW TABLES LIKE 'f%'", "SELECT 1", "SELECT COUNT(*) FROM fixed",
        f"DROP DATABASE {name}", f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE IF NOT EXISTS {name}", "USE {db}",
        f"SHOW CREATE DATABASE {name}",
    ]  # fmt: skip
