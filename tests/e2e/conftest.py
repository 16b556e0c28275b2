"""The fixtures of all suites. With --direct everything runs against TiDB itself: what it answers is the expectation."""
import contextlib
import itertools

import pytest

from support.certificates import Authority
from support.door import Door
from support.tidb import TidbServer
from support.tidepool import Tidepool, binary


def pytest_addoption(parser):
    parser.addoption("--direct", action="store_true", help="against TiDB itself, without the proxy")


def pytest_sessionstart(session):
    """Without a program nothing can pass: say so once."""
    if not session.config.getoption("--direct") and not binary().exists():
        pytest.exit(f"{binary()} is not there: build it, set TIDEPOOL_BINARY, or run with --direct", returncode=3)


def pytest_collection_modifyitems(config, items):
    """What needs the proxy is left out with --direct; quick suites come first, so that a broken build fails soon."""
    if config.getoption("--direct"):
        mark = pytest.mark.skip(reason="about the proxy itself")
        for item in items:
            if item.get_closest_marker("proxy_only"):
                item.add_marker(mark)
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of the logs of the proxies that were running."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for proxy in RUNNING:
            report.sections.append(("Tidepool's log", proxy.log()[-4000:]))


RUNNING = []

# Fewer backends than nearly every test has clients, of which the last comes and goes.
SMALL = {"size": 2, "max_overflow": 1}


@pytest.fixture(scope="session")
def direct(request):
    return request.config.getoption("--direct")


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def tidb(tmp_path_factory, authority):
    """The TiDB of all tests that do not stop it."""
    server = TidbServer(tmp_path_factory.mktemp("tidb"), authority.issue("localhost", "127.0.0.1"))
    try:
        yield server.start()
    finally:
        server.crash()


@pytest.fixture(scope="session")
def door_opener(direct, authority, tmp_path_factory):
    """Opens doors for whoever closes them: opener(server, account, size=…, pool keys…) is a context manager.

    Without a size the pool has SMALL: two backends that are kept and one that comes and goes.
    """
    numbers = itertools.count(1)

    @contextlib.contextmanager
    def open_door(server, account, *others, size=None, config=None, ready=True, tls=None, **pool):
        accounts = (account, *others)
        if direct:
            yield Door(server, account, server.port, size=10**6)
            return
        pools = [
            {
                "name": each.user, "host": server.host, "port": server.port, "user": each.user,
                "password": each.password, "database": each.database,
                "tls": {"mode": "verify_identity", "ca": str(authority.path)} | (tls or {}),
            }
            | (SMALL if size is None else {"size": size, "max_overflow": 0})
            | pool
            for each in accounts
        ]  # fmt: skip
        users = [
            {"name": each.user, "password": each.password, "pool": each.user, "database": each.database}
            for each in accounts
        ]
        settings = {"pools": pools, "users": users} | (config or {})
        proxy = Tidepool(tmp_path_factory.mktemp(f"tidepool-{next(numbers)}"), settings)
        RUNNING.append(proxy)
        try:
            proxy.start(ready)
            cap = pools[0]["size"] + pools[0]["max_overflow"]
            yield Door(server, account, proxy.port, proxy, size=cap)
        finally:
            RUNNING.remove(proxy)
            proxy.stop()

    return open_door


@pytest.fixture
def open_door(door_opener, tidb):
    """As door_opener, on the common TiDB and closed at the end of the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *accounts, server=None, **options: stack.enter_context(
            door_opener(server or tidb, *accounts, **options)
        )


@pytest.fixture(scope="module")
def account(tidb):
    return tidb.new_account()


@pytest.fixture(scope="module")
def door(door_opener, tidb, account):
    """One for a whole suite, with a SMALL pool."""
    with door_opener(tidb, account) as opened:
        yield opened


@pytest.fixture
def table(tidb, account, request):
    """Makes a table from its columns and drops it afterwards, as root; returns the name."""
    names = []

    def make(columns):
        name = f"t{len(names)}_{abs(hash(request.node.nodeid)) % 10**8}"
        tidb.execute(f"DROP TABLE IF EXISTS {account.database}.{name}")
        tidb.execute(f"CREATE TABLE {account.database}.{name} ({columns})")
        names.append(name)
        return name

    yield make
    for name in names:
        tidb.execute(f"DROP TABLE IF EXISTS {account.database}.{name}")
