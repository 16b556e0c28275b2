"""The README, pasted: its commands and programs run as they stand there, one after the other, against a real TiDB.

What a reader puts in for himself is put in by `Pasted.replace`: PREFIX, PASSWORD, the cluster's address, and, since a test
may not use fixed ports, the two ports of Tidepool. The test's authority stands for the system's (SSL_CERT_FILE). Commands
that install or build are not run; that they exist and take these words is looked at.
"""
import contextlib
import os
import pty
import re
import secrets
import select
import shlex
import subprocess
import sys
import time
import urllib.request

import pytest

from support.processes import Program, free_port
from support.tidepool import ROOT, binary
from support.waiting import wait_until

pytestmark = [pytest.mark.proxy_only, pytest.mark.quick]

README = ROOT / "README.md"
TEXT = README.read_text()
CLUSTER = "gateway01.eu-central-1.prod.aws.tidbcloud.com:4000"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROSE = BLOCK.sub("", TEXT)


def blocks(language):
    return [text for found, text in BLOCK.findall(TEXT) if found == language]


def commands():
    """Every command line of the README, comments off."""
    lines = "".join(blocks("sh")).splitlines()
    return [line for line in (re.sub(r"\s+#.*", "", line).strip() for line in lines) if line]


def table(heading):
    """The cells of each row of the first table below a heading, without the table's own head."""
    part = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")]
    return [row for row in rows[1:] if not set(row[0]) <= set("-: ")]


def quoted(text):
    return re.findall(r"`([^`]+)`", text)


