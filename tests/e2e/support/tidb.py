"""A real TiDB in a directory and on ports of its own."""
import contextlib
import dataclasses
import itertools
import os
import pathlib
import signal
import subprocess
import threading
import urllib.request

import pymysql

from .processes import Program, free_port
from .waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]

# Rows of 20 MiB need a larger entry than the default of 6 MiB. A volatile server needs that prefix in its path.
CONFIG = """\
socket = ""
server-version = "{version}"
graceful-wait-before-shutdown = {grace}
[log]
level = "warn"
slow-query-file = "{folder}/slow.log"
[log.file]
filename = "{folder}/tidb.log"
[performance]
txn-entry-size-limit = 67108864
txn-total-size-limit = 1073741824
"""
SECURITY = """\
[security]
ssl-cert = "{certificate}"
ssl-key = "{key}"
"""


@dataclasses.dataclass(frozen=True)
class Account:
    user: str
    password: str
    database: str


def find_binary():
    answer = subprocess.run([ROOT / "scripts" / "get-tidb"], check=True, stdout=subprocess.PIPE, text=True)
    return answer.stdout.strip()


class TidbServer:
    def __init__(self, folder, certificate=None, durable=False, grace=0, name="localhost", version=""):
        """Durable servers find their data again when started a second time; without a certificate there is no TLS.

        With a version they say that they are that one.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._path = folder / ("data" if durable else "tidb-unistore-temp")
        self._numbers = itertools.count(1)
        self.host, self.port, self._status_port = name, free_port(), free_port()
        config = CONFIG.format(folder=folder, grace=grace, version=version)
        if certificate:
            config += SECURITY.format(certificate=certificate.path, key=certificate.key_path)
        (folder / "tidb.toml").write_text(config)
        self._program = None

    def start(self):
        command = [
            find_binary(), "-store", "unistore", "-path", self._path, "-host", "127.0.0.1", "-P", self.port,
            "-status", self._status_port, "-config", self._folder / "tidb.toml",
        ]  # fmt: skip
        environment = os.environ | {"TMPDIR": str(self._folder)}
        self._program = Program(command, self._folder / "tidb.out", env=environment)
        wait_until(self._answers, 90, "TiDB to start")
        return self

    def _answers(self):
        self.check_alive()
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://127.0.0.1:{self._status_port}/status", timeout=2).status == 200
        return False

    def crash(self):
        if self._program:
            self._program.kill()

    def check_alive(self):
        assert self._program.exit_code is None, f"TiDB ended: {self._program.text()[-2000:]}"

    def terminate(self):
        """Asks it to shut down, as maintenance does, and does not wait."""
        self._program.send(signal.SIGTERM)

    def send(self, number):
        """That signal."""
        self._program.send(number)

    def wait_for_end(self, seconds=30):
        self._program.wait(seconds)

    def root(self, database=None):
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", database=database, autocommit=True,
            connect_timeout=10, read_timeout=60,
        )  # fmt: skip

    def execute(self, *statements):
        """As root; returns the rows of the last one."""
        with contextlib.closing(self.root()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()

    def new_account(self, name="app", plugin="mysql_native_password"):
        """An account and a database of its own, in which alone it may do everything."""
        number = next(self._numbers)
        account = Account(f"{name}_{number}", f"pw-{number}-@:/%+ ?", f"{name}_db_{number}")
        self.execute(
            f"CREATE DATABASE {account.database}",
            f"CREATE USER '{account.user}'@'%' IDENTIFIED WITH '{plugin}' BY '{account.password}'",
            f"GRANT ALL ON {account.database}.* TO '{account.user}'@'%'",
        )
        return account

    def connections_of(self, account):
        """The ids in TiDB's own process list."""
        rows = self.execute(f"SELECT id FROM information_schema.processlist WHERE user = '{account.user}'")
        return [row[0] for row in rows]

    @contextlib.contextmanager
    def watch(self, account):
        """Polls the process list throughout the block; yields a Watch that knows the most connections seen."""
        watch = Watch(self, account)
        watch.start()
        try:
            yield watch
        finally:
            watch.stop()


class Watch:
    def __init__(self, server, account):
        self._connection = server.root()
        self._query = f"SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{account.user}'"
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.most = 0
        self.polls = 0

    def _run(self):
        with self._connection.cursor() as cursor:
            while not self._stopped.wait(0.02):
                cursor.execute(self._query)
                self.most = max(self.most, cursor.fetchone()[0])
                self.polls += 1

    def start(self):
        self._thread.start()

    def stop(self):
        self._stopped.set()
        self._thread.join(30)
        self._connection.close()
