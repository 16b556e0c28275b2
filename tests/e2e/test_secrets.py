"""What clients send for a password is in Tidepool's memory only as long as it takes to look at it."""
import array
import contextlib
import fcntl
import hashlib
import pathlib
import re
import secrets
import socket
import struct
import termios

import pymysql
import pytest

from support.tidepool import as_value
from support.waiting import wait_until

pytestmark = pytest.mark.proxy_only


def memory_of(pid):
    """What can be written in its address space, piece by piece."""
    ranges = re.findall(r"^(\w+)-(\w+) rw", pathlib.Path(f"/proc/{pid}/maps").read_text(), re.M)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end in ((int(a, 16), int(b, 16)) for a, b in ranges):
            with contextlib.suppress(OSError, OverflowError):
                memory.seek(begin)
                yield memory.read(end - begin)


def traces(pid, text):
    return sum(piece.count(text[-40:].encode()) for piece in memory_of(pid))


def unread_by_the_other_end(peer):
    count = array.array("i", [0])
    fcntl.ioctl(peer, termios.TIOCOUTQ, count)
    return count[0]


@pytest.fixture(params=["caching_sha2_password", "mysql_native_password"])
def hashed(request, tidb):
    """A password, and what MySQL stores of it: Tidepool's configuration has the latter only."""
    # Longer than what comes behind it, so that its end is not overwritten by that.
    password = "canary-" + secrets.token_hex(60)
    tidb.execute("DROP USER IF EXISTS hashed")
    tidb.execute(f"CREATE USER hashed IDENTIFIED WITH {request.param} BY '{password}'")
    ((stored,),) = tidb.execute("SELECT authentication_string FROM mysql.user WHERE user = 'hashed'")
    tidb.execute("DROP USER hashed")
    return password, stored


@pytest.fixture(params=[False, True], ids=["asks for its plugin", "asks for the password"])
def door(request, open_door, account, authority, hashed):
    certificate = authority.issue("localhost", "127.0.0.1")
    tls = {"mode": "optional", "certificate": str(certificate.path), "key": str(certificate.key_path)}
    users = [{"name": "hashed", "password_hash": as_value(hashed[1]), "pool": account.user}]
    listener = {"tls": tls, "clear_password": request.param}
    return open_door(account, config={"users": users, "listener": listener, "core_dumps": True})


@pytest.mark.parametrize("way", ["plaintext", "tls", "socket"])
@pytest.mark.parametrize("is_right", [True, False], ids=["right", "wrong"])
def test_none_is_left_after_a_login(door, account, authority, hashed, way, is_right):
    ways = {
        "plaintext": {},
        "tls": {"host": "localhost", "ssl": {"ca": str(authority.path)}},
        "socket": {"unix_socket": str(door.socket_path)},
    }
    password = hashed[0] if is_right else "wrong-" + hashed[0]
    arguments = door.arguments(user="hashed", password=password, database=None) | ways[way]
    for _ in range(3):
        with contextlib.nullcontext() if is_right else pytest.raises(pymysql.err.OperationalError, match="1045"):
            pymysql.connect(**arguments, autocommit=None).close()
    wait_until(lambda: door.proxy.metric("tidepool_clients") == 0, 10, "the clients to go")
    assert traces(door.proxy.pid, account.password) > 0, "what the configuration has is found"
    assert traces(door.proxy.pid, hashed[0]) == 0


def test_none_is_left_of_one_that_comes_in_pieces(door, hashed):
    if hashed[1].startswith("*"):
        pytest.skip("no password is sent for this kind of hash")
    packet = hashed[0].encode() + b"\0"
    with socket.socket(socket.AF_UNIX) as peer, peer.makefile("rb") as stream:
        peer.settimeout(30)
        peer.connect(str(door.socket_path))

        def read():
            head = stream.read(4)
            return stream.read(int.from_bytes(head[:3], "little"))

        assert read()[0] == 10
        flags = 1 | 512 | 32768 | 1 << 19
        login = struct.pack("<IIB23x", flags, 1 << 24, 46) + b"hashed\0" + b"\x20" + hashlib.sha256(packet).digest()
        login += b"caching_sha2_password\0"
        peer.sendall(struct.pack("<I", len(login))[:3] + b"\1" + login)
        assert read() == b"\1\4"
        peer.sendall(struct.pack("<I", len(packet))[:3] + b"\3")
        for i in range(0, len(packet), 5):
            peer.sendall(packet[i : i + 5])
            wait_until(lambda: unread_by_the_other_end(peer) == 0, 10, "it to be read")
        assert read()[0] == 0
    wait_until(lambda: door.proxy.metric("tidepool_clients") == 0, 10, "the client to go")
    for piece in range(0, 120, 5):
        assert traces(door.proxy.pid, hashed[0][: piece + 5]) == 0
    assert traces(door.proxy.pid, hashed[0][:20]) == 0, "nor of its beginning"
