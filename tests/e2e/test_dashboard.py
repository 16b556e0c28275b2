"""The dashboard, the alert rules and docs/metrics.md against a Tidepool under load that a real Prometheus scrapes.

tests/observe checks the same queries against counters that a program sets; here every number must come from traffic.
"""
import contextlib
import math
import re
import sys
import threading

import mysql.connector
import pymysql
import pytest

from support.tidepool import ROOT
from support.waiting import wait_until

sys.path.insert(0, str(ROOT / "tests" / "observe"))
from dashboard_test import RULES, names_in, panel_queries  # noqa: E402
from prometheus import Prometheus  # noqa: E402

pytestmark = [pytest.mark.proxy_only, pytest.mark.slow]

DOCUMENT = (ROOT / "docs" / "metrics.md").read_text()
REFUSED = pymysql.err.MySQLError


class Traffic:
    """Threads that each do one thing over and over until the end; what goes wrong in one is kept."""

    def __init__(self):
        self.errors = []
        self._ends = threading.Event()
        self._threads = []

    def add(self, turn, connect=None):
        """Calls turn(connection) on a connection of its own, or turn() if there is no `connect`."""
        self._threads.append(threading.Thread(target=self._run, args=(turn, connect)))
        self._threads[-1].start()

    def _run(self, turn, connect):
        try:
            with contextlib.ExitStack() as stack:
                arguments = [stack.enter_context(contextlib.closing(connect()))] if connect else []
                while not self._ends.wait(0.02):
                    turn(*arguments)
        except Exception as error:  # kept for the test, in whose thread it counts
            self.errors.append(error)

    def pause(self, seconds):
        self._ends.wait(seconds)

    def stop(self):
        self._ends.set()
        for thread in self._threads:
            thread.join(60)