class Pasted:
    """A TiDB account as TiDB Serverless has them, and the Tidepool that the README's own command starts before it."""

    def __init__(self, tidb, authority, folder):
        self.prefix, self.password = "3pTAoNNegb47Uc8", "pasted" + secrets.token_hex(4)
        user = f"{self.prefix}.root"
        tidb.execute(
            "CREATE DATABASE IF NOT EXISTS app",
            f"CREATE USER '{user}'@'%' IDENTIFIED BY '{self.password}' REQUIRE SSL",
            f"GRANT ALL ON app.* TO '{user}'@'%'",
        )
        self.version = tidb.execute("SELECT VERSION()")[0][0]
        self.port, self.http_port, self._cluster = free_port(), free_port(), f"{tidb.host}:{tidb.port}"
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb", "SSL_CERT_FILE": str(authority.path),
            "TIDEPOOL_LISTEN": f"127.0.0.1:{self.port}", "TIDEPOOL_HTTP": f"127.0.0.1:{self.http_port}",
        }  # fmt: skip
        self._folder = folder

    def replace(self, text):
        for written, meant in (
            ("PREFIX", self.prefix), ("PASSWORD", self.password), (CLUSTER, self._cluster),
            ("6033", str(self.port)), ("6034", str(self.http_port)), ("build/release/tidepool", str(binary())),
        ):  # fmt: skip
            text = text.replace(written, meant)
        return text

    @contextlib.contextmanager
    def running(self, command):
        program = Program(["bash", "-c", "exec env " + self.replace(command)], self._folder / "log", env=self.environment)
        try:
            wait_until(lambda: self._is_ready(program), 30, lambda: f"Tidepool to be ready:\n{program.text()}")
            yield self
        finally:
            program.send(15)
            code = program.wait(25)
        assert code == 0, program.text()

    def _is_ready(self, program):
        assert program.exit_code is None, program.text()
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/readyz", timeout=5).status == 200

    def run(self, command):
        """The output of a command that ends by itself and well."""
        done = subprocess.run(
            ["bash", "-c", self.replace(command)], env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        return done.stdout

    def run_python(self, program):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", self.replace(program)], env=self.environment,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"{program}\n{done.stderr}"
        return done.stdout

    def converse(self, command, *turns):
        """Runs a command on a terminal; each turn is what is awaited and what is then typed."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve("/bin/bash", ["bash", "-c", self.replace(command)], self.environment)
        seen, deadline = "", time.monotonic() + 60
        try:
            for awaited, typed in turns:
                while awaited not in seen:
                    assert select.select([terminal], [], [], deadline - time.monotonic())[0], f"no '{awaited}' in {seen}"
                    seen += os.read(terminal, 4096).decode(errors="replace")
                seen = seen.split(awaited, 1)[1]
                os.write(terminal, typed.encode() + b"\n")
            with contextlib.suppress(OSError):  # the end of a terminal
                while chunk := os.read(terminal, 4096):
                    seen += chunk.decode(errors="replace")
        finally:
            os.close(terminal)
            _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0, seen


@pytest.fixture(scope="module")
def pasted(tidb, authority, tmp_path_factory):
    (start,) = [line for line in commands() if line.startswith("TIDB_URL=")]
    with Pasted(tidb, authority, tmp_path_factory.mktemp("readme")).running(start) as running:
        yield running


def check_build(command, folder):
    """CMake configures with these words, for a folder of its own, and knows each of them."""
    configure, build = command.split(" && ")
    done = subprocess.run(
        [*shlex.split(configure), "-B", str(folder / "build")], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "not used by the project" not in done.stderr, done.stderr
    preset = shlex.split(build)[-1]
    assert build == f"cmake --build --preset {preset}" and f'"{preset}"' in (ROOT / "CMakePresets.json").read_text()


def check_script(command, _):
    """The script is there, runs, and its usage names these options."""
    script, *words = shlex.split(command)
    path = ROOT / script
    assert os.access(path, os.X_OK), f"{script} is not executable"
    head = path.read_text().split("\nset -", 1)[0]
    for word in words:
        assert word in head, f"{script} says nothing of {word}"


def check_mariadb(command, pasted):
    pasted.converse(
        command,
        ("Enter password: ", pasted.password),
        ("[app]> ", "SELECT CONCAT('now in ', DATABASE());"),
        ("| now in app", "exit"),
    )


def check_curl(command, pasted):
    assert "\ntidepool_ready 1\n" in pasted.run(command)


def test_it_is_short():
    assert len(TEXT.splitlines()) <= 200


def test_every_block_says_what_it_is_and_is_run():
    assert {language for language, _ in BLOCK.findall(TEXT)} == {"sh", "python", "text"}
    assert len(BLOCK.findall(TEXT)) * 2 == len(re.findall(r"^```", TEXT, re.MULTILINE))


@pytest.mark.parametrize("command", commands())
def test_each_command_works(command, request, tmp_path):
    if command.startswith("TIDB_URL="):
        request.getfixturevalue("pasted")  # ready, by this command
    elif command.startswith("cmake "):
        check_build(command, tmp_path)
    elif command.startswith("scripts/"):
        check_script(command, tmp_path)
    elif command.startswith("mariadb "):
        check_mariadb(command, request.getfixturevalue("pasted"))
    elif command.startswith("curl "):
        check_curl(command, request.getfixturevalue("pasted"))
    else:
        pytest.fail(f"the test has no way to try this: {command}")


def test_its_program_works_and_its_asynchronous_engines_too(pasted):
    (program,) = blocks("python")
    assert pasted.run_python(program) == f"{pasted.version}\n"
    others = re.findall(r"# or (mysql\+\w+)", program)
    assert others, "the README names another asynchronous driver"
    use = """
import asyncio
async def use():
    async with async_engine.connect() as connection:
        print(async_engine.driver, (await connection.execute(text("SELECT DATABASE()"))).scalar())
    await async_engine.dispose()
asyncio.run(use())
"""
    assert pasted.run_python(program + use).endswith("aiomysql app\n")
    for other in others:
        answer = pasted.run_python(program.replace("mysql+aiomysql:", other + ":") + use)
        assert answer.endswith(f"{other.removeprefix('mysql+')} app\n")


def test_the_user_is_known_with_and_without_its_prefix(pasted):
    for user in ("root", "PREFIX.root"):
        query = f"mariadb --no-defaults -h 127.0.0.1 -P 6033 -u {user} -pPASSWORD app -sNe 'SELECT USER()'"
        assert pasted.run(query).startswith(f"{pasted.prefix}.root@")


def test_its_words_of_the_command_line_are_known():
    usage = subprocess.run([binary(), "--help"], capture_output=True, text=True, check=True).stdout
    named = {word for code in quoted(PROSE) for word in re.findall(r"(?<!\S)--[a-z-]+|\bTID[A-Z]+_[A-Z_]+[A-Z]", code)}
    assert {"TIDB_URL", "TIDB_SSL_CA", "--config", "--check-config"} <= named
    unknown = {word for word in named if word not in usage}
    assert unknown <= {"--once"}  # of quickstart


def defaults_of_the_reference():
    """What docs/configuration.md says, which is generated: {"pools[].size": "5", …}."""
    prefix, found = "", {}
    for line in (ROOT / "docs" / "configuration.md").read_text().splitlines():
        if heading := re.match(r"### (?:A list: `(\w+)`|Top level)", line):
            prefix = f"{heading[1]}[]." if heading[1] else ""
        elif row := re.match(r"\| `([\w.]+)` \| (?:`(.*?)`)? *\|", line):
            found[prefix + row[1]] = row[2] or ""
    return found


def test_its_keys_and_defaults_are_those_of_the_configuration():
    reference = defaults_of_the_reference()
    for keys, default, _ in table("Configuration"):
        for key in quoted(keys):
            assert reference[key] == default.removeprefix("the system's"), key


def test_its_metrics_are_on_the_page(pasted):
    page = pasted.run("curl -s http://127.0.0.1:6034/metrics")
    for names, _ in table("Monitoring"):
        for name in quoted(names):
            metric, label = re.fullmatch(r"(\w+)(?:\{(\w+)\})?", name).groups()
            assert re.search(rf"^{metric}(_count)?\{{[^}}]*{label or ''}", page, re.MULTILINE), f"{name} is not on the page"


def leads_somewhere(link):
    """To a file, and with a '#' to a heading in it."""
    path, _, anchor = link.partition("#")
    if not (ROOT / path).exists():
        return False
    headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE) if anchor else []
    return not anchor or anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


def test_its_links_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in link]
    assert links
    paths = links + [path for path, _ in table("What is where") for path in quoted(path)]
    assert [path for path in paths if not leads_somewhere(path)] == []
    assert not leads_somewhere("docs/deployment.md#nowhere") and not leads_somewhere("nowhere.md#limits")
