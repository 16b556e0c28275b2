"""A real Prometheus of our own: free port, temporary directory, ended by its process id."""
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            found = condition()
        except OSError:
            found = None  # not listening yet
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


class Prometheus:
    """Scrapes one URL every second and evaluates one file of rules; a context manager."""

    def __init__(self, metrics_url, rules):
        self.target = urllib.parse.urlsplit(metrics_url)
        self.rules = pathlib.Path(rules).resolve()
        self.process = None

    def __enter__(self):
        binary = shutil.which("prometheus")
        if not binary:
            raise AssertionError("prometheus is not installed: apt-get install prometheus")
        self.directory = tempfile.TemporaryDirectory(prefix="tidepool-prometheus-")
        home = pathlib.Path(self.directory.name)
        config = home / "prometheus.yml"
        config.write_text(json.dumps({  # JSON is YAML
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(self.rules)],
            "scrape_configs": [{
                "job_name": "tidepool",
                "scheme": self.target.scheme,
                "metrics_path": self.target.path,
                "static_configs": [{"targets": [self.target.netloc]}],
            }],
        }))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = open(home / "log", "w+")
        self.process = subprocess.Popen(
            [binary, f"--config.file={config}", f"--storage.tsdb.path={home}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            wait_until("Prometheus is ready", self.is_ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.directory.cleanup()

    def is_ready(self):
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError("Prometheus ended: " + self.log.read())
        with urllib.request.urlopen(self.url + "/-/ready", timeout=5) as answer:
            return answer.status == 200

    def api(self, path, **parameters):
        """The `data` of an answer; an error of Prometheus, such as a parse error, is an AssertionError with its text."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{parameters}: {json.load(refused).get('error')}") from refused

    def query(self, expression):
        """The values of the series that it returns now."""
        return [float(series["value"][1]) for series in self.api("query", query=expression)["result"]]
