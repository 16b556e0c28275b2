"""What a lease costs: two clients take turns on one backend, with equal state and with states that differ.

The same turns on TiDB itself are the measure. A turn is sent as bytes prepared before, and its answer must be the same
bytes every time: the client costs little, and a wrong answer ends the run.
"""
import dataclasses
import ssl
import statistics
import struct
import time

import raw_protocol as raw
from figures import Series, cpu_ns, show_table
from stand import ACCOUNT

READ = "SELECT v FROM lease WHERE id = 1"
NOTHING = ((), ())

# Execute with one parameter, an INT that is 1: id, no cursor, one iteration, no NULL, types follow.
PARAMETER = b"\0" + struct.pack("<I", 1) + b"\0" + b"\1" + b"\3\0" + struct.pack("<i", 1)


@dataclasses.dataclass(frozen=True)
class Work:
    name: str
    turn: tuple  # the statements of a turn; or PREPARED
    states: tuple = NOTHING  # what each of the two clients sets at its start


PREPARED = ("SELECT v FROM lease WHERE id = ?",)
EQUAL = Work("point select, equal state", (READ,))
WORKS = (
    EQUAL,
    Work("one session variable differs", (READ,), (["SET time_zone = '+01:00'"], ["SET time_zone = '+02:00'"])),
    Work("one user variable differs", (READ,), (["SET @v = 1"], ["SET @v = 2"])),
    Work("LAST_INSERT_ID set every time", ("UPDATE lease SET v = LAST_INSERT_ID(7) WHERE id = 2",)),
    Work("INSERT IGNORE with a warning", ("INSERT IGNORE INTO lease VALUES (1, 1)",)),
    Work("computed variable", ("SET @c = CONCAT('a', 'b')",)),
    Work("BEGIN, point select, COMMIT", ("BEGIN", READ, "COMMIT")),
    Work("prepare, execute, close", PREPARED),
)


class Differs(Exception):
    """An answer was another than the first time."""


class Client:
    def __init__(self, side, context, state, turn):
        tls = context if side.tls else None
        self._raw = raw.RawClient(
            ("127.0.0.1", side.port), ACCOUNT.user, ACCOUNT.password, ACCOUNT.database, timeout=20, tls=tls
        )
        self._prepared = turn is PREPARED
        self._exchanges = []
        try:
            for text in state:
                self._ask(text)
            if self._prepared:
                self._learn_prepared(turn[0])
            else:
                self._learn(turn)
        except Exception:
            self.close()
            raise

    def _ask(self, text):
        answer = self._raw.query(text)
        if answer.error:
            raise Differs(f"{text}: {answer.error}")
        return b"".join(answer.packets)

    def _learn(self, turn):
        for text in turn:
            self._exchanges.append((raw.frames(bytes([raw.QUERY]) + text.encode())[0], self._ask(text)))

    def _learn_prepared(self, text):
        self._request = raw.frames(bytes([raw.PREPARE]) + text.encode())[0]
        prepared = self._raw.command(raw.PREPARE, text.encode())
        executed = self._raw.command(raw.EXECUTE, prepared.packets[0][5:9] + PARAMETER)
        assert not executed.error, executed.error
        self._raw.command(raw.CLOSE, prepared.packets[0][5:9])
        self._sizes = [sum(map(len, answer.packets)) for answer in (prepared, executed)]
        self._executed = b"".join(executed.packets)

    def _receive(self, size):
        received = self._raw.socket.recv(65536)
        while len(received) < size:
            more = self._raw.socket.recv(65536)
            if not more:
                raise Differs(f"closed after {received!r}")
            received += more
        return received

    def turn(self):
        if self._prepared:
            return self._prepared_turn()
        for request, expected in self._exchanges:
            self._raw.socket.sendall(request)
            got = self._receive(len(expected))
            if got != expected:
                raise Differs(f"{request!r}: {got!r} instead of {expected!r}")

    def _prepared_turn(self):
        self._raw.socket.sendall(self._request)
        number = self._receive(self._sizes[0])[5:9]
        self._raw.socket.sendall(raw.frames(bytes([raw.EXECUTE]) + number + PARAMETER)[0])
        if self._receive(self._sizes[1]) != self._executed:
            raise Differs("another row")
        self._raw.socket.sendall(raw.frames(bytes([raw.CLOSE]) + number)[0])

    def close(self):
        self._raw.close()


class Lane:
    """One work on one side: its two clients, and what each round gave."""

    def __init__(self, side, work, context):
        self.side = side
        self.microseconds, self.cpu = Series(), Series()
        self._clients = []
        self.refused = None
        try:
            for state in work.states:
                self._clients.append(Client(side, context, state, work.turn))
        except Differs as why:
            self.refused = why

    def measure(self, seconds):
        if self.refused:
            return
        taken = []
        before = cpu_ns(self.side.pid) if self.side.pid else 0
        start = time.perf_counter_ns()
        end = start + int(seconds * 1e9)
        while start < end or len(taken) < 10:
            for client in self._clients:
                client.turn()
                now = time.perf_counter_ns()
                taken.append(now - start)
                start = now
        self.microseconds.add(statistics.median(taken) / 1e3)
        if self.side.pid:
            self.cpu.add((cpu_ns(self.side.pid) - before) / len(taken) / 1e3)

    def close(self):
        for client in self._clients:
            client.close()


def measure_work(work, sides, context, rounds, seconds):
    lanes = {side.name: Lane(side, work, context) for side in sides}
    order = list(lanes.values())
    for _ in range(rounds):
        for lane in order:
            lane.measure(seconds)
        order = order[1:] + order[:1]
    for lane in lanes.values():
        lane.close()
    return lanes


def row_of(work, lanes):
    direct, proxied = lanes["direct"], lanes["Tidepool"]
    tcp = lanes.get("HAProxy")
    if proxied.refused:
        return [work.name, direct.microseconds.text(0), "-", "not shared: the first client keeps the backend", "-", "-"]
    return [
        work.name,
        direct.microseconds.text(0),
        tcp.microseconds.over(direct.microseconds).text() if tcp else "-",
        proxied.microseconds.over(direct.microseconds).text(),
        tcp.cpu.text(0) if tcp else "-",
        proxied.cpu.text(0),
    ]


def run(stand, rounds, seconds):
    stand.tidb.execute(
        f"CREATE TABLE {ACCOUNT.database}.lease (id INT PRIMARY KEY, v INT)",
        f"INSERT INTO {ACCOUNT.database}.lease VALUES (1, 1), (2, 7)",
    )
    context = ssl.create_default_context(cafile=stand.authority.path)
    rows = []
    with stand.tidepool(size=1, max_overflow=0, timeout="1s", recycle="0s") as (tidepool, _):
        sides = [side for side in (stand.direct, stand.tcp_proxy, tidepool) if side]
        for work in WORKS:
            rows.append(row_of(work, measure_work(work, sides, context, rounds, seconds)))
    show_table(
        "Two clients in turns on one backend: a turn, and its ratio to the same turn on TiDB itself",
        ["turn", "direct µs", "HAProxy ×", "Tidepool ×", "CPU µs HAProxy", "CPU µs Tidepool"],
        rows,
    )