def run(connection, *statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def refused(code, call):
    try:
        call()
    except REFUSED as error:
        assert error.args[0] == code, error
    else:
        raise AssertionError(f"error {code} was expected")


class Scene:
    """Four pools: one that works hard, one that is always taken, one whose password TiDB no longer accepts, and one whose
    connections are killed."""

    def __init__(self, open_door, tidb):
        self.tidb = tidb
        names = ("busy", "full", "locked", "frail")
        self.busy, self.full, self.locked, self.frail = (tidb.new_account(name) for name in names)
        settings = {
            "busy": {"size": 2, "recycle": "2s", "passthrough": True},
            "full": {"size": 1, "timeout": "100ms", "max_waiters": 1},
            "locked": {"size": 1, "recycle": "1s", "timeout": "500ms"},
            "frail": {"size": 2},
        }
        accounts = (self.busy, self.full, self.locked, self.frail)
        template = {"host": tidb.host, "port": tidb.port, "tls": {"mode": "required"}, "max_overflow": 0}
        pools = [
            template | {"name": name, "user": account.user, "password": account.password, "database": account.database}
            | keys
            for account, (name, keys) in zip(accounts, settings.items())
        ]  # fmt: skip
        users = [{"name": account.user, "password": account.password, "pool": name, "replay": name == "frail",
                  "max_prepared_memory": "1KiB" if name == "frail" else "16MiB"}
                 for account, name in zip(accounts, settings)]  # fmt: skip
        self.guest = tidb.new_account("guest")  # of TiDB only
        self.door = open_door(self.busy, config={"pools": pools, "users": users, "command_memory": "2MiB"})
        self.proxy = self.door.proxy
        self.traffic = Traffic()
        tidb.execute(f"ALTER USER '{self.locked.user}'@'%' IDENTIFIED BY 'another'")

    def connect(self, account=None):
        return lambda: self.door.connect(account or self.busy)

    def start(self):
        for account in (self.busy, self.frail):
            with self.door.connect(account) as connection:
                run(connection, "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT)")
        self.holders = [self.door.connect(self.full), self.door.connect()]
        self.holders[0].begin()
        run(self.holders[0], "SELECT 1")
        run(self.holders[1], "DO GET_LOCK('dashboard', 1)")  # one of the two backends is left
        add = self.traffic.add
        for mode in ("ANSI_QUOTES", "NO_ZERO_DATE"):
            add(lambda connection, mode=mode: run(connection, f"SET sql_mode = '{mode}'", "SELECT SLEEP(0.01)"),
                self.connect())  # fmt: skip
        add(lambda connection: (connection.begin(), run(connection, "INSERT INTO t (a) VALUES (1)", "SELECT SLEEP(0.03)"),
                                connection.commit(), connection.ping()), self.connect())  # fmt: skip
        add(lambda connection: run(connection, "INSERT INTO t (a) VALUES (1)"), self.connect())
        add(lambda connection: refused(1146, lambda: run(connection, "SELECT * FROM nowhere")), self.connect())
        add(self.use_prepared)
        for _ in range(2):  # one waits in vain, the other finds the queue full
            add(lambda connection: refused(1040, lambda: run(connection, "SELECT 1")), self.connect(self.full))
        add(self.log_in_wrongly)
        add(self.use_locked)
        add(lambda connection: run(connection, "SELECT SLEEP(0.3)"), self.connect(self.frail))
        add(self.write_slowly, self.connect(self.frail))
        add(self.transact_slowly)
        add(self.kill_the_frail)
        add(self.be_silent)
        add(self.pass_through)
        add(self.prepare_too_much, self.connect(self.frail))
        large = "x" * 200_000
        add(lambda connection: run(connection, f"SELECT SLEEP(0.05), LENGTH('{large}')"), self.connect())
        add(self.send_too_much)

    def write_slowly(self, connection):
        """Its backend is killed in the middle: nobody knows what became of it, and the session goes on."""
        try:
            run(connection, "INSERT INTO t (a) SELECT SLEEP(0.3)")
        except pymysql.err.OperationalError as error:
            assert error.args[0] in (1105, 2013), error

    def transact_slowly(self):
        """Its backend is killed in the middle, and the transaction replayed; at its COMMIT, nobody knows."""
        with contextlib.suppress(pymysql.err.OperationalError), self.door.connect(self.frail) as connection:
            run(connection, "BEGIN", "SELECT SLEEP(0.3)", "COMMIT")

    def kill_the_frail(self):
        running = f"information_schema.processlist WHERE user = '{self.frail.user}' AND info LIKE '%SLEEP%'"
        for (number,) in self.tidb.execute(f"SELECT id FROM {running}"):
            self.tidb.execute(f"KILL {number}")
        self.traffic.pause(1)  # a statement that is run again comes through in between

    def be_silent(self):
        """In vain does it wait to be asked: its wait_timeout ends it."""
        with contextlib.closing(self.door.connect()) as connection:
            run(connection, "SET wait_timeout = 1")
            self.traffic.pause(1.5)

    def pass_through(self):
        socket = str(self.proxy.socket_path)
        with pymysql.connect(unix_socket=socket, user=self.guest.user, password=self.guest.password) as connection:
            run(connection, "SELECT 1")

    def prepare_too_much(self, connection):
        text = f"SELECT {'1 + ' * 1_000} 1"
        refused(1461, lambda: run(connection, f"PREPARE s FROM '{text}'"))

    def send_too_much(self):
        """More than command_memory: the connection ends with 1153, perhaps before all is sent."""
        with contextlib.suppress(pymysql.err.MySQLError, OSError), self.door.connect() as connection:
            run(connection, f"SELECT LENGTH('{'x' * 3_000_000}')")

    def use_prepared(self):
        with contextlib.closing(mysql.connector.connect(**self.door.arguments())) as connection:
            with contextlib.closing(connection.cursor(prepared=True)) as cursor:
                for number in range(10):
                    cursor.execute("SELECT ? + 1", (number,))
                    assert cursor.fetchall() == [(number + 1,)]

    def log_in_wrongly(self):
        wrong = self.door.arguments(password="wrong")
        refused(1045, lambda: pymysql.connect(**wrong).close())

    def use_locked(self):
        """Served until its backend is too old; then there is none, and TiDB says why."""
        with contextlib.suppress(pymysql.err.OperationalError), self.door.connect(self.locked) as connection:
            run(connection, "SELECT 1")

    def stop(self):
        self.traffic.stop()
        for holder in self.holders:
            holder.close()


@pytest.fixture(scope="module")
def scene(door_opener, tidb):
    with contextlib.ExitStack() as stack:
        scene = Scene(lambda *accounts, **options: stack.enter_context(door_opener(tidb, *accounts, **options)), tidb)
        scene.start()
        try:
            yield scene
        finally:
            scene.stop()
        assert not scene.traffic.errors


@pytest.fixture(scope="module")
def prometheus(scene):
    with Prometheus(f"http://127.0.0.1:{scene.proxy.http_port}/metrics", RULES) as prometheus:
        yield prometheus


def page(scene):
    return scene.proxy.http("/metrics")[1]


def names_on(text):
    """Of the families: those that the TYPE lines name."""
    return set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))


