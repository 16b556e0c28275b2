"""Clients that leave without reading: what they had sent is executed as by TiDB itself, and nothing of them is left."""
import socket

import pytest

import raw_protocol as raw
from support.waiting import wait_until

pytestmark = [pytest.mark.proxy_only, pytest.mark.quick]

ROUNDS = 20
QUIT = raw.frames(b"\1")[0]


def query(text):
    return raw.frames(b"\3" + text.encode())[0]


def insert(table, value):
    return query(f"INSERT INTO {table} VALUES ({value})")


# What a client sends in one write before it leaves, by its number; how many rows of it TiDB then stores.
WRITES = {
    "an insert": (lambda t, n: insert(t, n), 1),
    "an insert and a quit": (lambda t, n: insert(t, n) + QUIT, 1),
    "nothing behind a quit": (lambda t, n: QUIT + insert(t, n), 0),
    "pipelined inserts": (lambda t, n: b"".join(insert(t, 10 * n + i) for i in range(10)), 10),
    "a transaction": (lambda t, n: query("BEGIN") + insert(t, n) + query("COMMIT"), 1),
    "a transaction that is not committed": (lambda t, n: query("BEGIN") + insert(t, n), 0),
    "half a command": (lambda t, n: insert(t, n) + insert(t, -n)[:-3], 1),
    "a slow insert": (lambda t, n: query(f"INSERT INTO {t} SELECT {n} + SLEEP(0.2)") + insert(t, 1000 + n), 2),
    "statements that depend on each other": (
        lambda t, n: query(f"SET @v = {n}") + query(f"INSERT INTO {t} VALUES (@v)") + query("BEGIN") + query("ROLLBACK"),
        1,
    ),
}
FLAGS = {"": 0, "compressed": raw.COMPRESS}  # compressed, one write is one packet with all of it
ENDS = {
    "close": lambda client: client.close(),
    "half-close": lambda client: client.socket.shutdown(socket.SHUT_WR),
}


@pytest.fixture
def sides(tidb, open_door, account):
    door = open_door(account, size=2)
    return {"direct": ("127.0.0.1", tidb.port), "proxy": (door.host, door.port)}, door


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", WRITES)
def test_stores_what_was_sent_as_tidb_does(tidb, sides, account, table, name, end, flags):
    write, stored = WRITES[name]
    for side, address in sides[0].items():
        rows = table("id INT PRIMARY KEY")
        clients = []
        for number in range(1, ROUNDS + 1):
            client = raw.RawClient(address, account.user, account.password, account.database, FLAGS[flags])
            client.write(write(rows, number))
            ENDS[end](client)
            clients.append(client)

        def count():
            return tidb.execute(f"SELECT COUNT(*) FROM {account.database}.{rows}")[0][0]

        wait_until(lambda: count() == stored * ROUNDS, 30, f"{stored * ROUNDS} rows, {side}")
        sessions = f"SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{account.user}' AND info IS NOT NULL"
        wait_until(lambda: tidb.execute(sessions)[0][0] == 0, 30, f"the statements to end, {side}")
        assert count() == stored * ROUNDS
        for client in clients:
            client.close()


@pytest.mark.parametrize("flags", FLAGS)
def test_answers_who_only_sends_no_more(sides, account, flags):
    answers = []
    for address in sides[0].values():
        client = raw.RawClient(address, account.user, account.password, account.database, FLAGS[flags])
        client.checks_order = False
        client.write(query("SELECT 1") + query("SELECT nothing") + query("SELECT REPEAT('x', 3000000)"))
        client.socket.shutdown(socket.SHUT_WR)
        answers.append([client.answer(raw.QUERY).packets for _ in range(3)])
        with pytest.raises((raw.Lost, ConnectionError)):
            client.answer(raw.QUERY)
        client.close()
    assert answers[0] == answers[1]


def test_loads_no_half_file(tidb, sides, account, table):
    for address in sides[0].values():
        rows = table("id INT PRIMARY KEY")
        client = raw.RawClient(address, account.user, account.password, account.database, raw.LOCAL_FILES)
        client.begin(raw.QUERY, f"LOAD DATA LOCAL INFILE 'x' INTO TABLE {rows}".encode())
        client.read_packet()
        client.write(raw.frames(b"1\n2\n3\n", 2)[0])
        client.close()
        running = f"SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'LOAD DATA%{rows}%'"
        wait_until(lambda: tidb.execute(running)[0][0] == 0, 10, "the load to end")
        assert tidb.execute(f"SELECT COUNT(*) FROM {account.database}.{rows}")[0][0] == 0


# By the password that is sent for the change; TiDB closes the connection where it is wrong.
CHANGES = {"right": (lambda account: account.password, 2), "wrong": (lambda account: "no" + account.password, 1)}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("password", CHANGES)
def test_a_change_of_user_in_the_same_write_is_made_in_its_turn(tidb, sides, account, table, password, end):
    """The transaction before it is rolled back by it, what comes behind it is executed as the new user's or not at all."""
    password_of, stored = CHANGES[password]
    for side, address in sides[0].items():
        rows = table("id INT PRIMARY KEY, v INT")
        clients = []
        for number in range(ROUNDS):
            client = raw.RawClient(address, account.user, account.password, account.database)
            change = client.change_of_user(account.user, password_of(account), account.database)
            client.write(
                query("SET @v = 7") + query(f"INSERT INTO {rows} VALUES ({number}, @v)")
                + query("BEGIN") + query(f"INSERT INTO {rows} VALUES ({1000 + number}, @v)")
                + raw.frames(bytes([raw.CHANGE_USER]) + change)[0]
                + query(f"INSERT INTO {rows} VALUES ({2000 + number}, @v)")
            )  # fmt: skip
            ENDS[end](client)
            clients.append(client)

        def found():
            return sorted(tidb.execute(f"SELECT id DIV 1000, COUNT(*), COUNT(v) FROM {account.database}.{rows} GROUP BY 1"))

        wanted = [(0, ROUNDS, ROUNDS), (2, ROUNDS, 0)][:stored]
        wait_until(lambda: found() == wanted, 30, lambda: f"{wanted}, {side}: {found()}")
        for client in clients:
            client.close()
