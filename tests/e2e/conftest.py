"""The fixtures of all suites. With --direct everything runs against TiDB itself: what it answers is the expectation."""
import contextlib

import pytest

from support.certificates import Authority
from support.fault_bench import benches
from support.opener import RUNNING, opener
from support.sanitizers import REPORTS
from support.tidb import TidbServer
from support.tidepool import binary


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


@pytest.fixture(autouse=True)
def no_sanitizer_reports():
    """A program that a test kills, or that ends by itself as it should, may have reported something before."""
    yield
    reports = REPORTS.new()
    assert not reports, reports


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

    Without a size the pool has support.opener.SMALL: two backends that are kept and one that comes and goes.
    """
    return opener(authority, tmp_path_factory.mktemp, direct)


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


@pytest.fixture(scope="module")
def bench_of(door_opener, tidb, account):
    """Benches for faults of the link, by name: "tls" or "plain"."""
    with benches(door_opener, tidb, account) as made:
        yield made


@pytest.fixture(params=["tls", "plain"])
def bench(bench_of, request):
    """Each bench in turn; it is calm again afterwards."""
    bench = bench_of(request.param)
    yield bench
    bench.expect_calm()


@pytest.fixture
def tls_bench(bench_of):
    bench = bench_of("tls")
    yield bench
    bench.expect_calm()


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
