"""A Tidepool with one backend before the fake TiDB: what counts and traces are taken of."""
import contextlib
import json
import os
import subprocess

import raw_protocol as raw
from support.processes import Program, free_port
from support.waiting import wait_until

USER, PASSWORD = "app", "secret"  # those of the fake TiDB


@contextlib.contextmanager
def fake_tidb(program):
    """Its port and the path of its authority's certificate."""
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        yield running.stdout.readline().split()
        running.stdin.close()


@contextlib.contextmanager
def proxy(folder, command, tidb, variables=None):
    """The started program, whose log says what it says, and a function that connects a client."""
    tidb_port, authority = tidb
    port = free_port()
    pool = {
        "host": "127.0.0.1", "port": int(tidb_port), "user": USER, "password": PASSWORD, "tls": {"ca": authority},
        "size": 1, "max_overflow": 0, "min_idle": 1, "recycle": 0, "idle_timeout": 0,
    }  # fmt: skip
    file = folder / "tidepool.yaml"
    file.touch(mode=0o600)
    file.write_text(  # JSON is YAML
        json.dumps({"listeners": [{"address": f"127.0.0.1:{port}"}], "http": {"address": "off"}, "pools": [pool]})
    )
    log = folder / "tidepool.log"
    environment = {name: value for name, value in os.environ.items() if name != "DEBUGINFOD_URLS"}
    running = Program([*command, "--config", file], log, env=environment | (variables or {}))

    def connect():
        return raw.RawClient(("127.0.0.1", port), USER, PASSWORD, timeout=60)

    def is_served():
        assert running.exit_code is None, f"Tidepool ended with {running.exit_code}:\n{running.text()[-3000:]}"
        with contextlib.suppress(OSError), contextlib.closing(connect()) as client:
            return not client.query("SELECT 1").error

    try:
        wait_until(is_served, 120, lambda: f"Tidepool to serve:\n{running.text()[-3000:]}")
        yield running, connect
    finally:
        running.kill()
