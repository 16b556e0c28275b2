"""A thousand clients on fifteen backends: every answer right, and never a sixteenth connection in TiDB's own list."""
import asyncio
import resource

import aiomysql
import pytest

pytestmark = pytest.mark.slow

CLIENTS, BACKENDS, TURNS, DATABASES = 1000, 15, 8, 4
CHARSETS = ("utf8mb4", "latin1", "gbk")
ZONES = [f"{sign}{hour:02}:{minute}" for sign in "+-" for hour in range(1, 11) for minute in ("00", "30")]


@pytest.fixture
def many_files():
    """A thousand sockets here; the proxy is started before and has to see to its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def databases(tidb, account):
    names = [f"{account.database}_part{number}" for number in range(DATABASES)]
    for name in names:
        tidb.execute(
            f"CREATE DATABASE {name}",
            f"GRANT ALL ON {name}.* TO '{account.user}'@'%'",
            f"CREATE TABLE {name}.marks (client INT PRIMARY KEY, n INT NOT NULL, text VARCHAR(40) CHARACTER SET utf8mb4)",
        )
    yield names
    for name in names:
        tidb.execute(f"DROP DATABASE {name}")


class Client:
    """Its own database, settings, character set and row, all checked in every turn."""

    def __init__(self, number, names):
        self.number = number
        self.database = names[number % DATABASES]
        self.charset = CHARSETS[number % len(CHARSETS)]
        self.zone = ZONES[number % len(ZONES)]
        self.length = 1024 + number
        self.turns = 0

    async def ask(self, query, *arguments):
        async with self.connection.cursor() as cursor:
            await cursor.execute(query, arguments)
            return await cursor.fetchall()

    async def open(self, door):
        arguments = door.arguments(database=self.database)
        arguments["db"] = arguments.pop("database")
        self.connection = await aiomysql.connect(**arguments, autocommit=True, connect_timeout=120)
        await self.ask(f"SET NAMES {self.charset}")
        await self.ask(f"SET time_zone = '{self.zone}', SESSION group_concat_max_len = {self.length}")
        await self.ask("INSERT INTO marks VALUES (%s, 0, %s)", self.number, f"client {self.number}")

    async def check_state(self):
        query = "SELECT DATABASE(), @@character_set_client, @@time_zone, @@group_concat_max_len, @@autocommit, %s"
        ((*state, echo),) = await self.ask(query, self.number)
        assert state == [self.database, self.charset, self.zone, self.length, 1]
        assert echo == self.number

    async def turn(self):
        """A read, a write, and a transaction that is committed or rolled back."""
        await self.check_state()
        await self.ask("UPDATE marks SET n = n + 1 WHERE client = %s", self.number)
        await self.connection.begin()
        await self.ask("UPDATE marks SET n = n + 10 WHERE client = %s", self.number)
        row = await self.ask("SELECT n, text FROM marks WHERE client = %s", self.number)
        expected = self.turns * (11 if self.number % 2 else 1) + 11
        assert row == ((expected, f"client {self.number}"),)
        await (self.connection.commit() if self.number % 2 else self.connection.rollback())
        self.turns += 1

    async def run(self, gate, rounds):
        for _ in range(rounds):
            async with gate:
                await self.turn()
        await self.check_state()


@pytest.mark.timeout(300)
async def test_a_thousand_clients_get_right_answers_on_fifteen_backends(
    door_opener, tidb, account, databases, many_files, direct
):
    options = {"size": 5, "max_overflow": BACKENDS - 5, "timeout": "120s"}
    clients = [Client(number, databases) for number in range(CLIENTS)]
    # All stay connected; most of them want something at any time.
    gate = asyncio.Semaphore(CLIENTS // 2)
    logins = asyncio.Semaphore(200)

    async def connect(client):
        async with logins:
            await client.open(door)

    with door_opener(tidb, account, **options) as door, tidb.watch(account) as watch:
        async with asyncio.timeout(280):
            await asyncio.gather(*(connect(client) for client in clients))
            await asyncio.gather(*(client.run(gate, TURNS) for client in clients))
        if door.proxy:
            pins = [door.proxy.metric("tidepool_pins_total", **labels) for labels in ({}, {"reason": "transaction"})]
            assert pins[0] == pins[1], "nothing here but a transaction needs a backend of its own"
        for client in clients:
            client.connection.close()
    for number, name in enumerate(databases):
        rows = tidb.execute(f"SELECT client, n FROM {name}.marks ORDER BY client")
        assert rows == tuple((n, TURNS * (11 if n % 2 else 1)) for n in range(number, CLIENTS, DATABASES))
    assert watch.polls > 20
    if not direct:
        assert 1 <= watch.most <= BACKENDS
