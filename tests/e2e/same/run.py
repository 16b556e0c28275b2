"""Runs a program on both sides, step by step, and finds the first difference."""
import dataclasses

from .client import Client
from .settling import settled

STARVED = b"no TiDB connection"


@dataclasses.dataclass
class Side:
    name: str
    address: tuple
    accounts: list  # user and password
    database: str
    then: str = ""  # the moment before past.moment changed, in seconds
    witness: object = None  # who looks at its server

    @property
    def is_direct(self):
        return self.name == "direct"

    def account(self, which):
        return self.accounts[which] if isinstance(which, int) else (which, "no password")

    def fill(self, text):
        return text.replace("{db}", self.database).replace("{other}", self.database + "o").replace("{then}", self.then)

    def neutral(self, data):
        return data


@dataclasses.dataclass
class Difference:
    at: int  # index of the step
    step: object
    direct: list
    proxy: list

    @property
    def is_starvation(self):
        """The proxy's own error of a full pool."""
        return any(b"size" in packet and b"leased" in packet for packet in self.proxy[-1:])

    def __str__(self):
        at = next((n for n, (a, b) in enumerate(zip(self.direct, self.proxy)) if a != b), min(len(self.direct), len(self.proxy)))
        return f"{self.step}\n  direct: {shown(self.direct, at)}\n  proxy:  {shown(self.proxy, at)}"


def shown(packets, at):
    """From the first packet that differs, with its header."""
    lines = [repr(packet[:300]) + ("…" if len(packet) > 300 else "") for packet in packets[at : at + 4]]
    rest = f" … of {len(packets)} packets" if len(packets) > at + 4 else ""
    return f"[{at}] " + ("\n          ".join(lines) or "(nothing more)") + rest


class Pair:
    """A session on both sides."""

    def __init__(self, sides):
        self._clients = [Client(side) for side in sides]

    def run(self, op):
        """Both answers if they differ, else None."""
        alive = [client.raw is not None for client in self._clients]
        if op[0] not in ("connect", "leave") and not any(alive):
            return None
        if op[0] not in ("connect", "leave") and not all(alive):
            return [f"alive: {one}".encode() for one in alive[:1]], [f"alive: {one}".encode() for one in alive[1:]]
        direct, proxy = (client.run(op) for client in self._clients)
        if direct != proxy:
            return direct, proxy
        return settled(*(client.departed for client in self._clients), op[2]) if op[0] == "depart" else None

    def close(self):
        for client in self._clients:
            client.leave()


def run(steps, sides, count=None):
    """The first Difference, or None; `count` is called after each step."""
    pairs = {}
    try:
        for at, step in enumerate(steps):
            if step.session not in pairs:
                pairs[step.session] = Pair(sides)
            answers = pairs[step.session].run(step.act.op)
            if answers:
                return Difference(at, step, *answers)
            if count:
                count(step)
        return None
    finally:
        for pair in pairs.values():
            pair.close()
