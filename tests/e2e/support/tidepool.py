"""A Tidepool on ports of its own, with a configuration that the test gives."""
import os
import pathlib
import re
import signal
import urllib.error
import urllib.request

import yaml

from .processes import Program, free_port
from .sanitizers import REPORTS
from .waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def as_value(text):
    """As it stands in a file: ${ would name a variable, and a stored password may hold it by chance."""
    return text.replace("${", "$${")


def binary():
    return ROOT / os.environ.get("TIDEPOOL_BINARY", "build/release/tidepool")


class Tidepool:
    """Never more than one `stop` is needed; whatever goes wrong in it fails the test."""

    def __init__(self, folder, config):
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self.http_port = free_port(), free_port()
        self.socket_path = folder / "s"
        listener = {"address": f"127.0.0.1:{self.port}"} | config.pop("listener", {})
        self.config = {
            "listeners": [listener, {"socket": str(self.socket_path)}],
            "http": {"address": f"127.0.0.1:{self.http_port}"},
            "log": {"level": "debug"},
            "drain_timeout": "10s",
        } | config
        self.file = folder / "tidepool.yaml"
        self.file.touch(mode=0o600)
        self.file.write_text(yaml.safe_dump(self.config, sort_keys=False, allow_unicode=True))
        self._output = folder / "tidepool.log"
        self._program = None

    def start(self, ready=True):
        self._program = Program([binary(), "--config", self.file], self._output)
        wait_until(self.is_ready if ready else self.is_alive, 30, lambda: f"Tidepool to start:\n{self.log()[-3000:]}")
        return self

    def is_ready(self):
        return self.http("/readyz")[0] == 200

    def is_alive(self):
        return self.http("/healthz")[0] == 200

    def http(self, path):
        """Status and text; status 0 if nobody answers."""
        assert self.exit_code is None, f"Tidepool ended with {self.exit_code}:\n{self.log()[-3000:]}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name, **labels):
        """The sum over all samples of that name that have those labels."""
        total = 0.0
        for found, text, value in SAMPLE.findall(self.http("/metrics")[1]):
            if found == name and labels.items() <= dict(LABEL.findall(text)).items():
                total += float(value)
        return total

    def counts(self, name, label):
        """The sums by the values of one label."""
        sums = {}
        for found, text, value in SAMPLE.findall(self.http("/metrics")[1]):
            if found == name:
                key = dict(LABEL.findall(text)).get(label)
                sums[key] = sums.get(key, 0.0) + float(value)
        return sums

    @property
    def exit_code(self):
        return self._program.exit_code

    @property
    def pid(self):
        return self._program.pid

    def log(self):
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    def terminate(self):
        self._program.send(signal.SIGTERM)

    def wait_for_end(self, seconds):
        return self._program.wait(seconds)

    def stop(self):
        """SIGTERM; it must not have ended before, end in time with exit code 0, and have no sanitizer's report."""
        if self._program is None:
            return
        program, self._program = self._program, None
        crashed = program.exit_code
        program.send(signal.SIGTERM)
        try:
            code = program.wait(25)
        except Exception:
            program.kill()
            raise AssertionError(f"Tidepool did not end within 25 s of SIGTERM:\n{self.log()[-3000:]}") from None
        reports = REPORTS.new()
        assert not reports, reports
        assert crashed in (None, 0), f"Tidepool ended by itself with {crashed}:\n{self.log()[-3000:]}"
        assert code == 0, f"Tidepool's exit code after SIGTERM is {code}:\n{self.log()[-3000:]}"
