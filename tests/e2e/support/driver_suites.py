"""The test suites of aiomysql and mysqlclient, run as their authors run them, against any server."""
import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[3]
PINS = ROOT / "tests" / "e2e" / "driver_suites" / "sources.txt"
DATABASE = "mysqldb_test"

# Connector/C reads an empty password from no file, so it is left out.
MYSQLCLIENT_CONFIG = """\
[MySQLdb-tests]
host = 127.0.0.1
port = {port}
user = root
database = {database}
default-character-set = utf8mb4
"""


def folder():
    """With both, unpacked; made by the first call."""
    command = [ROOT / "scripts" / "get-driver-suites"]
    return pathlib.Path(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def pinned(name):
    return re.search(rf"^{name}==(.+)$", PINS.read_text(), re.MULTILINE)[1]


def outcome_of(case):
    for name in ("failure", "error", "skipped"):
        found = case.find(name)
        if found is not None:
            return name, found.get("message") or ""
    return "passed", ""


def run_pytest(python, tests, report, options=(), environment=None, seconds=900):
    """{test: (outcome, message)}; a suite that does not get as far as its tests fails here."""
    command = [python, "-m", "pytest", "tests", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *options]
    answer = subprocess.run(
        [str(word) for word in command], cwd=tests, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | (environment or {}),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds,
    )  # fmt: skip
    assert answer.returncode in (0, 1) and report.exists(), answer.stdout[-5000:]
    cases = xml.etree.ElementTree.parse(report).iter("testcase")
    return {f"{case.get('classname')}::{case.get('name')}": outcome_of(case) for case in cases}


def run_aiomysql(port, scratch):
    """Over TLS, as root without a password. With uvloop the same tests would run again: nothing else on the wire."""
    suites = folder()
    options = [f"--mysql-address=server=127.0.0.1:{port}", "-k", "not uvloop"]
    tests = suites / f"aiomysql-{pinned('aiomysql')}"
    return run_pytest(suites / "venv" / "bin" / "python", tests, scratch / "aiomysql.xml", options)


def run_mysqlclient(port, scratch):
    """In this very environment, where mysqlclient is installed; as root without a password."""
    assert importlib.metadata.version("mysqlclient") == pinned("mysqlclient"), "the tests are those of another version"
    config = scratch / "mysqlclient.cnf"
    config.write_text(MYSQLCLIENT_CONFIG.format(port=port, database=DATABASE))
    tests = folder() / f"mysqlclient-{pinned('mysqlclient')}"
    return run_pytest(sys.executable, tests, scratch / "mysqlclient.xml", environment={"TESTDB": str(config)})
