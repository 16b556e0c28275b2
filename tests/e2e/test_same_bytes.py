"""A session cannot tell the proxy from TiDB: every packet of every answer, with fewer backends than sessions.

TIDEPOOL_SEEDS=200 runs that many random programs instead of a few. A difference prints the program that led to it.
"""
import contextlib
import os
import random
import time

import pytest

import raw_protocol as raw
from programs import CASES, random_program
from same_bytes import Program, Side
from support.tidb import Account

pytestmark = pytest.mark.proxy_only

SEEDS = int(os.environ.get("TIDEPOOL_SEEDS", "12"))
WORKERS = int(os.environ.get("TIDEPOOL_WORKERS", "1"))
TABLES = (
    "DROP TABLE IF EXISTS {0}.t0, {0}.t1, {0}.t2, {0}.t3, {0}.noise, {0}.extra",
    *(f"CREATE TABLE {{0}}.t{n} (id INT PRIMARY KEY AUTO_INCREMENT, v INT, s VARCHAR(200))" for n in range(4)),
    *(f"INSERT INTO {{0}}.t{n}(v, s) VALUES (1, 'a'), (2, 'b'), (3, 'c')" for n in range(4)),
    "CREATE TABLE {0}.noise (id INT PRIMARY KEY AUTO_INCREMENT, v INT)",
)


@pytest.fixture(scope="module")
def same_account(tidb):
    account = tidb.new_account("same")
    for name in ("tide_d", "tide_p", "oth_d", "oth_p"):
        tidb.execute(f"CREATE DATABASE {name}", f"GRANT ALL ON {name}.* TO '{account.user}'@'%'")
    return Account(account.user, account.password, "")


@pytest.fixture(scope="module")
def doors(door_opener, tidb, same_account):
    """By pool size."""
    with contextlib.ExitStack() as stack:
        config = {"workers": WORKERS}
        yield {
            size: stack.enter_context(door_opener(tidb, same_account, size=size, timeout="10s", config=dict(config)))
            for size in (1, 2)
        }


@pytest.fixture
def program(tidb, doors, same_account):
    """Makes programs over a pool of that size, on fresh tables."""
    made = []

    def make(size):
        for name in ("tide_d", "tide_p"):
            tidb.execute(*(text.format(name) for text in TABLES))
        door = doors[size]
        sides = [
            Side("direct", ("127.0.0.1", tidb.port), same_account, "tide_d", "oth_d"),
            Side("proxy", (door.host, door.port), same_account, "tide_p", "oth_p"),
        ]
        made.append(Program(sides))
        return made[-1], door

    yield make
    for one in made:
        one.close()


NOISE = (
    "SELECT 1", "INSERT INTO noise(v) VALUES (7),(8)", "SELECT LAST_INSERT_ID(77)", "USE {other}", "USE {db}",
    "SET sql_mode='ANSI_QUOTES', time_zone='+05:00'", "SELECT nonsense", "SET NAMES latin1",
    "INSERT IGNORE INTO noise(id, v) VALUES (1, 1)", "SET sql_mode=DEFAULT", "PREPARE s FROM 'SELECT 99'", "EXECUTE s", "DEALLOCATE PREPARE s",
)  # fmt: skip


BUSY = ("acquiring", "executing", "streaming", "capturing")


def has_free_backend(door):
    """Asked when the session has settled, which is a moment after its client has the answer."""
    deadline = time.monotonic() + 10
    while any(door.proxy.metric("tidepool_sessions", state=state) for state in BUSY):
        assert time.monotonic() < deadline, "a session is busy for ten seconds without a command"
        time.sleep(0.001)
    return any(door.proxy.metric("tidepool_backends", state=state) >= 1 for state in ("idle", "parked"))


@pytest.mark.parametrize("intrudes", [False, True], ids=["alone", "with another session between"])
@pytest.mark.parametrize("name", CASES)
def test_one_session(program, name, intrudes):
    flags, database, ops = CASES[name]
    run, door = program(1)
    noise = random.Random(name)
    assert run.run(0, ("connect", flags, database)) is None
    assert run.run(9, ("connect",)) is None
    for op in ops:
        difference = run.run(0, op)
        assert not difference, difference
        if intrudes and has_free_backend(door):
            run.run(9, ("query", noise.choice(NOISE)))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_sessions(program, seed):
    run, _ = program(1 + seed % 2)
    for number, op in random_program(seed, sessions=4, blocks=40, may_overlap=seed % 2 == 1):
        difference = run.run(number, op)
        if difference:
            steps = "\n".join(f"  {session}: {step!r:.200}" for session, step in run.log[-40:])
            pytest.fail(f"seed {seed}\n{difference}\nafter\n{steps}")


