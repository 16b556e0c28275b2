"""From start to stop: what happens to clients when the proxy, a backend or TiDB goes."""
import concurrent.futures
import threading
import time

import pymysql
import pytest

from support.tidb import TidbServer
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]


def rows_of(connection, query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def error_of(call):
    with pytest.raises((pymysql.err.MySQLError, OSError)) as caught:
        call()
    return caught.value


@pytest.fixture
def account(tidb):
    return tidb.new_account("life")


def answers(connection):
    try:
        return rows_of(connection, "SELECT 1") == ((1,),)
    except pymysql.err.MySQLError as error:
        assert error.args[0] != 2013, error
        return False


class Load:
    """Clients that read, write and commit until they are told to stop; keeps what went wrong."""

    def __init__(self, door, clients):
        self._door, self._stop = door, threading.Event()
        self.errors, self.done = [], 0
        with door.connect() as connection:
            rows_of(connection, "CREATE TABLE IF NOT EXISTS counts (id INT PRIMARY KEY, n INT)")
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads)

    def _run(self, number):
        try:
            with self._door.connect() as connection:
                rows_of(connection, f"REPLACE INTO counts VALUES ({number}, 0)")
                turns = 0
                while not self._stop.is_set():
                    turns += 1
                    connection.begin()
                    rows_of(connection, f"UPDATE counts SET n = n + 1 WHERE id = {number}")
                    connection.commit()
                    assert rows_of(connection, f"SELECT n FROM counts WHERE id = {number}") == ((turns,),)
                    self.done += 1
        except Exception as error:  # kept for the test, in whose thread it counts
            self.errors.append(error)


def test_sigterm_finishes_what_runs_and_ends_with_0(open_door, account):
    """A statement, a transaction and an idle client; nobody new gets in."""
    door = open_door(account, config={"drain_timeout": "10s"})
    with door.connect() as connection:
        rows_of(connection, "CREATE TABLE kept (id INT PRIMARY KEY)")
    running, transaction, idle = door.connect(), door.connect(), door.connect()
    transaction.begin()
    rows_of(transaction, "INSERT INTO kept VALUES (1)")
    rows_of(idle, "SELECT 1")
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        answer = thread.submit(rows_of, running, "SELECT SLEEP(2), 'done'")
        query = "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(2)%'"
        wait_until(lambda: door.tidb.execute(query), 10, "the statement to run")
        door.proxy.terminate()
        wait_until(lambda: refuses(door), 10, "the proxy to refuse new clients")
        rows_of(transaction, "INSERT INTO kept VALUES (2)")
        transaction.commit()
        assert answer.result(15) == ((0, "done"),)
    assert door.proxy.wait_for_end(15) == 0
    assert door.tidb.execute(f"SELECT id FROM {account.database}.kept ORDER BY id") == ((1,), (2,))
    wait_until(lambda: not door.tidb.connections_of(account), 10, "TiDB to see the backends go")


def refuses(door):
    try:
        pymysql.connect(**door.arguments(), connect_timeout=5).close()
    except (pymysql.err.MySQLError, OSError):
        return True
    return False


def test_sigterm_cuts_off_at_the_deadline_what_does_not_finish(open_door, account):
    door = open_door(account, config={"drain_timeout": "1s"})
    with door.connect() as connection:
        rows_of(connection, "CREATE TABLE lost (id INT PRIMARY KEY)")
    transaction = door.connect()
    transaction.begin()
    rows_of(transaction, "INSERT INTO lost VALUES (1)")
    started = time.monotonic()
    door.proxy.terminate()
    assert door.proxy.wait_for_end(10) == 0
    assert time.monotonic() - started < 6
    error_of(lambda: rows_of(transaction, "SELECT 1"))
    assert door.tidb.execute(f"SELECT * FROM {account.database}.lost") == ()


def test_sigterm_without_clients_ends_at_once(open_door, account):
    door = open_door(account, config={"drain_timeout": "30s"})
    started = time.monotonic()
    door.proxy.terminate()
    assert door.proxy.wait_for_end(10) == 0
    assert time.monotonic() - started < 5


def test_a_killed_idle_backend_is_replaced_unseen(open_door, account):
    door = open_door(account, size=1)
    with door.connect() as connection:
        for _ in range(5):
            ((before,),) = [rows_of(connection, "SELECT 1")]
            (number,) = door.tidb.connections_of(account)
            door.tidb.execute(f"KILL {number}")
            wait_until(lambda: number not in door.tidb.connections_of(account), 10, "the backend to be gone")
            wait_until(lambda: door.proxy.metric("tidepool_backends") == 0, 10, "the proxy to notice")
            assert rows_of(connection, "SELECT 1") == (before,)
            assert number not in door.tidb.connections_of(account)


