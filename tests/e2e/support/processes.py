"""Programs that the tests start: output in a file, ended by pid, ports that are free."""
import pathlib
import random
import signal
import socket
import subprocess

from .sanitizers import REPORTS


def free_port():
    """Below the range that the kernel hands out to clients, so that nobody else gets it meanwhile."""
    for _ in range(200):
        port = random.randint(20000, 31999)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port found")


class Program:
    def __init__(self, command, output, **options):
        self.output = output
        REPORTS.watch(pathlib.Path(output))
        with open(output, "ab") as sink:
            self._process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, **options
            )

    @property
    def pid(self):
        return self._process.pid

    @property
    def exit_code(self):
        """None while it runs."""
        return self._process.poll()

    def text(self):
        return self.output.read_text(errors="replace")

    def send(self, number):
        if self.exit_code is None:
            self._process.send_signal(number)

    def wait(self, seconds):
        return self._process.wait(seconds)

    def kill(self):
        self.send(signal.SIGKILL)
        return self._process.wait(10)
