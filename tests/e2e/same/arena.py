"""Two TiDB servers with the same content, and proxies of several shapes before the second one."""
import concurrent.futures
import contextlib
import itertools
import time

from support.opener import NO_TLS
from support.tidb import Account

from .catalog import Catalog
from .run import Difference, Side, run
from .settling import Witness
from .threads import PATIENCE, run_at_once

ROLES = ("r1", "r2")
SETUP = (
    "CREATE USER 'all'@'%' IDENTIFIED BY 'pw-all'", "GRANT ALL ON *.* TO 'all'@'%'", "GRANT ROLE_ADMIN ON *.* TO 'all'@'%'",
    "CREATE USER 'some'@'%' IDENTIFIED BY 'pw-some'", "GRANT ALL ON `sm%`.* TO 'some'@'%'", "CREATE ROLE r1, r2",
    "GRANT SELECT ON mysql.* TO r1", "GRANT r1, r2 TO 'all'@'%', 'some'@'%'", "SET DEFAULT ROLE r2 TO 'some'@'%'",
    "CREATE RESOURCE GROUP rg1 RU_PER_SEC = 1000000 BURSTABLE", "SET GLOBAL tidb_enable_auto_analyze = OFF",
    # Plans wait so long for statistics (in ms): a busy TiDB warns that it has not got them in its 100.
    "SET GLOBAL tidb_stats_load_sync_wait = 60000",
)  # fmt: skip
FIXED = (
    "CREATE TABLE {0}.fixed (id INT PRIMARY KEY, s VARCHAR(20) COLLATE utf8mb4_general_ci, l VARCHAR(20) CHARACTER SET latin1, "
    "d DECIMAL(10, 3), b BLOB, j JSON, e ENUM('x', 'y'), y YEAR, f DOUBLE, t DATETIME(3))",
    "INSERT INTO {0}.fixed VALUES (1, 'a', 'l', 1.5, x'00ff', '[1]', 'x', 2020, 0.1, '2020-01-02 03:04:05.678'), "
    "(2, 'ä', 'é', -2, 'b', '{{}}', 'y', NULL, -1e10, NULL), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
)  # fmt: skip
OWN = (
    "CREATE TABLE {0}.t{1} (id INT PRIMARY KEY AUTO_INCREMENT, v INT, s VARCHAR(200))",
    "INSERT INTO {0}.t{1}(v, s) VALUES (1, 'a'), (2, 'b'), (3, 'c')",
)
# A table that answers otherwise for a read of the past, and was there already. (What was not there is sometimes 1146 and sometimes
# an empty table to TiDB, as its cache of schemas has it.)
PAST = ("CREATE DATABASE past", "CREATE TABLE past.moment(v INT)", "INSERT INTO past.moment VALUES (1)", "GRANT SELECT ON past.* TO 'some'@'%'")
ACCOUNTS = [("all", "pw-all"), ("some", "pw-some"), ("all", "pw-all")]
# The proxy's third user shares the pool, and with it the account, of the first.
USERS = ACCOUNTS[:2] + [("also", "pw-also")]


class Arena:
    """Owns neither server; opens its doors when they are first needed, closes them with itself."""

    def __init__(self, direct, behind, door_opener):
        self._servers = (direct, behind)
        self._open = door_opener
        self._stack = contextlib.ExitStack()
        self._roots = [self._stack.enter_context(contextlib.closing(server.root())) for server in self._servers]
        self._witnesses = [Witness(self._stack.enter_context(contextlib.closing(server.root()))) for server in self._servers]
        self._threads = self._stack.enter_context(concurrent.futures.ThreadPoolExecutor(2))
        self._doors = {}
        self._numbers = itertools.count(1)
        self._each(*SETUP, *PAST)
        self._then = self._change_past()
        with self._roots[0].cursor() as cursor:
            cursor.execute(
                "SELECT variable_name, variable_scope, default_value, current_value, min_value, max_value, possible_values, "
                "is_noop FROM information_schema.variables_info ORDER BY variable_name"
            )
            self.catalog = Catalog(cursor.fetchall())

    def close(self):
        self._stack.close()

    def _each(self, *texts):
        """On both servers at once."""

        def execute(root):
            with root.cursor() as cursor:
                for text in texts:
                    cursor.execute(text)

        list(self._threads.map(execute, self._roots))

    def _change_past(self):
        """Returns a moment at which both tables have been filled, and not changed yet."""
        time.sleep(0.1)
        then = time.time()
        time.sleep(0.1)
        self._each("UPDATE past.moment SET v = 2")
        return f"{then:.3f}"

    def door(self, size, workers, timeout="10s"):
        """The proxy of that shape. A program that starves a session must fail soon (but not on a
        loaded machine that only takes long to dial), threads may wait for each other."""
        key = (size, workers, timeout)
        if key not in self._doors:
            accounts = [Account(user, password, "") for user, password in ACCOUNTS[:2]]
            users = [{"name": user, "password": password, "pool": pool} for (user, password), (pool, _) in zip(USERS, ACCOUNTS)]
            opened = self._open(
                self._servers[1], *accounts, size=size, timeout=timeout, tls=NO_TLS,
                config={"workers": workers, "log": {"level": "info"}, "failed_login_delay": 0, "users": users},
            )  # fmt: skip
            self._doors[key] = self._stack.enter_context(opened)
        return self._doors[key]

    def sides(self, steps, door):
        """Both sides with fresh databases, and the tables that those steps name. Nothing is dropped: that takes longest."""
        name = f"sm{next(self._numbers):05}"
        named = repr([step.act.op for step in steps])
        texts = [f"CREATE DATABASE {name}"]
        if "{other}" in named:
            texts.append(f"CREATE DATABASE {name}o")
        if "fixed" in named:
            texts += [text.format(name) for text in FIXED]
        sessions = [number for number in range(9) if f"t{number}" in named]
        self._each(*texts, *(text.format(name, session) for session in sessions for text in OWN))
        users = USERS if door.proxy else ACCOUNTS
        return [
            Side("direct", ("127.0.0.1", self._servers[0].port), ACCOUNTS, name, self._then, self._witnesses[0]),
            Side("proxy", (door.host, door.port), users, name, self._then, self._witnesses[1]),
        ]

    def run_at_once(self, steps, size, workers=1):
        differences = run_at_once(steps, self.sides(steps, self.door(size, workers, PATIENCE)))
        if differences:
            self._check_servers()
        return differences

    def run(self, steps, size, workers=1, count=None) -> Difference | None:
        difference = run(steps, self.sides(steps, self.door(size, workers)), count)
        if difference:
            self._check_servers()
        return difference

    def _check_servers(self):
        """A TiDB that has ended is no difference."""
        for server in self._servers:
            server.check_alive()
