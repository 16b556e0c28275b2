"""Another process takes the clients over (SIGUSR2), again and again, while they work."""
import concurrent.futures
import contextlib
import copy
import os
import pathlib
import re
import signal
import socket
import threading
import time

import pymysql
import pytest
import yaml

import raw_protocol as raw
from support.tidepool import binary
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]

TAKEN_OVER = "taken over from the process before this one"


def one(connection, query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


class Upgrade:
    """Signals go to the process that was started first, as from who knows no other one."""

    def __init__(self, proxy):
        self.proxy = proxy

    def write(self, text):
        self.proxy.file.write_text(text)

    def change(self, **changes):
        self.write(yaml.safe_dump(self.proxy.config | changes, sort_keys=False))

    def begin(self):
        os.kill(self.proxy.pid, signal.SIGUSR2)

    def take_over(self):
        """Returns the new process's id once it lets clients in."""
        before = self.proxy.log().count(TAKEN_OVER)
        self.begin()
        wait_until(lambda: self.proxy.log().count(TAKEN_OVER) > before, 60, lambda: f"a takeover:\n{self.proxy.log()[-3000:]}")
        return int(re.findall(TAKEN_OVER + r" pid=(\d+)", self.proxy.log())[-1])

    def fail(self):
        """Returns what the log says since then."""
        before, read = self.failed(), len(self.proxy.log())
        self.begin()
        wait_until(lambda: self.failed() > before, 60, lambda: f"a takeover to fail:\n{self.proxy.log()[-3000:]}")
        return self.proxy.log()[read:]

    def failed(self):
        return self.proxy.metric("tidepool_takeovers_total", result="failed")


@pytest.fixture
def account(tidb):
    return tidb.new_account("taken")


@contextlib.contextmanager
def busy(*works):
    """Each runs again and again in a thread of its own; any error is one of the test. Yields how often each has run."""
    ends, errors, turns = threading.Event(), [], [0] * len(works)

    def run(number):
        try:
            while not ends.is_set():
                works[number]()
                turns[number] += 1
        except Exception as error:  # kept for the test, in whose thread it counts
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(len(works))]
    for thread in threads:
        thread.start()
    try:
        yield lambda: (list(turns), errors)
    finally:
        ends.set()
        for thread in threads:
            thread.join(60)
    assert not errors, errors
    assert not any(thread.is_alive() for thread in threads)
    assert all(turns)


def wait_for_everybody(progress):
    before, _ = progress()
    wait_until(lambda: progress()[1] or all(a > b for a, b in zip(progress()[0], before)), 60, "everybody to go on")


def scrape(proxy, path="/healthz"):
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", proxy.http_port), timeout=30) as http:
        http.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        answer = b""
        while piece := http.recv(65536):
            answer += piece
    is_slow = time.monotonic() - started > 0.5  # whoever is silent for a second is not listened to any more
    assert answer.startswith(b"HTTP/1.1 200") or (is_slow and not answer), answer


def test_nobody_notices_many_takeovers(open_door, tidb, account):
    """Those who come and go, by TCP and by the Unix socket, a scraper, and a transaction and a session across each."""
    door = open_door(account, size=4, config={"workers": 2, "reload_on_change": False})
    upgrade = Upgrade(door.proxy)
    with door.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY, mark INT DEFAULT 0)")

    def come_and_go(**where):
        with door.connect(**where) as connection:
            assert one(connection, "SELECT 17") == 17
            connection.begin()
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO counted () VALUES ()")
            connection.commit()

    by_socket = {"host": None, "unix_socket": str(door.socket_path)}
    works = [come_and_go] * 3 + [lambda: come_and_go(**by_socket), lambda: scrape(door.proxy)]
    with tidb.watch(account) as watch, door.connect() as steady, busy(*works) as progress:
        first = one(steady, "SELECT CONNECTION_ID()")
        ids = {first}
        for number in range(6):
            upgrade.change(workers=(1, 3, 2)[number % 3])
            with door.connect() as across:
                across.begin()
                with across.cursor() as cursor:
                    cursor.execute("INSERT INTO counted (mark) VALUES (%s)", (number + 1,))
                upgrade.take_over()
                with across.cursor() as cursor:
                    cursor.execute("UPDATE counted SET mark = -mark WHERE mark = %s", (number + 1,))
                across.commit()
            wait_for_everybody(progress)
            with door.connect() as new:
                ids.add(one(new, "SELECT CONNECTION_ID()"))
            assert one(steady, "SELECT CONNECTION_ID()") == first, "it is still in the first process"
        turns, _ = progress()
        assert len(ids) == 7, "no id is given twice"
        assert door.proxy.metric("tidepool_takeovers_total", result="ok") == 1
        assert door.proxy.metric("tidepool_workers") == 2
    with door.connect() as connection:
        assert one(connection, "SELECT COUNT(*) FROM counted WHERE mark = 0") >= sum(turns[:4])
        assert one(connection, "SELECT COUNT(*) FROM counted WHERE mark < 0") == 6
    assert watch.polls > 0 and watch.most <= 4


