"""The HTTP port of the real program under peers that mean it no good: its clients are served, its memory is bounded."""
import contextlib
import gzip
import os
import pathlib
import resource
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

from support.processes import free_port
from support.tidepool import Tidepool
from support.waiting import wait_until

MIB = 1 << 20
PATIENCE = 2  # seconds: as probes have it
SANITIZED = "san" in os.environ.get("TIDEPOOL_BINARY", "")


@pytest.fixture
def proxy(tmp_path):
    """No TiDB is needed: it dials in vain meanwhile."""
    pool = {"name": "app", "host": "127.0.0.1", "port": free_port(), "user": "u", "password": "p", "tls": {"mode": "disabled"}}
    one = Tidepool(tmp_path / "proxy", {"pools": [pool]}).start(ready=False)
    yield one
    one.stop()


def connect(proxy):
    return socket.create_connection(("127.0.0.1", proxy.http_port), timeout=30)


def get(path, headers=""):
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()


def hear(peer):
    answer = b""
    with contextlib.suppress(ConnectionError):
        while piece := peer.recv(1 << 16):
            answer += piece
    return answer


def asked(proxy, path):
    """The status and how long it took."""
    begun = time.monotonic()
    with connect(proxy) as peer:
        peer.sendall(get(path))
        answer = hear(peer)
    return int(answer[9:12] or b"0"), time.monotonic() - begun


def resident(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def expect_service(proxy):
    for path, status in (("/healthz", 200), ("/readyz", 503), ("/metrics", 200), ("/status.json", 200), ("/", 200)):
        found, seconds = asked(proxy, path)
        assert (found, seconds < PATIENCE) == (status, True), (path, found, seconds)


@contextlib.contextmanager
def bounded_memory(proxy, mib):
    before = resident(proxy.pid)
    most = [before]
    end = threading.Event()

    def watch():
        while not end.wait(0.02):
            most.append(resident(proxy.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        end.set()
        watcher.join()
    grown = (max(most) - before) / MIB
    print(f"resident memory grew by {grown:.1f} MiB")
    assert SANITIZED or grown < mib, grown


def test_ranges_cost_nothing(proxy):
    plain, _ = asked(proxy, "/metrics")
    before = processor_seconds(proxy.pid)
    with bounded_memory(proxy, 8), connect(proxy) as peer:
        peer.sendall(get("/metrics", "Range: bytes=0-" + ",0-" * 2500 + "\r\n"))
        answer = hear(peer)
    assert (plain, answer[9:12]) == (200, b"200")
    assert len(answer) < MIB
    assert processor_seconds(proxy.pid) - before < 1


def test_slow_peers_hold_nobody_up(proxy):
    """Half of them say nothing, half a byte now and then; new ones come all the time."""
    end = threading.Event()
    counts = {"opened": 0}

    def drip():
        peers = []
        while not end.is_set():
            with contextlib.suppress(OSError):
                peers.append(connect(proxy))
                peers[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
                counts["opened"] += 1
            for peer in peers[-40::2]:
                with contextlib.suppress(OSError):
                    peer.send(b"x")
            while len(peers) > 200:
                peers.pop(0).close()
        for peer in peers:
            peer.close()

    with bounded_memory(proxy, 16):
        threads = [threading.Thread(target=drip) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: counts["opened"] > 300, 30, "slow peers")
            for _ in range(5):
                expect_service(proxy)
        finally:
            end.set()
            for thread in threads:
                thread.join()
    expect_service(proxy)


def test_a_dripping_request_is_ended(proxy):
    with connect(proxy) as peer:
        begun = time.monotonic()
        peer.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        peer.settimeout(0.05)
        answer = b""
        while not answer:
            with contextlib.suppress(TimeoutError):
                peer.send(b"x")
                answer = peer.recv(4096)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert 2.5 < time.monotonic() - begun < 5


def test_headers_without_number_take_no_memory(proxy):
    def pour():
        with connect(proxy) as peer, contextlib.suppress(OSError):
            peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            for number in range(200_000):
                peer.sendall(b"X-%d: %s\r\n" % (number, b"x" * 200))

    with bounded_memory(proxy, 16):
        threads = [threading.Thread(target=pour) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with connect(proxy) as peer:
        peer.sendall(get("/metrics", "X: y\r\n" * 64))
        assert hear(peer).startswith(b"HTTP/1.1 431 ")
    expect_service(proxy)


def test_it_answers_without_a_descriptor_to_spare(proxy):
    _, hard = resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE)
    taken = len(os.listdir(f"/proc/{proxy.pid}/fd"))
    resource.prlimit(proxy.pid, resource.RLIMIT_NOFILE, (taken + 20, hard))
    with contextlib.ExitStack() as stack:
        clients = []

        def all_is_taken():
            clients.append(stack.enter_context(socket.create_connection(("127.0.0.1", proxy.port), timeout=30)))
            return b"Too many connections" in clients[-1].recv(200)

        wait_until(all_is_taken, 30, "no descriptor to be left")
        for _ in range(30):
            stack.enter_context(connect(proxy))
        for _ in range(20):
            for path, status in (("/healthz", 200), ("/readyz", 503)):
                found, seconds = asked(proxy, path)
                assert (found, seconds < PATIENCE) == (status, True), (path, found, seconds)
    expect_service(proxy)


def test_only_its_own_names_reach_it(proxy):
    def status(host):
        request = urllib.request.Request(f"http://127.0.0.1:{proxy.http_port}/status.json", headers={"Host": host})
        try:
            return urllib.request.urlopen(request, timeout=5).status
        except urllib.error.HTTPError as error:
            assert b"http.hosts" in error.read()
            return error.code

    assert [status(host) for host in ("127.0.0.1", "localhost:1", "[::1]", "pool.example", "rebound.example")] == [
        200, 200, 200, 421, 421]
    text = proxy.file.read_text().replace("http:\n", "http:\n  hosts: [pool.example]\n")
    assert "hosts" in text
    proxy.file.write_text(text)
    wait_until(lambda: status("pool.example") == 200, 30, "the new name to count")
    assert status("rebound.example") == 421


def test_curl_and_python_read_it(proxy):
    address = f"http://127.0.0.1:{proxy.http_port}"
    plain = subprocess.run(["curl", "-sS", f"{address}/metrics"], check=True, capture_output=True).stdout
    packed = subprocess.run(["curl", "-sS", "--compressed", "-D", "-", f"{address}/metrics"], check=True, capture_output=True).stdout
    assert b"tidepool_ready" in plain and b"tidepool_ready" in packed
    assert b"Content-Encoding: gzip" in packed
    head = subprocess.run(["curl", "-sS", "-I", f"{address}/"], check=True, capture_output=True).stdout
    assert head.startswith(b"HTTP/1.1 200 OK\r\n") and b"text/html" in head
    request = urllib.request.Request(f"{address}/metrics", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert b"tidepool_ready" in gzip.decompress(answer.read())
    script = pathlib.Path(__file__).parents[2] / "docker" / "healthcheck.sh"
    for host in ("127.0.0.1", "0.0.0.0"):
        subprocess.run(["bash", script, f"{host}:{proxy.http_port}"], check=True, timeout=10)
