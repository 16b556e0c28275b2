"""A client whose host vanishes without a word: what it had is free again after client_keepalive and three questions."""
import socket

import pymysql
import pytest

from support.namespace import HERE, namespace
from support.processes import free_port
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]

QUESTIONS = 3 * 10  # seconds


def test_a_client_whose_host_vanished_loses_its_place_and_its_backend(tidb, open_door, account, table):
    rows = table("id INT PRIMARY KEY")
    with namespace() as host:
        port = free_port()
        config = {"client_keepalive": "1s", "max_clients": 2}
        door = open_door(account, size=1, config=config | {"listener": {"address": f"0.0.0.0:{port}"}}, timeout="60s")

        def connect():
            return pymysql.connect(**door.arguments(host=HERE, port=port, connect_timeout=20))

        idle = host.run(connect)
        busy = host.run(connect)
        with busy.cursor() as cursor:
            cursor.execute(f"INSERT INTO {rows} VALUES (1)")  # without a commit
        assert door.proxy.metric("tidepool_clients") == 2
        for client in (idle, busy):  # what is under way to it is asked about by retransmissions instead
            client._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        host.vanish()

        wait_until(lambda: door.proxy.metric("tidepool_clients") == 0, QUESTIONS + 30, "both to lose their places")
        with door.connect(port=port) as other, other.cursor() as cursor:
            cursor.execute(f"INSERT INTO {rows} VALUES (1)")  # nobody holds the lock
        assert tidb.execute(f"SELECT COUNT(*) FROM {account.database}.{rows}")[0][0] == 1
        for client in (idle, busy):
            client._force_close()