def test_after_its_time_the_old_process_drains(open_door, account):
    door = open_door(account, config={"takeover_timeout": "0s", "reload_on_change": False})
    upgrade = Upgrade(door.proxy)
    with door.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (id INT PRIMARY KEY)")
    with door.connect() as idle, door.connect() as busy_one:
        assert one(idle, "SELECT 1") == 1
        busy_one.begin()
        with busy_one.cursor() as cursor:
            cursor.execute("INSERT INTO kept VALUES (1)")
        upgrade.take_over()
        wait_until(lambda: b"" == peek(idle), 30, "the idle session to end")
        with busy_one.cursor() as cursor:
            cursor.execute("INSERT INTO kept VALUES (2)")
        busy_one.commit()
        wait_until(lambda: b"" == peek(busy_one), 30, "the other one to end too")
    with door.connect() as new:
        assert one(new, "SELECT COUNT(*) FROM kept") == 2
    wait_until(lambda: "the process before this one has ended its work" in door.proxy.log(), 30, "its end")
    assert door.proxy.exit_code is None, "it stays, for whoever waits for it"


def peek(connection):
    """b"" once the other end has closed it; what else is there stays."""
    try:
        return connection._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except ConnectionError:
        return b""


def test_with_a_wrong_configuration_the_old_process_goes_on(open_door, tidb, account):
    door = open_door(account, config={"reload_on_change": False})
    upgrade = Upgrade(door.proxy)
    with door.connect() as connection:
        upgrade.change(max_clientz=7)
        said = upgrade.fail()
        assert "max_clientz" in said
        assert "takeover failed, this process goes on" in said
        taken = socket.socket()
        with contextlib.closing(taken):
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            upgrade.change(http={"address": f"127.0.0.1:{taken.getsockname()[1]}"})
            assert "the port is taken" in upgrade.fail()
        pools = copy.deepcopy(door.proxy.config["pools"])
        pools[0]["password"] = "wrong"
        upgrade.change(pools=pools)
        assert "Access denied" in upgrade.fail()
        with door.connect(unix_socket=str(door.socket_path), host=None) as second:
            assert one(second, "SELECT 2") == 2
        assert one(connection, "SELECT 1") == 1
        upgrade.change(max_clients=123)
        upgrade.take_over()
        assert door.proxy.metric("tidepool_clients_max") == 123
        assert one(connection, "SELECT 1") == 1
    upgrade.change(max_clients=124)
    os.kill(door.proxy.pid, signal.SIGHUP)  # is passed on
    wait_until(lambda: door.proxy.metric("tidepool_clients_max") == 124, 30, "the new process to read it again")


def replace(link, content):
    """A program takes the place of another one as package managers have it."""
    new = link.with_suffix(".new")
    if isinstance(content, pathlib.Path):
        new.symlink_to(content)
    else:
        new.write_text("#!/bin/sh\n" + content)
        new.chmod(0o755)
    os.replace(new, link)


def test_a_new_program_that_does_not_work_changes_nothing(open_door, account, monkeypatch, tmp_path):
    real = binary().resolve()
    link = tmp_path / "tidepool"
    replace(link, real)
    monkeypatch.setenv("TIDEPOOL_BINARY", str(link))
    door = open_door(account)
    upgrade = Upgrade(door.proxy)
    with door.connect() as connection:
        replace(link, "exit 9\n")
        assert "exit code 9" in upgrade.fail()
        replace(link, "kill -SEGV $$\n")
        assert "exit code 139" in upgrade.fail()
        link.unlink()
        assert "no such file" in upgrade.fail()
        assert one(connection, "SELECT 1") == 1
        replace(link, f'echo "this is the new program"; exec {real} "$@"\n')
        upgrade.take_over()
        assert "this is the new program" in door.proxy.log()
        with door.connect() as new:
            assert one(new, "SELECT 2") == 2
        assert one(connection, "SELECT 1") == 1


