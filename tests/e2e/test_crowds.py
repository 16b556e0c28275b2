"""Many more clients than backends: fair, bounded, and all served when TiDB is back."""
import asyncio
import os
import pathlib
import resource
import statistics
import time

import pytest

from support.crowd import TinyClient, Told
from support.link import Link
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]

CROWD = 10_000
KIB = 1024


@pytest.fixture(autouse=True)
def many_files():
    """A socket for each client; the proxy sees to its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CROWD + 2000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"no more than {hard} files allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def connect_all(door, account, count):
    return await asyncio.gather(*(TinyClient().open(door.port, account) for _ in range(count)))


async def until(condition, seconds):
    """wait_until, for conditions that the other tasks of the loop bring about."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.2)


@pytest.mark.timeout(180)
async def test_five_hundred_clients_of_ten_backends_wait_alike(open_door, tidb):
    account = tidb.new_account()
    door = open_door(account, size=4, max_overflow=6, timeout="120s")
    clients = await connect_all(door, account, 500)

    async def waits_of(client):
        waits = []
        for _ in range(6):
            asked = time.monotonic()
            await client.ask("SELECT SLEEP(0.01)")
            waits.append(time.monotonic() - asked)
        return statistics.mean(waits)

    with tidb.watch(account) as watch:
        means = await asyncio.gather(*(waits_of(client) for client in clients))
    for client in clients:
        client.close()
    assert max(means) <= 3 * statistics.median(means)
    assert watch.polls > 20 and 5 <= watch.most <= 10


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid):
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def is_calm(pid):
    """Less than 1 % of a core for two seconds."""
    before = cpu_seconds(pid)
    time.sleep(2)
    return cpu_seconds(pid) - before < 0.02


@pytest.mark.timeout(300)
async def test_ten_thousand_clients_whose_tidb_is_away_are_served_when_it_is_back(open_door, tidb):
    account = tidb.new_account()
    with Link(tidb.port) as link:
        door = open_door(
            account, port=link.port, size=5, max_overflow=5, timeout="240s", backoff={"initial": "50ms", "max": "500ms"},
            config={"login_timeout": "120s", "max_pending_logins": 3 * CROWD, "log": {"level": "info"}},
        )  # fmt: skip
        proxy = door.proxy
        link.refuse()
        link.strike("reset")
        wait_until(lambda: proxy.metric("tidepool_backends") == 0, 20, "the backends to be gone")
        empty = resident(proxy.pid)
        clients = [TinyClient() for _ in range(CROWD)]

        async def come_and_ask(number, client):
            await client.open(door.port, account)
            return await client.ask(f"SELECT {number}")

        answers = [asyncio.create_task(come_and_ask(n, client)) for n, client in enumerate(clients)]
        await until(lambda: proxy.metric("tidepool_waiters") == CROWD, 120)
        waiting = resident(proxy.pid)
        assert not any(answer.done() for answer in answers)
        link.accept()
        assert await asyncio.gather(*answers) == [str(n) for n in range(CROWD)]
        served = resident(proxy.pid)
        await until(lambda: is_calm(proxy.pid), 60)
        figures = [round((rss - empty) / CROWD / KIB, 1) for rss in (waiting, served)]
        print("KiB a client, waiting and served:", figures)
        assert max(figures) < 32
        assert link.most <= 10
        for client in clients:
            client.close()
        await until(lambda: proxy.metric("tidepool_clients") == 0, 60)


async def test_clients_whose_tidb_does_not_come_back_are_all_told(open_door, tidb):
    account = tidb.new_account()
    with Link(tidb.port) as link:
        door = open_door(account, port=link.port, timeout="2s", config={"login_timeout": "60s"})
        clients = await connect_all(door, account, 1000)
        link.refuse()
        link.strike("reset")
        wait_until(lambda: door.proxy.metric("tidepool_backends") == 0, 20, "the backends to be gone")
        answers = await asyncio.gather(*(client.ask("SELECT 1") for client in clients), return_exceptions=True)
        for answer in answers:
            assert isinstance(answer, Told) and "connect" in answer.args[1], answer
        link.accept()
        async with asyncio.timeout(60):
            while True:
                try:
                    assert await clients[0].ask("SELECT 5") == "5"
                    break
                except Told:
                    await asyncio.sleep(0.1)
        for client in clients:
            client.close()