def documented():
    return set(re.findall(r"^\| `(tidepool_\w+)`", DOCUMENT, re.MULTILINE))


def family(name):
    return re.sub(r"_(bucket|sum|count)$", "", name)


def test_every_panel_shows_what_happens(scene, prometheus):
    """All of them at some time: no query may stay empty or zero under this traffic."""
    left = {(title, expression) for title, expression in panel_queries()}

    def all_have_data():
        assert not scene.traffic.errors, scene.traffic.errors
        for title, expression in list(left):
            values = prometheus.query(expression)
            if any(math.isfinite(value) and value > 0 for value in values):
                left.discard((title, expression))
        return not left

    wait_until(all_have_data, 60, lambda: f"data for {left}")


def test_the_alerts_that_this_traffic_should_raise_are_raised(scene, prometheus):
    def states():
        assert not scene.traffic.errors, scene.traffic.errors
        rules = [rule for group in prometheus.api("rules")["groups"] for rule in group["rules"]]
        unsound = {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] == "err"}
        assert not unsound
        return {rule["name"]: rule["state"] for rule in rules}

    expected = {
        "TidepoolNotReady": {"inactive"}, "TidepoolClientsNearLimit": {"inactive"},
        "TidepoolDescriptorsNearLimit": {"inactive"}, "TidepoolLeaseTimeouts": {"firing"},
        "TidepoolCertificateExpires": {"inactive"},
        # These wait for a minute or more before they fire.
        "TidepoolDialsFail": {"pending", "firing"},
        # A moment without a waiter is enough to end it.
        "TidepoolPoolExhausted": {"inactive", "pending"},
        "TidepoolLeaseWaitLong": {"inactive", "pending"}, "TidepoolPinsShrinkPool": {"inactive", "pending"},
    }  # fmt: skip
    assert set(states()) == set(expected)
    wait_until(
        lambda: all(state in expected[name] for name, state in states().items()), 60, lambda: f"the alerts: {states()}"
    )


def test_the_page_has_what_the_documents_the_dashboard_and_the_rules_name(scene):
    on_page = names_on(page(scene))
    assert on_page == documented()
    named = names_in(RULES.read_text()).union(*(names_in(expression) for _, expression in panel_queries()))
    assert {family(name) for name in named} <= on_page


def test_every_value_of_a_label_is_documented(scene):
    known = set(re.findall(r"`([a-z_]+)`", DOCUMENT))
    found = set(re.findall(r'\b(?:state|reason|result|command|outcome|direction|kind)="(\w+)"', page(scene)))
    assert found and found <= known


def test_the_metrics_of_its_own_example_give_a_number(prometheus):
    """The formula of docs/metrics.md, over a shorter window."""
    (example,) = re.findall(r"^    (\(sum\(rate.*?\n.*)$", DOCUMENT, re.MULTILINE)
    formula = " ".join(example.split()).replace("[5m]", "[30s]")
    wait_until(lambda: any(value > 0 for value in prometheus.query(formula)), 60, "a positive mean")
