"""Logins, COM_CHANGE_USER, COM_RESET_CONNECTION and the commands without SQL."""
import raw_protocol as raw

from . import kind
from ..model import command, ends_everything, query
from ..steps import Act

FLAGS = (0, raw.FOUND_ROWS, raw.MULTI_STATEMENTS, raw.LOCAL_FILES, raw.INTERACTIVE, raw.COMPRESS)
SECOND = 2  # the user that shares the pool of the first
USUAL_COLLATIONS = (46, 45, 33, 8, 255, 63)
# TiDB refuses these, ignores them, or has only a character set for them.
STRANGE_COLLATIONS = (0, 1, 17, 28, 47, 83, 87, 100, 125, 192, 224, 240, 248)


def connect(rnd, model):
    """A login that succeeds."""
    flags = 0
    for flag in FLAGS:
        if rnd.random() < (0.6 if flag in (raw.MULTI_STATEMENTS, raw.LOCAL_FILES) else 0.15):
            flags |= flag
    model.account = 0 if rnd.random() < 0.8 else 1
    model.alive, model.flags, model.is_strange = True, flags, False
    model.begin_anew()
    database = rnd.choice(["{db}", "{db}", "{db}", "{other}", None])
    user = rnd.choice([0, 0, SECOND]) if model.account == 0 else model.account
    return ends_everything("connect", flags, database, rnd.choice(USUAL_COLLATIONS), user)


@kind("login", 0.5)
def login(rnd, model):
    yield leaving(rnd)
    yield connect(rnd, model)


@kind("strange collation at login", 0.3)
def strange_login(rnd, model):
    yield leaving(rnd)
    act = connect(rnd, model)
    model.is_strange = True
    yield ends_everything(*act.op[:3], rnd.choice(STRANGE_COLLATIONS), model.account)
    yield query("SELECT @@character_set_client, @@collation_connection, COLLATION('x')")


@kind("failed login", 0.3)
def failed_login(rnd, model):
    yield leaving(rnd)
    # Whether a database is open to an account takes a backend of that account.
    good = ("connect", 0, "{db}", 46, model.account)
    bad = [("connect", 0, "nodb", 46, model.account), ("connect", 0, model.scratch(rnd), 46, model.account)]
    bad += [good + ("wrong",), good[:2] + (None, 46, 1, "wrong"), good[:4] + ("nobody",)]
    yield ends_everything(*rnd.choice(bad))
    yield connect(rnd, model)


def leaving(rnd):
    return ends_everything("leave", rnd.choice(["quit", "close", "reset"]))


@kind("reset", 0.7)
def reset(rnd, model):
    model.begin_anew()
    yield ends_everything("reset")
    yield query("SELECT DATABASE(), @@autocommit, @a")


@kind("change user", 0.5)
def change_user(rnd, model):
    model.begin_anew()
    model.account = rnd.choice([0, 0, 1])
    yield ends_everything("change_user", model.account, rnd.choice(["{db}", "{db}", "{other}", ""]))
    yield query("SELECT CURRENT_USER(), DATABASE(), @@autocommit, @a")


@kind("change user that fails", 0.3)
def failed_change_user(rnd, model):
    bad = [("change_user", model.account, "nodb"), ("change_user", model.account, model.scratch(rnd))]
    denied = [("change_user", model.account, "{db}", "wrong"), ("change_user", "nobody", "{db}")]
    chosen = rnd.choice(bad + denied if model.denied < 2 else bad)
    model.denied += chosen in denied
    yield Act(chosen)  # the scratch database may be there; if not, the session goes on and holds what it held
    yield query("SELECT CURRENT_USER(), DATABASE()")


@kind("ping", 2)
def ping(rnd, model):
    yield command(raw.PING)


@kind("statistics", 0.5)
def statistics(rnd, model):
    yield command(raw.STATISTICS)


@kind("field list", 0.4)
def field_list(rnd, model):
    table = rnd.choice([f"t{model.number}", "fixed", "none", ""])
    yield command(raw.FIELD_LIST, table + "\0" + rnd.choice(["", "", "%", "i%"]))


@kind("set option", 0.6)
def set_option(rnd, model):
    yield command(raw.SET_OPTION, rnd.choice(["\0\0", "\0\0", "\1\0", "\1\0", "\7\0", "\0", ""]))
    if rnd.random() < 0.5:
        yield query("SELECT 1; SELECT 2")
