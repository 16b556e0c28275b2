"""Peers that have not logged in: silent, half-sent, garbage, guessing. The clients are served all the same."""
import contextlib
import os
import socket
import struct
import threading
import time

import pymysql
import pytest
import raw_protocol as raw

from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]

GARBAGE_PER_SECOND = 1000


@pytest.fixture
def account(tidb):
    return tidb.new_account("before")


def one(connection, query="SELECT 1"):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def peer(door):
    """Connected and greeted."""
    connection = socket.create_connection(("127.0.0.1", door.port), timeout=30)
    assert connection.recv(5)[4:] == b"\x0a"
    return connection


def resident(door):
    return door.proxy.metric("tidepool_process_resident_memory_bytes")


def failures(door, reason):
    return door.proxy.metric("tidepool_login_failures_total", reason=reason)


def test_silent_peers_keep_nobody_out(open_door, account):
    door = open_door(account, config={"max_clients": 2, "max_pending_logins": 50})
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(peer(door)) for _ in range(60)]
        clients = [stack.enter_context(door.connect()) for _ in range(2)]
        assert [one(client) for client in clients] == [1, 1]
        with pytest.raises(pymysql.err.OperationalError) as caught:
            door.connect()
        assert caught.value.args[0] == 1040
        assert door.proxy.metric("tidepool_pending_logins") <= 50
        assert failures(door, "pending_logins") >= 10
        # The rest has 2 s, as half of the places are taken, and not the 10 s of login_timeout.
        wait_until(lambda: door.proxy.metric("tidepool_pending_logins") < 25, 8, "silent peers to go")
        assert len(silent) == 60


def test_half_sent_logins_keep_little_memory(open_door, account):
    door = open_door(account)
    with contextlib.ExitStack() as stack:
        stack.enter_context(door.connect()).ping()
        before = resident(door)
        for _ in range(400):
            half = stack.enter_context(peer(door))
            with contextlib.suppress(OSError):  # it is refused before all of it is sent
                half.sendall(struct.pack("<I", 80_000)[:3] + b"\x01" + b"x" * 79_999)
        with door.connect() as client:
            assert one(client) == 1
        wait_until(lambda: failures(door, "memory") >= 200, 10, "the sum to be reached")
        assert resident(door) - before < 24 << 20


def test_the_listener_serves_its_clients_under_garbage(open_door, account):
    door = open_door(account)
    stop = threading.Event()
    sent = 0

    def throw_garbage():
        nonlocal sent
        begun = time.monotonic()
        while not stop.is_set():
            if sent > (time.monotonic() - begun) * GARBAGE_PER_SECOND:
                stop.wait(0.001)
                continue
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", door.port), 10) as garbage:
                garbage.sendall(os.urandom(64))
            sent += 1

    with door.connect() as old:
        before = resident(door)
        thread = threading.Thread(target=throw_garbage)
        thread.start()
        try:
            begun, served, slowest = time.monotonic(), 0, 0
            while time.monotonic() < begun + 5:
                start = time.monotonic()
                with door.connect() as new:
                    assert one(new, f"SELECT {served}") == served
                assert one(old) == 1
                slowest = max(slowest, time.monotonic() - start)
                served += 1
        finally:
            stop.set()
            thread.join()
        print(f"{sent} garbage connections in 5 s, {served} clients served, the slowest in {slowest:.3f} s")
        assert sent > 500 and served > 20 and slowest < 2
        assert resident(door) - before < 24 << 20


def test_guesses_are_answered_later_and_later_and_the_right_password_at_once(open_door, account):
    door = open_door(account, config={"failed_login_delay": "400ms"})

    def seconds_of_a_guess():
        begun = time.monotonic()
        with pytest.raises(pymysql.err.OperationalError) as caught:
            door.connect(password="wrong")
        assert caught.value.args[0] == 1045
        return time.monotonic() - begun

    taken = [seconds_of_a_guess() for _ in range(7)]
    assert [seconds >= least for seconds, least in zip(taken, (0, 0, 0, 0.09, 0.19, 0.39, 0.39))] == [True] * 7
    with door.connect() as client:
        assert one(client) == 1
    assert failures(door, "password") == 7
    assert door.proxy.metric("tidepool_login_refusals_delayed_total") == 4


def test_a_change_of_user_is_no_way_to_guess(open_door, account):
    door = open_door(account)
    client = raw.RawClient(("127.0.0.1", door.port), account.user, account.password, account.database)
    for _ in range(2):
        assert client.change_user(account.user, "wrong").error[0] == 1045
        assert client.query("SELECT 1").rows == [[b"1"]]
    assert client.change_user(account.user, "wrong").error[0] == 1045
    with pytest.raises(raw.Lost):
        client.query("SELECT 1")
    client.close()
    assert failures(door, "password") == 3
