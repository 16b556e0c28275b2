"""Another host: a network namespace with a cable to this one, that can vanish."""
import contextlib
import ctypes
import os
import subprocess
import threading

import pytest

SUBNET = f"169.254.{os.getpid() % 254 + 1}"  # of this test run
HERE, THERE = f"{SUBNET}.1", f"{SUBNET}.2"
NEW_NETWORK = 0x40000000


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True)


class Namespace:
    def __init__(self, name):
        self.name = name

    def run(self, call):
        """In a thread that is there; sockets stay where they were made."""
        result = []

        def enter():
            with open(f"/run/netns/{self.name}") as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), NEW_NETWORK) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result.append(call())

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join(60)
        assert result, f"nothing came of it in {self.name}"
        return result[0]

    def vanish(self):
        """Whatever is sent there from now on is swallowed. The cable stays: with that, this side would know."""
        assert ip("-n", self.name, "addr", "flush", "dev", "cable").returncode == 0


@contextlib.contextmanager
def namespace():
    """Skips the test where this user may not make one."""
    name = f"tidepool-{os.getpid()}"
    near = f"tide{os.getpid()}"
    try:
        steps = [
            ("netns", "add", name),
            ("link", "add", near, "type", "veth", "peer", "name", "cable", "netns", name),
            ("addr", "add", f"{HERE}/30", "dev", near),
            ("link", "set", near, "up"),
            ("-n", name, "addr", "add", f"{THERE}/30", "dev", "cable"),
            ("-n", name, "link", "set", "cable", "up"),
        ]
        for step in steps:
            try:
                done = ip(*step)
            except FileNotFoundError:
                pytest.skip("no ip command here")
            if done.returncode != 0:
                pytest.skip(f"no network namespace here: ip {' '.join(step)}: {done.stderr.strip()}")
        yield Namespace(name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            ip("link", "del", near)  # with what a socket keeps of the namespace, too
            ip("netns", "del", name)
