"""What clients send for a password is in Tidepool's memory only as long as it takes to look at it."""
import array
import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import re
import secrets
import signal
import socket
import struct
import termios

import pymysql
import pytest
import yaml

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


@pytest.mark.parametrize("plugin", ["caching_sha2_password", "mysql_native_password"])
def test_none_is_left_of_what_a_reload_has_taken_away(open_door, tidb, plugin):
    """A password of a pool and of a user: in the text of the file, the parser, the dials, and all that was made of it."""
    account = tidb.new_account("changed")
    old, new = ("canary-" + secrets.token_hex(60) for _ in range(2))

    def store(password):
        tidb.execute(f"ALTER USER {account.user} IDENTIFIED WITH {plugin} BY '{password}'")

    store(old)
    with_old = dataclasses.replace(account, password=old)
    door = open_door(with_old, config={"core_dumps": True, "workers": 2, "reload_on_change": False})
    proxy = door.proxy
    with door.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert traces(proxy.pid, old) > 0, "what the configuration has is found"
    store(new)
    config = yaml.safe_load(proxy.file.read_text())
    config["pools"][0]["password"] = config["users"][0]["password"] = new
    proxy.file.write_text(yaml.safe_dump(config, sort_keys=False))
    os.kill(proxy.pid, signal.SIGHUP)
    wait_until(lambda: proxy.metric("tidepool_config_reloads_total", result="ok") == 1, 20, "the reload")
    with door.connect(dataclasses.replace(account, password=new)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    # Backends with the old one go one after the other.
    wait_until(lambda: traces(proxy.pid, old) == 0, 20, lambda: f"{traces(proxy.pid, old)} copies to go")
    assert traces(proxy.pid, new) > 0


@pytest.mark.parametrize("plugin", ["caching_sha2_password", "mysql_native_password"])
def test_none_is_left_of_who_passed_through(open_door, tidb, account, plugin):
    password, wrong = ("canary-" + secrets.token_hex(60) for _ in range(2))
    tidb.execute("DROP USER IF EXISTS passing", f"CREATE USER passing IDENTIFIED WITH {plugin} BY '{password}'")
    door = open_door(account, config={"core_dumps": True}, passthrough=True, passthrough_lifetime="1s")
    arguments = door.arguments(user="passing", password=password, database=None) | {"unix_socket": str(door.socket_path)}
    for _ in range(2):
        pymysql.connect(**arguments, autocommit=None).close()
    with pytest.raises(pymysql.err.OperationalError, match="1045"):
        pymysql.connect(**(arguments | {"password": wrong}), autocommit=None)
    wait_until(lambda: door.proxy.metric("tidepool_passthrough_users") == 0, 20, "it to be forgotten")
    wait_until(lambda: traces(door.proxy.pid, password) == 0, 20, lambda: f"{traces(door.proxy.pid, password)} copies to go")
    # Of a login that is refused Connector/C gives its copy back as it is, if the plugin is its own.
    kept_by_library = 1 if plugin == "mysql_native_password" else 0
    assert traces(door.proxy.pid, wrong) <= kept_by_library


def test_none_is_left_of_what_was_sent_ahead(open_door, account, hashed):
    """While the password before it is looked at, which is wrong."""
    if hashed[1].startswith("*"):
        pytest.skip("no password is sent for this kind of hash")
    users = [{"name": "hashed", "password_hash": as_value(hashed[1]), "pool": account.user}]
    door = open_door(account, config={"users": users, "core_dumps": True})
    flags = 1 | 512 | 32768 | 1 << 19
    login = struct.pack("<IIB23x", flags, 1 << 24, 46) + b"hashed\0" + b"\x20" + b"x" * 32 + b"caching_sha2_password\0"
    sent = b"".join(
        struct.pack("<I", len(payload))[:3] + bytes([number]) + payload
        for number, payload in ((1, login), (3, b"wrong\0"), (5, hashed[0].encode() + b"\0"), (7, hashed[0].encode()))
    )
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(30)
        peer.connect(str(door.socket_path))
        peer.sendall(sent[:-1])
        answers = b""
        with contextlib.suppress(ConnectionResetError):  # as not all of it was taken
            while piece := peer.recv(4096):
                answers += piece
    assert b"Access denied" in answers
    wait_until(lambda: door.proxy.metric("tidepool_clients") == 0, 10, "the client to go")
    assert traces(door.proxy.pid, hashed[0]) == 0
    assert traces(door.proxy.pid, hashed[0][:40]) == 0, "nor of its beginning"