# What the client does before it vanishes; then nothing of it may be left.
VANISHING = {
    "half a header": lambda c: c.write(b"\5\0"),
    "half a packet": lambda c: c.write(b"\x50\0\0\0\3SELECT"),
    "running": lambda c: c.begin(raw.QUERY, b"SELECT SLEEP(1)"),
    "in a transaction": lambda c: (c.query("BEGIN"), c.query("INSERT INTO t0(v) VALUES (4242)")),
    "prepare": lambda c: c.begin(raw.PREPARE, b"SELECT 1"),
    "state": lambda c: (c.query("SET @x=66"), c.query("SET sql_mode=''"), c.query("USE oth_p")),
    "temporary table": lambda c: c.query("CREATE TEMPORARY TABLE tmp(a INT)"),
    "lock": lambda c: c.query("SELECT GET_LOCK('left', 1)"),
    "result": lambda c: c.begin(raw.QUERY, b"SELECT REPEAT('z', 30000000)"),
    "out of step": lambda c: c.write(b"\1\0\0\7\x0e"),
    "long data": lambda c: long_data(c, 16),
    "file": lambda c: (c.begin(raw.QUERY, b"LOAD DATA LOCAL INFILE 'x' INTO TABLE t0(v)"), c.read_packet(), c.write(b"\x50\0\0\2half")),
}  # fmt: skip


def long_data(client, mebibytes):
    statement = client.command(raw.PREPARE, b"SELECT LENGTH(?)").packets[0][5:9]
    for _ in range(mebibytes):
        client.begin(raw.LONG_DATA, statement + b"\0\0" + b"x" * (1 << 20))


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("name", VANISHING)
def test_nothing_is_left_of_who_vanishes(program, same_account, name, how):
    run, door = program(1)

    def connect(flags=0):
        return raw.RawClient((door.host, door.port), same_account.user, same_account.password, "tide_p", flags)

    gone = connect(raw.LOCAL_FILES)
    VANISHING[name](gone)
    getattr(gone, how)()
    heir = connect()
    question = (
        "SELECT @x, @@sql_mode = @@global.sql_mode, DATABASE(), IS_FREE_LOCK('left'), "
        "(SELECT COUNT(*) FROM t0 WHERE v = 4242)"
    )
    assert heir.query(question).rows == [[None, b"1", b"tide_p", b"1", b"0"]]
    assert heir.query("SELECT * FROM tmp").error[0] == 1146
    heir.close()


@pytest.mark.parametrize("size", [(1 << 24) - 2, (1 << 24) - 1, 1 << 24, 20 << 20])
def test_long_packets(program, size):
    run, _ = program(1)
    run.run(0, ("connect",))
    text = "SELECT LENGTH('" + "x" * (size - 18) + "')"
    for op in (("query", text), ("query", f"SELECT REPEAT('y', {size})"), ("query", "SELECT 1")):
        difference = run.run(0, op)
        assert not difference, difference[:2000]


def test_answers_that_nobody_reads_hold_no_memory_and_nobody_up(program, same_account):
    _, door = program(2)

    def connect():
        return raw.RawClient((door.host, door.port), same_account.user, same_account.password, "tide_p")

    slow = connect()
    slow.write(raw.frames(b"\3SELECT REPEAT('z', 1000000)")[0] * 200)
    other = connect()
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        assert other.query("SELECT 1").rows == [[b"1"]]
        with open(f"/proc/{door.proxy.pid}/status", encoding="ascii") as status:
            resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        assert resident < 400 << 10 if "san" in os.environ.get("TIDEPOOL_BINARY", "") else resident < 100 << 10
    for _ in range(200):
        assert len(slow.answer(raw.QUERY).packets) == 5
    slow.close()
    other.close()
