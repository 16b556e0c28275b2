"""Limits: statements that take too long, clients that are silent for too long, a process out of descriptors."""
import contextlib
import os
import resource
import socket

import pymysql
import pytest

from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]

# Hours, if TiDB were let; a SLEEP that is killed is no error.
LONG = "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c"


@pytest.fixture
def account(tidb):
    return tidb.new_account("limits")


def rows_of(connection, query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_a_statement_that_takes_too_long_is_stopped_with_error_3024(open_door, account):
    door = open_door(account, size=2, config={"query_timeout": "300ms"})
    with door.connect() as connection:
        rows_of(connection, "SELECT 1")
        with pytest.raises(pymysql.err.OperationalError) as caught:
            rows_of(connection, LONG)
        assert caught.value.args[0] == 3024
        assert [row[1] for row in rows_of(connection, "SHOW WARNINGS")] == [3024]
        assert rows_of(connection, "SELECT 2") == ((2,),)
        query = "SELECT id FROM information_schema.processlist WHERE info LIKE '%columns c'"
        wait_until(lambda: not door.tidb.execute(query), 10, "TiDB to have stopped it")
    assert door.proxy.metric("tidepool_timeouts_total", kind="query") == 1


def test_a_client_silent_in_a_transaction_is_sent_away_and_the_transaction_rolled_back(open_door, account):
    door = open_door(account, config={"idle_transaction_timeout": "300ms"})
    with door.connect() as connection:
        rows_of(connection, "CREATE TABLE lost (id INT PRIMARY KEY)")
        connection.begin()
        rows_of(connection, "INSERT INTO lost VALUES (1)")
        wait_until(lambda: door.proxy.metric("tidepool_timeouts_total", kind="idle_transaction") == 1, 10, "the limit")
        with pytest.raises(pymysql.err.MySQLError):
            rows_of(connection, "SELECT 1")
    with door.connect() as connection:
        assert rows_of(connection, "SELECT * FROM lost") == ()


def test_a_silent_client_is_sent_away_and_a_busy_one_is_not(open_door, account):
    door = open_door(account, config={"client_idle_timeout": "1s"})
    with door.connect() as silent, door.connect() as busy:

        def is_sent_away():
            assert rows_of(busy, "SELECT SLEEP(0.05)") == ((0,),)
            return door.proxy.metric("tidepool_timeouts_total", kind="client_idle") == 1

        wait_until(is_sent_away, 20, "the limit")
        with pytest.raises(pymysql.err.MySQLError):
            rows_of(silent, "SELECT 1")
        # A statement that takes longer than the limit is no silence.
        assert rows_of(busy, "SELECT SLEEP(1.5)") == ((0,),)


def test_out_of_descriptors_is_error_1040_and_the_proxy_recovers(open_door, account):
    door = open_door(account)
    with door.connect() as before, contextlib.ExitStack() as stack:
        rows_of(before, "SELECT 1")
        pid = door.proxy.pid
        usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = max(int(name) for name in os.listdir(f"/proc/{pid}/fd")) + 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 3, usual[1]))
        refused = []

        def is_refused():
            try:
                stack.enter_context(door.connect())
            except pymysql.err.MySQLError as error:
                refused.append(error.args[0])
            return refused

        wait_until(is_refused, 10, "a client to be refused")
        assert refused == [1040]
        assert rows_of(before, "SELECT 1") == ((1,),)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
        with door.connect() as after:
            assert rows_of(after, "SELECT 1") == ((1,),)
    assert door.proxy.metric("tidepool_login_failures_total", reason="descriptors") >= 1


def test_while_memory_is_short_new_clients_wait_and_the_others_go_on(open_door, account):
    door = open_door(account, config={"memory_limit": "96MiB", "command_memory": 0})
    with door.connect() as before, contextlib.ExitStack() as stack:
        rows_of(before, "SELECT 1")
        # Commands of 15 MB that are not sent to their end: the proxy holds what it has of them.
        clients = [stack.enter_context(door.connect()) for _ in range(8)]
        for large in clients:
            large._sock.sendall(b"\xff\xff\xff\x00\x03" + b" " * 15_000_000)
        wait_until(lambda: door.proxy.metric("tidepool_accepting") == 0, 30, "the memory to be short")
        with socket.create_connection(("127.0.0.1", door.port), timeout=60) as waiting:
            assert rows_of(before, "SELECT 2") == ((2,),)
            assert door.proxy.metric("tidepool_clients") == 9
            stack.close()
            assert waiting.recv(5)[4:] == b"\x0a", "its greeting, when there is memory again"
        assert rows_of(before, "SELECT 3") == ((3,),)
    assert door.proxy.metric("tidepool_accept_pauses_total") == 1
