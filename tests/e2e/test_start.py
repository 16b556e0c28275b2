"""The start and the end of the process itself: signals at any moment, ports that are taken, files that are wrong.

Nobody needs a TiDB here: the pool's address refuses.
"""
import contextlib
import os
import pathlib
import resource
import signal
import socket
import subprocess
import urllib.request

import pytest
import yaml

from support.processes import Program, free_port
from support.tidepool import binary
from support.waiting import wait_until

pytestmark = pytest.mark.proxy_only

HELD = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2]
MOMENTS = 12


class Start:
    """One Tidepool and its log; all of one test end with it."""

    def __init__(self, folder, number, settings, **options):
        self._output = folder / f"{number}.log"
        self._file = folder / f"{number}.yaml"
        self._file.touch(mode=0o600)
        self._file.write_text(yaml.safe_dump(settings))
        self.program = Program([binary(), "--config", self._file], self._output, **options)

    def log(self):
        return self._output.read_text(errors="replace")

    def says(self, text, seconds=30):
        wait_until(lambda: text in self.log() or self.program.exit_code is not None, seconds, lambda: f"{text}:\n{self.log()}")
        assert text in self.log(), f"it ended with {self.program.exit_code}:\n{self.log()}"
        return self

    def ends_with(self, code, text="", seconds=30):
        assert self.program.wait(seconds) == code, self.log()
        assert text in self.log()

    def progress(self):
        """How far it is, in pages that it has touched."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return int(pathlib.Path(f"/proc/{self.program.pid}/stat").read_text().rsplit(")", 1)[1].split()[7])
        return 0

    def is_up(self):
        return "listening address=" in self.log() or self.program.exit_code is not None

    def holds_signals(self):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            status = pathlib.Path(f"/proc/{self.program.pid}/status").read_text()
            held = int(status.split("SigBlk:")[1].split()[0], 16)
            return all(held >> (number - 1) & 1 for number in HELD)
        return False

    def reach(self, progress=0):
        """In the shortest time: the first line of the program and that progress, or its first client."""
        while not (self.holds_signals() and self.progress() >= progress) and not self.is_up():
            pass
        return self

    def end(self):
        if self.program.exit_code is None:
            self.program.send(signal.SIGTERM)
            self.ends_with(0)


@pytest.fixture
def start(tmp_path):
    """start(key=value, …) starts a Tidepool with these settings; each is ended gently, which must work."""
    all_of_them = []

    def start_one(options=None, **settings):
        pool = {"host": "127.0.0.1", "port": free_port(), "user": "u", "password": "p", "tls": {"mode": "disabled"}}
        given = {
            "listeners": [{"address": f"127.0.0.1:{free_port()}"}],
            "http": {"address": f"127.0.0.1:{free_port()}"},
            "pools": [pool | settings.pop("pool", {})],
        } | settings
        one = Start(tmp_path, len(all_of_them), given, **(options or {}))
        all_of_them.append(one)
        return one

    yield start_one
    for one in all_of_them:
        one.end()


def moments(start, **settings):
    """As many progresses between the first line of the program and its first client.

    On a busy machine the whole start may be over before it is looked at: then another one is.
    """
    for _ in range(20):
        one = start(**settings)
        one.reach()
        first = one.progress()
        one.says("listening address=")
        last = one.progress()
        one.end()
        if last > first:
            return [first + (last - first) * number // (MOMENTS - 1) for number in range(MOMENTS)]
    raise AssertionError("no start was seen before it was over")


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        (signal.SIGTERM, "draining signal=SIGTERM"),
        (signal.SIGINT, "draining signal=SIGINT"),
        (signal.SIGHUP, "configuration reloaded why=SIGHUP"),
        (signal.SIGUSR2, "taken over from the process before this one"),
    ],
)
def test_a_signal_at_any_moment_of_the_start_is_carried_out(start, number, answer):
    for moment in moments(start):
        one = start()
        one.reach(moment)
        one.program.send(number)
        one.says(answer)
        if number in (signal.SIGTERM, signal.SIGINT):
            one.ends_with(0, "stopped")
        one.end()


def test_all_signals_of_a_start_are_carried_out(start):
    one = start()
    one.reach()
    for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGTERM):
        one.program.send(number)
    one.says("draining signal=SIGTERM")
    one.ends_with(0, "stopped")
    assert "configuration reloaded" in one.log() or "configuration not reloaded: this process drains" in one.log()
    assert "takeover: a new process" in one.log() or "no takeover: this process drains" in one.log()


def test_sigterm_again_and_again_ends_it_with_0(start):
    for _ in range(5):
        one = start().says("listening address=")
        while one.program.exit_code is None:
            one.program.send(signal.SIGTERM)
        one.ends_with(0, "stopped")


def test_sigterm_ends_it_while_tidb_hangs_in_the_login(start):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one = start(pool={"port": silent.getsockname()[1], "connect_timeout": "60s"}).says("listening address=")
        backend, _ = silent.accept()
        with backend:
            one.program.send(signal.SIGTERM)
            one.ends_with(0, "stopped", seconds=10)


def test_whoever_reads_the_log_may_leave(start):
    """Also before the first line of it."""
    read, write = socket.socketpair()
    read.close()
    with write:
        http = free_port()
        start({"preexec_fn": lambda: [os.dup2(write.fileno(), fd) for fd in (1, 2)]}, http={"address": f"127.0.0.1:{http}"})
        wait_until(lambda: is_healthy(http), 30, "it to answer")


def is_healthy(port):
    with contextlib.suppress(OSError):
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).status == 200
    return False


def test_a_second_one_on_the_same_address_says_so_and_ends(start):
    port = free_port()
    for first, second in (("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "0.0.0.0"), ("0.0.0.0", "127.0.0.1")):
        one = start(listeners=[{"address": f"{first}:{port}"}], workers=3).says("listening address=")
        two = start(listeners=[{"address": f"{second}:{port}"}], workers=3)
        two.ends_with(1, f"cannot listen on '{second}' port {port}: Address already in use")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            assert client.recv(5)[4] == 10, "a greeting"
        one.end()


def test_a_second_one_on_the_same_http_address_says_so_and_ends(start):
    address = f"127.0.0.1:{free_port()}"
    start(http={"address": address}).says("listening address=")
    start(http={"address": address}).ends_with(1, f"cannot listen for HTTP on {address}: the port is taken")


def test_a_second_one_on_the_same_socket_says_so_and_ends(start, tmp_path):
    path = tmp_path / "s"
    start(listeners=[{"socket": str(path)}]).says("listening address=")
    start(listeners=[{"socket": str(path)}]).ends_with(1, f"cannot listen on '{path}': another process listens on it")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        assert client.recv(5)[4] == 10, "a greeting"


def test_of_many_that_start_at_once_one_runs(start, tmp_path):
    stale = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(stale))  # and is left there
    for listener in ({"address": f"127.0.0.1:{free_port()}"}, {"socket": str(stale)}):
        every = [start(listeners=[listener], workers=2) for _ in range(6)]
        wait_until(lambda: all(one.is_up() for one in every), 60, "all to have tried")
        assert sorted(one.program.exit_code or 0 for one in every) == [0, 1, 1, 1, 1, 1]
        for one in every:
            one.end()


def test_it_leaves_the_file_of_another_one_alone(start, tmp_path):
    path = tmp_path / "s"
    one = start(listeners=[{"socket": str(path)}]).says("listening address=")
    path.unlink()
    start(listeners=[{"socket": str(path)}]).says("listening address=")
    one.end()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        assert client.recv(5)[4] == 10, "a greeting"


def test_a_start_that_fails_leaves_nothing_and_says_why(start, tmp_path):
    path = tmp_path / "s"
    taken = free_port()
    with socket.create_server(("127.0.0.1", taken)):
        start(listeners=[{"socket": str(path)}], http={"address": f"127.0.0.1:{taken}"}).ends_with(1, "the port is taken")
    assert not path.exists()
    (tmp_path / "bad.pem").write_text("no certificate")
    tls = {"mode": "optional", "certificate": str(tmp_path / "bad.pem"), "key": str(tmp_path / "bad.pem")}
    listeners = [{"socket": str(path)}, {"address": f"127.0.0.1:{free_port()}", "tls": tls}]
    start(listeners=listeners).ends_with(1, "bad.pem")
    start(listeners=[{"socket": str(tmp_path)}]).ends_with(1, f"cannot listen on '{tmp_path}': it exists and is not a socket")
    start(listeners=[{"socket": str(path)}, {"socket": str(tmp_path / "no" / "s")}]).ends_with(1, "No such file or directory")
    assert not path.exists()
    start(quux=1).ends_with(2, "unknown key")


def test_whoever_connects_during_the_start_is_served(start):
    for _ in range(5):
        port, http = free_port(), free_port()
        start(listeners=[{"address": f"127.0.0.1:{port}"}], http={"address": f"127.0.0.1:{http}"}, workers=2)
        with connect_at_once(port) as client, connect_at_once(http) as scraper:
            scraper.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert client.recv(5)[4] == 10, "a greeting"
            assert scraper.recv(15).startswith(b"HTTP/1.1 200")


def connect_at_once(port):
    connection = []

    def is_connected():
        with contextlib.suppress(ConnectionRefusedError):
            connection.append(socket.create_connection(("127.0.0.1", port), timeout=30))
        return connection

    while not is_connected():
        pass
    return connection[0]


def test_a_check_of_the_configuration_may_be_interrupted(tmp_path):
    """Here by one that waits for a text that never comes."""
    pipe = tmp_path / "pipe"
    subprocess.run(["mkfifo", str(pipe)], check=True)
    program = Program([binary(), "--check-config", "--config", pipe], tmp_path / "log")
    fields = pathlib.Path(f"/proc/{program.pid}/status")
    wait_until(lambda: "S (sleeping)" in fields.read_text(), 30, "it to wait")
    program.send(signal.SIGTERM)
    assert program.wait(10) == -signal.SIGTERM


def test_sigterm_while_the_configuration_is_read_again_is_carried_out_behind_it(start, tmp_path):
    """The password comes by a pipe, so that a reload takes as long as the test likes."""
    pipe = tmp_path / "password"
    os.mkfifo(pipe, 0o600)

    def open_for_reader():
        with contextlib.suppress(OSError):  # nobody reads
            writers.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return writers

    def end_password():
        os.write(writers[0], b"p")
        os.close(writers.pop())

    writers = []
    pool = {"host": "127.0.0.1", "port": free_port(), "user": "u", "password_file": str(pipe), "tls": {"mode": "disabled"}}
    one = start(pools=[pool], reload_on_change=False)
    wait_until(open_for_reader, 30, "it to read the password")
    end_password()
    one.says("listening address=")
    one.program.send(signal.SIGHUP)
    wait_until(open_for_reader, 30, "it to read the password again")
    one.program.send(signal.SIGTERM)
    end_password()
    one.ends_with(0, "stopped")
    assert "configuration reloaded" in one.log() and "draining signal=SIGTERM" in one.log(), one.log()


# What stands in the way of the process that is to take over, by how far it comes.
HALF_DONE = {
    "does not begin": "exec sleep 600",
    "begins late": 'until [ -e "$0.go" ]; do sleep 0.05; done; exec "$0.real" "$@"',
    "hangs at its end": "trap '' TERM; while :; do sleep 600; done",
}


@pytest.mark.parametrize("how", HALF_DONE)
@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_sigterm_during_a_takeover_that_is_half_done_ends_everybody(start, tmp_path, monkeypatch, how, times):
    real = tmp_path / "tidepool.real"
    link = tmp_path / "tidepool"
    for name in (real, link):
        name.symlink_to(binary().resolve())
    monkeypatch.setenv("TIDEPOOL_BINARY", str(link))
    one = start().says("listening address=")
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\necho half done as $$\n{HALF_DONE[how]}\n")
    script.chmod(0o755)
    os.replace(script, link)
    one.program.send(signal.SIGUSR2)
    one.says("half done as ")
    other = int(one.log().split("half done as ")[1].split()[0])
    for _ in range(times):
        one.program.send(signal.SIGTERM)
    (tmp_path / "tidepool.go").touch()
    one.ends_with(0, "stopped")
    wait_until(lambda: not is_running(other), 30, lambda: f"the new process to end too:\n{one.log()}")


def is_running(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


POOL = "pools: [{host: h, user: u, password: p}]\n"
DEEP = 10_000
# Texts that make readers of YAML execute something, grow without end or fall over, and what is said of them.
HOSTILE = {
    "a tag of Python": (POOL + "workers: !!python/object/apply:os.system ['id']\n", ":2:10: found a tag"),
    "a tag of nobody": (POOL + "workers: !foo 5\n", ":2:10: found a tag"),
    "aliases that multiply": (
        "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)) + POOL,
        ":1:1: a0: unknown key",
    ),
    "aliases that multiply where a list is wanted": (
        "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)) + "pools: *a29\n",
        "pools[0]: found a list",
    ),
    "an alias of itself": ("pools: &a [*a]\n", ":1:8: pools[0]: found a list"),
    "brackets": (POOL + "workers: " + "[" * DEEP, "this is nested too deeply"),
    "brackets that are closed": (POOL + "workers: " + "[" * DEEP + "]" * DEEP, "this is nested too deeply"),
    "braces": (POOL + "workers: " + "{a: " * DEEP, "this is nested too deeply"),
    "dashes": ("- " * DEEP, "this is nested too deeply"),
    "question marks": ("? " * DEEP, "this is nested too deeply"),
    "a file without end": ("#" + "x" * (2 << 20), "cannot be read: File too large"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_configuration_is_refused_quickly(tmp_path, name):
    text, wanted = HOSTILE[name]
    file = tmp_path / "t.yaml"
    file.write_text(text)

    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
        if not os.environ.get("TIDEPOOL_BINARY"):  # a sanitizer's memory is another's
            resource.setrlimit(resource.RLIMIT_DATA, (512 << 20, 512 << 20))

    done = subprocess.run(
        [binary(), "--check-config", "--config", file], capture_output=True, text=True, timeout=60, preexec_fn=limit
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1 and wanted in said and len(said) < 100_000, (done.returncode, said[:2000])
