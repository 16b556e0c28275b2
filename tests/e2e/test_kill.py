"""KILL of sessions by the ids of their greetings: the packets that TiDB gives, and nobody else hurt."""
import contextlib
import threading

import pytest

import raw_protocol as raw
from support.waiting import wait_until

pytestmark = pytest.mark.proxy_only

LONG = "SELECT COUNT(*), SLEEP(20) FROM information_schema.engines"


class Pair:
    """The same clients on TiDB itself and on the proxy."""

    def __init__(self, tidb, door, account):
        self.account = account
        self.addresses = [("127.0.0.1", tidb.port), (door.host, door.port)]
        self.open = []

    def connect(self, side, account=None):
        account = account or self.account
        client = raw.RawClient(self.addresses[side], account.user, account.password, account.database)
        self.open.append(client)
        # TiDB tells the client that it is in before it notes whose the connection is, and until then lets anybody kill it.
        client.query("SELECT 1")
        return client

    def close(self):
        for client in self.open:
            client.close()


def session_id(client):
    body = client.greeting[4:]
    return int.from_bytes(body[body.index(0, 1) + 1 :][:4], "little")


@pytest.fixture
def other(tidb):
    return tidb.new_account("other")


@pytest.fixture
def pair(tidb, open_door, account, other):
    door = open_door(account, other, size=2, config={"workers": 2})
    made = Pair(tidb, door, account)
    yield made
    made.close()


def running(tidb, account):
    rows = tidb.execute(f"SELECT info FROM information_schema.processlist WHERE user = '{account.user}'")
    return sum("SLEEP" in (row[0] or "") for row in rows)


def start(tidb, pair, client):
    """Sends the long statement, and waits until TiDB runs it; the packets of its answer come into the list."""
    packets = []

    def read():
        try:
            packets.extend(client.query(LONG).packets)
        except (raw.Lost, ConnectionError):
            packets.append(b"lost")

    thread = threading.Thread(target=read)
    thread.start()
    wait_until(lambda: running(tidb, pair.account) == 1, 10, "the statement to run")
    return thread, packets


@pytest.mark.parametrize("how", ["KILL QUERY {}", "KILL {}", "KILL TIDB CONNECTION {}"])
def test_ends_a_running_statement_as_tidb_does(tidb, pair, how):
    answers = []
    for side in (0, 1):
        target, killer = pair.connect(side), pair.connect(side)
        thread, packets = start(tidb, pair, target)
        answer = killer.query(how.format(session_id(target))).packets
        thread.join(10)
        assert not thread.is_alive()
        answers.append((answer, packets))
        wait_until(lambda: running(tidb, pair.account) == 0, 10, "the statement to end")
        if "QUERY" in how:
            answers[-1] += (target.query("SELECT @@error_count, 1").packets, target.query("SELECT 2").packets)
    assert answers[0] == answers[1]


def test_refuses_to_end_a_session_of_another_user(pair, other):
    answers = []
    for side in (0, 1):
        target, killer = pair.connect(side), pair.connect(side, other)
        texts = (f"KILL QUERY {session_id(target)}", "SHOW WARNINGS", f"KILL {session_id(target)}", "SELECT @@error_count")
        answers.append([killer.query(text).packets for text in texts] + [target.query("SELECT 1").packets])
    assert answers[0] == answers[1]


@pytest.mark.parametrize("text", ["KILL CONNECTION_ID()", "KILL {}", "KILL QUERY {}"])
def test_ends_itself_as_tidb_does(pair, text):
    answers = []
    for side in (0, 1):
        client = pair.connect(side)
        answers.append([])
        for step in (text.format(session_id(client)), "SHOW WARNINGS"):
            with contextlib.suppress(raw.Lost, ConnectionError):
                answers[-1] += client.query(step).packets
    assert answers[0] == answers[1]


def test_knows_its_id(pair):
    client = pair.connect(1)
    assert client.query("SELECT CONNECTION_ID()").rows == [[str(session_id(client)).encode()]]


def test_ends_the_statement_of_a_client_that_left_when_the_grace_is_over(tidb, pair):
    client = pair.connect(1)
    client.begin(raw.QUERY, LONG.encode())
    wait_until(lambda: running(tidb, pair.account) == 1, 10, "the statement to run")
    client.close()
    wait_until(lambda: running(tidb, pair.account) == 0, 12, "the statement to end")
    assert pair.connect(1).query("SELECT 1").rows == [[b"1"]]


@pytest.fixture
def mates(tidb, open_door, account):
    """Three users of one pool: two who may not kill each other's statements, and one who may."""
    users = [
        {"name": name, "password": "pw", "pool": account.user, "database": account.database, "may_kill": name == "boss"}
        for name in ("one", "two", "boss")
    ]
    door = open_door(account, size=3, config={"workers": 2, "users": users})
    clients = {
        user["name"]: raw.RawClient((door.host, door.port), user["name"], "pw", account.database) for user in users
    }
    yield clients
    for client in clients.values():
        client.close()


def number_at_tidb(tidb):
    """Of the connection that runs the long statement."""
    rows = tidb.execute("SELECT id, info FROM information_schema.processlist")
    return next(int(number) for number, info in rows if "SLEEP" in (info or "") and "processlist" not in info)


def test_only_who_may_ends_what_runs_for_another_user_of_the_pool(tidb, pair, other, mates):
    target = pair.connect(0)
    thread, killed_at_tidb = start(tidb, pair, target)
    texts = ("KILL QUERY {}", "KILL TIDB {}", "SHOW WARNINGS")
    denied_at_tidb = pair.connect(0, other).query(texts[0].format(number_at_tidb(tidb))).packets
    pair.connect(0).query(f"KILL QUERY {session_id(target)}")
    thread.join(10)
    wait_until(lambda: running(tidb, pair.account) == 0, 10, "the statement to end")

    thread, packets = start(tidb, pair, mates["one"])
    number = number_at_tidb(tidb)
    refusals = [mates["two"].query(text.format(number)).packets for text in texts]
    refusals += [mates["two"].query(f"PREPARE k FROM 'KILL {number}'").packets]
    assert refusals[0] == denied_at_tidb
    assert b"1227" in b"".join(refusals[2])
    assert mates["two"].query("EXECUTE k").packets == denied_at_tidb
    assert running(tidb, pair.account) == 1
    assert mates["boss"].query(f"KILL QUERY {number}").packets[-1][4:5] == b"\0"
    thread.join(10)
    assert not thread.is_alive()
    assert packets == killed_at_tidb
    assert mates["one"].query("SELECT 1").rows == [[b"1"]]


def test_ends_an_idle_backend_and_none_else(tidb, mates, account):
    mates["one"].query("SELECT 1")
    numbers = [row[0] for row in tidb.execute(f"SELECT id FROM information_schema.processlist WHERE user = '{account.user}'")]
    for number in numbers:
        mates["two"].query(f"KILL {number}")

    def left():
        rows = tidb.execute(f"SELECT id FROM information_schema.processlist WHERE user = '{account.user}'")
        return {row[0] for row in rows} & set(numbers)

    wait_until(lambda: not left(), 10, "the backends to end")
    for client in mates.values():
        assert client.query("SELECT 1").rows == [[b"1"]]
