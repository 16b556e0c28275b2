"""TiDB itself is stopped, restarted, full, or changes its password: what clients see."""
import concurrent.futures
import contextlib
import signal
import threading

import pymysql
import pytest

from support.fault_bench import error_of, rows_of
from support.tidb import TidbServer
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]

QUICK = {"backoff": {"initial": "10ms", "max": "100ms"}}


@pytest.fixture(scope="module")
def mortal(tmp_path_factory, authority):
    """A TiDB that a test may stop; it runs again afterwards."""
    server = TidbServer(tmp_path_factory.mktemp("mortal"), authority.issue("localhost"), durable=True)
    try:
        yield server.start()
    finally:
        server.crash()


class Readers:
    """Clients that read until the end of the block; a read that fails or is wrong is kept."""

    def __init__(self, door, clients=6):
        self._door, self._stopped = door, threading.Event()
        self.done, self.errors = 0, []
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def _run(self):
        try:
            with self._door.connect(read_timeout=120) as client:
                while not self._stopped.is_set():
                    assert rows_of(client, "SELECT 1 + 1") == ((2,),)
                    self.done += 1
        except Exception as error:  # looked at by the test
            self.errors.append(error)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.expect_more()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        for thread in self._threads:
            thread.join(120)
        assert self.errors == [] and not any(thread.is_alive() for thread in self._threads)

    def expect_more(self):
        """They are served now."""
        before = self.done
        wait_until(lambda: self.errors or self.done > before + 20, 90, "the readers to go on")
        assert self.errors == []


def crash(server):
    server.crash()
    server.start()


def shut_down(server):
    server.terminate()
    server.wait_for_end(60)
    server.start()


def stand_still(server):
    server.send(signal.SIGSTOP)
    try:
        with contextlib.suppress(OSError, pymysql.err.MySQLError):
            pymysql.connect(host="127.0.0.1", port=server.port, user="root", connect_timeout=1, read_timeout=1).close()
    finally:
        server.send(signal.SIGCONT)


@pytest.mark.parametrize("fault", [crash, shut_down, stand_still], ids=lambda fault: fault.__name__)
def test_reads_see_nothing_of_a_tidb_that_is_soon_back(open_door, mortal, fault):
    account = mortal.new_account()
    door = open_door(account, server=mortal, timeout="100s", retry_budget="100s", **QUICK)
    with Readers(door) as readers:
        fault(mortal)
        readers.expect_more()


def test_reads_see_nothing_of_ten_recycles_of_every_backend(open_door, tidb, account):
    door = open_door(account, recycle="300ms", size=4)
    seen = set()
    with tidb.watch(account) as watch, Readers(door) as readers:
        wait_until(
            lambda: seen.update(tidb.connections_of(account)) or len(seen) >= 44, 90, lambda: f"44 backends: {len(seen)}"
        )
        readers.expect_more()
    assert door.proxy.metric("tidepool_retries_total") == 0
    assert watch.most <= 4


def test_a_kill_from_outside_ends_only_what_the_backend_was_doing(open_door, tidb, account):
    door = open_door(account, size=3)
    with Readers(door) as readers:
        for _ in range(6):
            for number in tidb.connections_of(account):
                with contextlib.suppress(pymysql.err.MySQLError):
                    tidb.execute(f"KILL {number}")
            readers.expect_more()


def test_clients_wait_for_a_tidb_that_has_too_many_connections(open_door, tidb):
    account = tidb.new_account()
    door = open_door(account, timeout="60s", **QUICK)
    with contextlib.closing(tidb.root()) as root, root.cursor() as cursor:
        cursor.execute("SET GLOBAL max_connections = 1")
        try:
            wait_until(lambda: not is_let_in(tidb), 10, "TiDB to be full")
            cursor.execute(f"SELECT id FROM information_schema.processlist WHERE user = '{account.user}'")
            for (number,) in cursor.fetchall():
                cursor.execute(f"KILL {number}")
            wait_until(lambda: door.proxy.metric("tidepool_backends") == 0, 20, "the backends to be gone")
            with concurrent.futures.ThreadPoolExecutor(1) as thread:
                answer = thread.submit(lambda: rows_of(door.connect(), "SELECT 3"))
                dials = door.proxy.metric("tidepool_dials_total", result="backend")
                wait_until(lambda: door.proxy.metric("tidepool_dials_total", result="backend") > dials, 20, "a dial to fail")
                assert not answer.done()
                cursor.execute("SET GLOBAL max_connections = 0")
                assert answer.result(60) == ((3,),)
        finally:
            cursor.execute("SET GLOBAL max_connections = 0")


def is_let_in(server):
    try:
        server.root().close()
        return True
    except pymysql.err.MySQLError:
        return False


def test_a_password_that_is_changed_is_told_and_backends_that_are_in_go_on(open_door, tidb):
    account = tidb.new_account()
    door = open_door(account, size=2, **QUICK)
    with door.connect() as client, door.connect() as other:
        rows_of(client, "SELECT 1")
        tidb.execute(f"ALTER USER '{account.user}' IDENTIFIED BY 'another'")
        try:
            assert rows_of(client, "SELECT 4") == ((4,),)
            for number in tidb.connections_of(account):
                tidb.execute(f"KILL {number}")
            wait_until(lambda: door.proxy.metric("tidepool_backends") == 0, 20, "the backends to be gone")
            error = error_of(lambda: rows_of(other, "SELECT 1"))
            assert error.args[0] == 1045, error
        finally:
            tidb.execute(f"ALTER USER '{account.user}' IDENTIFIED BY '{account.password}'")
        wait_until(lambda: is_served(client), 30, "clients to be served again")


def is_served(client):
    try:
        return rows_of(client, "SELECT 1") == ((1,),)
    except pymysql.err.OperationalError as error:
        assert error.args[0] == 1045, error
        return False
