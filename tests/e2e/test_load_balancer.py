"""Clients whose load balancer says who they are in a PROXY header."""
import contextlib
import re
import socket
import struct

import pymysql
import pytest

from support.waiting import wait_until

pytestmark = pytest.mark.proxy_only

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def line(address):
    return f"PROXY TCP4 {address} 10.9.9.9 5123 6033\r\n".encode()


def binary(address):
    """As HAProxy's send-proxy-v2-ssl-cn: with TLVs behind the addresses."""
    body = socket.inet_aton(address) + socket.inet_aton("10.9.9.9") + struct.pack(">HH", 5123, 6033)
    body += b"\x20\0\x0f\x01\0\0\0\0\x22\0\x07db-user"
    return SIGNATURE + b"\x21\x11" + struct.pack(">H", len(body)) + body


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue("localhost", "127.0.0.1")


@pytest.fixture
def balanced(open_door, account, certificate):
    tls = {"mode": "optional", "certificate": str(certificate.path), "key": str(certificate.key_path)}
    users = [
        {"name": account.user, "password": account.password, "pool": account.user, "database": account.database},
        {"name": "inside", "password": "pw", "pool": account.user, "networks": ["192.0.2.0/24"]},
    ]
    listener = {"proxy_protocol_networks": ["127.0.0.1"], "tls": tls}
    return open_door(account, config={"users": users, "listener": listener})


def connect(door, header, **others):
    connection = pymysql.connect(**door.arguments(**({"connect_timeout": 30, "read_timeout": 30} | others)), defer_connect=True)
    peer = socket.create_connection((door.host, door.port), timeout=30)
    peer.sendall(header)
    connection.connect(peer)
    return connection


@pytest.mark.parametrize("header", [line("192.0.2.7"), binary("192.0.2.7"), b"PROXY UNKNOWN\r\n"], ids=["v1", "v2", "unknown"])
@pytest.mark.parametrize("encrypted", [False, True], ids=["plaintext", "tls"])
def test_a_real_driver_is_served_behind_it(balanced, authority, header, encrypted):
    tls = {"ssl": {"ca": str(authority.path)}, "host": "localhost"} if encrypted else {}
    with connect(balanced, header, **tls) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == ((1,),)


def test_errors_and_the_log_name_the_client(balanced):
    with pytest.raises(pymysql.err.OperationalError) as caught:
        connect(balanced, binary("198.51.100.9"), password="wrong")
    assert caught.value.args[0] == 1045
    assert "'@'198.51.100.9'" in caught.value.args[1]
    assert re.search(r"login refused.*peer=198\.51\.100\.9:5123", balanced.proxy.log())


def test_a_users_networks_are_those_of_the_client(balanced):
    inside = {"user": "inside", "password": "pw", "database": None}
    connect(balanced, line("192.0.2.200"), **inside).close()
    with pytest.raises(pymysql.err.OperationalError) as caught:
        connect(balanced, line("198.51.100.9"), **inside)
    assert caught.value.args[0] == 1045
    assert balanced.proxy.metric("tidepool_login_failures_total", reason="network") == 1


def test_without_a_header_nobody_is_served(balanced):
    with socket.create_connection((balanced.host, balanced.port), timeout=30) as peer:
        peer.sendall(b"\x20\0\0\1" + b"x" * 32)
        with contextlib.suppress(ConnectionResetError):
            assert peer.recv(1) == b""
    wait_until(lambda: balanced.proxy.metric("tidepool_login_failures_total", reason="proxy_header") == 1, 10, "the count")
    connect(balanced, line("192.0.2.7")).close()