def test_a_backend_killed_in_a_transaction_is_an_error_for_its_client_alone(open_door, account):
    door = open_door(account, size=2)
    with door.connect() as victim, door.connect() as bystander:
        rows_of(bystander, "CREATE TABLE half (id INT PRIMARY KEY)")
        victim.begin()
        rows_of(victim, "INSERT INTO half VALUES (1)")
        query = f"SELECT id FROM information_schema.processlist WHERE user = '{account.user}' AND state LIKE '%in transaction%'"
        ((number,),) = door.tidb.execute(query)
        door.tidb.execute(f"KILL {number}")
        error = error_of(lambda: (rows_of(victim, "INSERT INTO half VALUES (2)"), victim.commit()))
        assert isinstance(error, (pymysql.err.OperationalError, pymysql.err.InternalError, pymysql.err.DatabaseError))
        assert rows_of(bystander, "SELECT * FROM half") == ()
    with door.connect() as again:
        assert rows_of(again, "SELECT COUNT(*) FROM half") == ((0,),)


def test_a_backend_killed_while_it_runs_a_write_is_an_error_and_nothing_is_done_twice(open_door, account):
    door = open_door(account, size=2)
    with door.connect() as connection:
        rows_of(connection, "CREATE TABLE once (id INT PRIMARY KEY AUTO_INCREMENT, v INT)")
    victim = door.connect()
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        answer = thread.submit(error_of, lambda: rows_of(victim, "INSERT INTO once (v) SELECT SLEEP(20)"))
        query = "SELECT id FROM information_schema.processlist WHERE info LIKE 'INSERT INTO once%'"
        number = wait_until(lambda: door.tidb.execute(query), 10, "the statement to run")[0][0]
        door.tidb.execute(f"KILL {number}")
        assert isinstance(answer.result(15), pymysql.err.MySQLError)
    assert door.tidb.execute(query) == ()
    with door.connect() as connection:
        assert rows_of(connection, "SELECT COUNT(*) FROM once") == ((0,),)


def test_backends_that_are_recycled_under_load_are_no_error_for_anybody(open_door, account):
    door = open_door(account, size=3, max_overflow=2, recycle="300ms")
    seen = set()
    with door.tidb.watch(account) as watch, Load(door, 12) as load:
        wait_until(lambda: seen.update(door.tidb.connections_of(account)) or len(seen) > 20, 30, "20 backends")
        before = load.done
        wait_until(lambda: load.done > before + 50, 20, "the load to go on")
    assert load.errors == []
    assert watch.most <= 5


def test_an_idle_backend_is_closed_after_its_time(open_door, account):
    door = open_door(account, size=3, idle_timeout="500ms")
    with door.connect() as connection:
        rows_of(connection, "SELECT 1")
        wait_until(lambda: not door.tidb.connections_of(account), 10, "the idle backend to be closed")
        assert rows_of(connection, "SELECT 1") == ((1,),)


@pytest.fixture
def mortal(tmp_path_factory, authority):
    """A TiDB that a test may stop and start again."""
    server = TidbServer(tmp_path_factory.mktemp("mortal"), authority.issue("localhost"), durable=True)
    try:
        yield server.start()
    finally:
        server.crash()


def test_clients_wait_for_a_tidb_that_comes_back_after_a_crash_and_go_on(open_door, mortal):
    account = mortal.new_account()
    door = open_door(account, server=mortal, size=2, timeout="60s", backoff={"initial": "50ms", "max": "500ms"})
    idle = [door.connect() for _ in range(4)]
    for number, connection in enumerate(idle):
        rows_of(connection, f"SET time_zone = '+0{number}:00'")
    mortal.crash()
    wait_until(lambda: door.proxy.metric("tidepool_backends") == 0, 10, "the proxy to notice")
    with concurrent.futures.ThreadPoolExecutor(5) as threads:
        answers = [threads.submit(rows_of, connection, "SELECT @@time_zone") for connection in idle]
        newcomer = threads.submit(lambda: rows_of(door.connect(), "SELECT 1"))
        wait_until(lambda: door.proxy.metric("tidepool_waiters") >= 4, 10, "the clients to wait")
        assert not any(answer.done() for answer in answers)
        mortal.start()
        assert [answer.result(60) for answer in answers] == [((f"+0{n}:00",),) for n in range(4)]
        assert newcomer.result(60) == ((1,),)
    for connection in idle:
        connection.close()


def test_a_tidb_that_is_away_too_long_is_an_error_that_says_so(open_door, mortal):
    account = mortal.new_account()
    door = open_door(account, server=mortal, size=1, timeout="1s")
    with door.connect() as connection:
        rows_of(connection, "SELECT 1")
        mortal.crash()
        wait_until(lambda: door.proxy.metric("tidepool_backends") == 0, 10, "the proxy to notice")
        error = error_of(lambda: rows_of(connection, "SELECT 1"))
        assert isinstance(error, pymysql.err.MySQLError) and error.args[0] != 2013
        assert "refused" in error.args[1] or "connect" in error.args[1].lower()
        mortal.start()
        # Between two dials of the backoff a client may still be told of the last one that failed.
        wait_until(lambda: answers(connection), 20, "the same client to be served again")


def test_a_tidb_that_shuts_down_in_order_and_comes_back_loses_no_idle_client(open_door, mortal):
    account = mortal.new_account()
    door = open_door(account, server=mortal, size=2, timeout="60s", backoff={"initial": "50ms", "max": "500ms"})
    with door.connect() as connection:
        rows_of(connection, "SELECT 1")
        mortal.terminate()
        mortal.wait_for_end(40)
        mortal.start()
        assert rows_of(connection, "SELECT 1") == ((1,),)
