"""A pool with two endpoints: clients go on with the second while the first is away, and come back to it."""
import threading

import pytest

from support.tidb import TidbServer
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]


class Reader(threading.Thread):
    """Asks one session after the other which TiDB it is on; any error is one of the test."""

    def __init__(self, connection, stopped):
        super().__init__(daemon=True)
        self._connection, self._stopped = connection, stopped
        self.port, self.reads, self.error = None, 0, None

    def run(self):
        try:
            with self._connection as connection, connection.cursor() as cursor:
                cursor.execute("SET @mine = 'kept'")
                while not self._stopped.wait(0.005):
                    cursor.execute("SELECT @@port, @mine")
                    self.port, mine = cursor.fetchone()
                    assert mine == "kept"
                    self.reads += 1
        except Exception as error:  # the main thread looks at it
            self.error = error


class Crowd:
    def __init__(self, door, count):
        self._stopped = threading.Event()
        self.readers = [Reader(door.connect(), self._stopped) for _ in range(count)]

    def __enter__(self):
        for reader in self.readers:
            reader.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        for reader in self.readers:
            reader.join(60)

    def all_read_from(self, server):
        assert not [reader.error for reader in self.readers if reader.error]
        return all(reader.reads > 0 and reader.port == server.port for reader in self.readers)


@pytest.fixture(scope="module")
def servers(tmp_path_factory, authority):
    """Two that are alike, as two addresses of one TiDB; they keep their data."""
    certificate = authority.issue("localhost")
    both = [TidbServer(tmp_path_factory.mktemp(name), certificate, durable=True) for name in ("first", "second")]
    try:
        yield [server.start() for server in both]
    finally:
        for server in both:
            server.crash()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("stop", ["crash", "terminate"])
def test_clients_go_on_with_the_second_endpoint_and_come_back(door_opener, authority, servers, stop):
    first, second = servers
    account, same = (server.new_account("endpoints") for server in servers)
    assert account == same
    pool = {
        "name": "two", "user": account.user, "password": account.password, "database": account.database,
        "endpoints": [f"localhost:{server.port}" for server in servers], "size": 1, "max_overflow": 1,
        "tls": {"mode": "verify_identity", "ca": str(authority.path)},
        "backoff": {"initial": "10ms", "max": "200ms"}, "recycle": "3s",
    }  # fmt: skip
    users = [{"name": account.user, "password": account.password, "pool": "two"}]
    with door_opener(first, account, config={"pools": [pool], "users": users}) as door, Crowd(door, 4) as crowd:
        wait_until(lambda: crowd.all_read_from(first), 30, "everybody to read from the first one")
        assert not second.connections_of(account)

        getattr(first, stop)()
        wait_until(lambda: crowd.all_read_from(second), 60, "everybody to read from the second one")

        first.wait_for_end()
        first.start()
        wait_until(lambda: crowd.all_read_from(first), 60, "everybody to come back")
        wait_until(lambda: not second.connections_of(account), 30, "the second one to be left")
    assert not [reader.error for reader in crowd.readers if reader.error]