def test_when_the_new_process_dies_the_old_one_takes_its_clients_back(open_door, account):
    door = open_door(account)
    upgrade = Upgrade(door.proxy)

    def knock():
        """Nobody is refused, also while nobody accepts."""
        for address in (("127.0.0.1", door.port), str(door.socket_path)):
            family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
            with socket.socket(family, socket.SOCK_STREAM) as client:
                client.connect(address)
                with contextlib.suppress(ConnectionResetError):  # of the process that died
                    client.recv(1)

    with door.connect() as connection, busy(knock) as progress:
        for number in range(2):
            new = upgrade.take_over()
            wait_for_everybody(progress)
            os.kill(new, signal.SIGKILL)
            wait_until(lambda number=number: door.proxy.log().count("lets clients in again") > number, 30, "the old one")
            assert upgrade.failed() == number + 1
            with door.connect() as second:
                assert one(second, "SELECT 2") == 2
            with door.connect(unix_socket=str(door.socket_path), host=None) as third:
                assert one(third, "SELECT 3") == 3
            assert one(connection, "SELECT 1") == 1


def test_a_backend_that_is_the_only_one_is_handed_over_when_it_is_free(open_door, tidb, account):
    door = open_door(account, size=1)
    upgrade = Upgrade(door.proxy)
    with tidb.watch(account) as watch, door.connect() as old:
        old.begin()
        (backend,) = tidb.connections_of(account)
        assert one(old, "SELECT 1") == 1
        upgrade.take_over()
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            new = thread.submit(lambda: one(door.connect(), "SELECT 2"))
            wait_until(lambda: door.proxy.metric("tidepool_clients") == 1, 30, "the new client to come")
            assert tidb.connections_of(account) == [backend]
            old.commit()
            assert new.result(60) == 2
    assert watch.polls > 0 and watch.most == 1


def test_the_service_manager_is_told_who_works_now(open_door, account, monkeypatch, tmp_path):
    """Then nobody needs the old process any more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        door = open_door(account)
        upgrade = Upgrade(door.proxy)
        new = upgrade.take_over()
        assert manager.recv(100) == f"MAINPID={new}".encode()
    assert door.proxy.wait_for_end(30) == 0
    with door.connect() as connection:
        assert one(connection, "SELECT 1") == 1
        os.kill(new, signal.SIGTERM)
        wait_until(lambda: peek(connection) == b"", 30, "the new process to drain")
    wait_until(lambda: not is_running(new), 30, "its end")
    assert not door.socket_path.exists()


def test_statements_of_clients_that_have_left_run_to_their_end_in_the_old_process(open_door, tidb, account):
    """Those within the grace; one that takes longer is killed, as it is without a takeover."""
    door = open_door(account, size=4, config={"disconnect_grace": "10s"})
    upgrade = Upgrade(door.proxy)
    with door.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE left_alone (id INT PRIMARY KEY)")
    name = f"{account.database}.left_alone"
    running = f"SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'INSERT INTO {name}%'"
    for number, seconds in ((1, 5), (10, 5), (100, 600)):
        client = raw.RawClient(("127.0.0.1", door.port), account.user, account.password, account.database)
        texts = [f"INSERT INTO {name} SELECT {number} + SLEEP({seconds})", f"INSERT INTO {name} VALUES ({number + 1})"]
        client.write(b"".join(raw.frames(b"\3" + text.encode())[0] for text in texts))
        client.close()
    wait_until(lambda: tidb.execute(running)[0][0] == 3, 30, "all to run")
    upgrade.take_over()
    with door.connect() as new:
        assert one(new, "SELECT 2") == 2
    gone = "the process before this one has ended its work"
    wait_until(lambda: gone in door.proxy.log(), 30, lambda: f"its end:\n{door.proxy.log()[-3000:]}")
    assert "does not end" not in door.proxy.log(), "TiDB was told to end the last one"
    assert tidb.execute(running)[0][0] == 0
    stored = [row[0] for row in tidb.execute(f"SELECT id FROM {name} ORDER BY id")]
    assert stored[:4] == [1, 2, 10, 11] and 100 not in stored


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_sigterm_ends_the_old_and_the_new_process_gently(open_door, account):
    door = open_door(account)
    upgrade = Upgrade(door.proxy)
    with door.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (id INT PRIMARY KEY)")
    with door.connect() as old:
        old.begin()
        with old.cursor() as cursor:
            cursor.execute("INSERT INTO kept VALUES (1)")
        new_process = upgrade.take_over()
        with door.connect() as new:
            new.begin()
            with new.cursor() as cursor:
                cursor.execute("INSERT INTO kept VALUES (2)")
            door.proxy.terminate()
            wait_until(lambda: door.proxy.log().count("draining signal=SIGTERM") == 2, 30, "both to drain")
            old.commit()
            new.commit()
    assert door.proxy.wait_for_end(30) == 0
    assert not is_running(new_process)
    assert len(door.tidb.execute(f"SELECT id FROM {account.database}.kept")) == 2
