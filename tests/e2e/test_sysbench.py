"""sysbench with 64 threads on 15 backends, in text and with prepared statements, ends without an error."""
import re
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.slow

SECONDS = 8


@pytest.fixture(scope="module")
def sysbench(door_opener, tidb):
    program = shutil.which("sysbench")
    assert program, "scripts/test installs sysbench"
    account = tidb.new_account("sysbench")
    # Its own parser of options would end a password at some characters.
    tidb.execute(f"ALTER USER '{account.user}'@'%' IDENTIFIED BY 'sysbench'")
    account = type(account)(account.user, "sysbench", account.database)
    with door_opener(tidb, account, size=5, max_overflow=10) as door:

        def run(command, *options):
            answer = subprocess.run(
                [
                    program, "oltp_read_write", f"--mysql-host={door.host}", f"--mysql-port={door.port}",
                    f"--mysql-user={account.user}", f"--mysql-password={account.password}",
                    f"--mysql-db={account.database}", "--mysql-ssl=off", "--tables=2", "--table-size=2000",
                    *options, command,
                ],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
            return answer.stdout

        run("prepare")
        yield door, account, run


@pytest.mark.parametrize("mode", ["disable", "auto"], ids=["text", "prepared"])
def test_sysbench_ends_without_an_error(sysbench, tidb, mode):
    """Deadlocks and write conflicts are TiDB's answers to this load, which sysbench counts and repeats."""
    door, account, run = sysbench
    with tidb.watch(account) as watch:
        output = run("run", "--threads=64", f"--time={SECONDS}", f"--db-ps-mode={mode}", "--mysql-ignore-errors=1213,9007,8028")
    assert int(re.search(r"reconnects: +(\d+)", output)[1]) == 0
    assert int(re.search(r"transactions: +(\d+)", output)[1]) > 64
    assert watch.most <= door.size
