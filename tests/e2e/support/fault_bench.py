"""A Tidepool whose TiDB is behind a Link, and what a test of faults asks of it."""
import concurrent.futures
import contextlib
import itertools

import pymysql
import pytest

from .link import CLOSE, Link
from .opener import NO_TLS
from .waiting import wait_until

POOL = {"size": 2, "max_overflow": 0, "connect_timeout": "1s", "backoff": {"initial": "10ms", "max": "50ms"}}
UNKNOWN, NOT_EXECUTED = "(outcome unknown)", "(not executed)"
ENDED = (2006, 2013, "Already closed")  # what PyMySQL says of a connection that is no more
TOKENS = itertools.count(1)


def rows_of(connection, query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def error_of(call):
    with pytest.raises(pymysql.err.MySQLError) as caught:
        call()
    return caught.value


def expect_error(call, words):
    error = error_of(call)
    assert error.args[0] == 2013 and words in error.args[1], error


def expect_end(client):
    """The client's connection is gone, as TiDB's would be."""
    error = error_of(lambda: client.ping(reconnect=False))
    assert error.args[0] in ENDED, error


class Bench:
    """`token` is a number of each test's own, `tokens` a table with a column n for it."""

    def __init__(self, door, link):
        self.door, self.link = door, link
        door.tidb.execute(f"CREATE TABLE IF NOT EXISTS {door.account.database}.tokens (n BIGINT, KEY (n))")
        self.begin()

    def begin(self):
        self.token = next(TOKENS)
        self._before = {name: self.counted(name) for name in ("retries", "unknown_outcomes")}

    def counted(self, name, **labels):
        return self.door.proxy.metric(f"tidepool_{name}_total", **labels)

    def since(self, name):
        """How much it has grown in this test."""
        return self.counted(name) - self._before[name]

    def failed_dials(self):
        return self.counted("dials") - self.counted("dials", result="ok")

    def backends(self, state=None):
        return self.door.proxy.metric("tidepool_backends", **({"state": state} if state else {}))

    def warm(self, backends=POOL["size"]):
        """So many are there and idle, all of them new: what was there at a loss is pinged, which a fault could strike."""
        self.cool()
        with contextlib.ExitStack() as stack:
            for client in [stack.enter_context(self.door.connect()) for _ in range(backends)]:
                client.begin()
                rows_of(client, "SELECT 1")
        wait_until(lambda: self.backends("idle") == self.backends() >= backends, 20, "backends to be idle")

    def cool(self, what=CLOSE):
        """Breaks the backends' connections, and waits until the pool has seen it."""
        self.link.strike(what)
        wait_until(lambda: self.backends() == 0 and self.link.open == 0, 20, "the backends to be gone")

    @contextlib.contextmanager
    def later(self, call):
        """Runs it meanwhile; yields the future."""
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            yield thread.submit(call)

    def rows(self):
        """How often this test's token is there, as TiDB itself says."""
        query = f"SELECT COUNT(*) FROM {self.door.account.database}.tokens WHERE n = {self.token}"
        return self.door.tidb.execute(query)[0][0]

    def expect_calm(self):
        """A new client finds nothing of the ones before, nothing stays leased, and the cap has held."""
        self.link.disarm()
        with self.door.connect() as client:
            client.begin()
            client.rollback()
            assert rows_of(client, "SELECT 'calm', @a") == (("calm", None),)
        wait_until(lambda: self.backends() == self.backends("idle"), 20, lambda: f"nothing to be leased: {self.door.proxy.counts('tidepool_backends', 'state')}")
        wait_until(lambda: self.link.open == self.backends(), 20, "the link's connections to be the pool's")
        assert self.link.most <= POOL["size"]


@contextlib.contextmanager
def benches(door_opener, tidb, account):
    """Yields bench_of("tls" or "plain"), which makes each when it is first asked for."""
    with contextlib.ExitStack() as stack:
        made = {}

        def bench_of(name):
            if name not in made:
                link = stack.enter_context(Link(tidb.port))
                tls = NO_TLS if name == "plain" else None
                door = stack.enter_context(door_opener(tidb, account, tls=tls, port=link.port, **POOL))
                made[name] = Bench(door, link)
            made[name].begin()
            return made[name]

        yield bench_of
