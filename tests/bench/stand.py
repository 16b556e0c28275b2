"""What is measured: a real TiDB with TLS, Tidepool before it, and HAProxy as a TCP proxy if it is installed."""
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import socket
import subprocess

from support.certificates import Authority
from support.processes import Program, free_port
from support.tidb import Account, TidbServer
from support.tidepool import Tidepool
from support.waiting import wait_until

# One thread, as Tidepool has one worker; a tunnel without timeouts of its own.
HAPROXY = """\
global
  nbthread 1
  maxconn 4096
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen tidb
  bind 127.0.0.1:{port}
  server tidb 127.0.0.1:{target}
"""
ACCOUNT = Account("bench", "bench", "bench")
OPTIONS = {"tables": 1, "table-size": 10_000}


@dataclasses.dataclass(frozen=True)
class Side:
    """A way to TiDB. Direct clients and those of the TCP proxy speak TLS, those of Tidepool plaintext: it does the TLS."""

    name: str
    port: int
    tls: bool
    pid: int | None = None  # of the proxy


class Stand:
    def __init__(self, folder, stack):
        self._folder, self._stack = pathlib.Path(folder), stack
        self.authority = Authority(self._folder)
        self.tidb = TidbServer(self._folder / "tidb", self.authority.issue("localhost", "127.0.0.1"))
        stack.callback(self.tidb.crash)
        self.tidb.start().execute(
            f"CREATE DATABASE {ACCOUNT.database}",
            f"CREATE USER '{ACCOUNT.user}'@'%' IDENTIFIED BY '{ACCOUNT.password}'",
            f"GRANT ALL ON {ACCOUNT.database}.* TO '{ACCOUNT.user}'@'%'",
        )
        self.direct = Side("direct", self.tidb.port, tls=True)
        self.tcp_proxy = self._start_haproxy()
        self._number = 0
        self._make_sysbench_folder()

    def _start_haproxy(self):
        """None where it is not installed."""
        program = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not program:
            print("no HAProxy here (apt-get install haproxy): there is no TCP proxy to compare with")
            return None
        port = free_port()
        config = self._folder / "haproxy.cfg"
        config.write_text(HAPROXY.format(port=port, target=self.tidb.port))
        running = Program([program, "-db", "-f", config], self._folder / "haproxy.log")
        self._stack.callback(running.kill)

        def accepts():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True

        wait_until(accepts, 10, "HAProxy to listen")
        return Side("HAProxy", port, tls=True, pid=running.pid)

    @contextlib.contextmanager
    def tidepool(self, **pool):
        """A Tidepool of its own: its Side, and the proxy with its metrics."""
        self._number += 1
        settings = {
            "name": ACCOUNT.database, "host": "localhost", "port": self.tidb.port, "user": ACCOUNT.user,
            "password": ACCOUNT.password, "database": ACCOUNT.database,
            "tls": {"mode": "verify_identity", "ca": str(self.authority.path)},
        }  # fmt: skip
        folder = self._folder / f"tidepool-{self._number}"
        proxy = Tidepool(folder, {"pools": [settings | pool], "log": {"level": "info"}})
        try:
            proxy.start()
            yield Side("Tidepool", proxy.port, tls=False, pid=proxy.pid), proxy
        finally:
            proxy.stop()

    # sysbench

    def _make_sysbench_folder(self):
        """sysbench takes these three names from its working directory when it shall use TLS."""
        folder = self._folder / "sysbench"
        folder.mkdir()
        client = self.authority.issue("client")
        shutil.copy(self.authority.path, folder / "cacert.pem")
        shutil.copy(client.path, folder / "client-cert.pem")
        shutil.copy(client.key_path, folder / "client-key.pem")

    def sysbench(self, side, load, command, *options):
        tls = "on" if side.tls else "off"
        sizes = [f"--{name}={value}" for name, value in OPTIONS.items()]
        answer = subprocess.run(
            [
                "sysbench", load, "--mysql-host=127.0.0.1", f"--mysql-port={side.port}", f"--mysql-user={ACCOUNT.user}",
                f"--mysql-password={ACCOUNT.password}", f"--mysql-db={ACCOUNT.database}", f"--mysql-ssl={tls}",
                "--mysql-ignore-errors=1213,9007,8028", "--percentile=99", *sizes, *options, command,
            ],
            cwd=self._folder / "sysbench", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
        return answer.stdout


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What sysbench counted."""

    queries: int
    per_second: float
    p99_ms: float

    @classmethod
    def parse(cls, text):
        queries, per_second = re.search(r"queries: +(\d+) +\(([\d.]+) per sec", text).groups()
        return cls(int(queries), float(per_second), float(re.search(r"99th percentile: +([\d.]+)", text)[1]))
