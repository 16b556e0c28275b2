"""Runs one program on two doors, TiDB itself and the proxy, and compares every packet of every answer."""
import dataclasses
import re
import struct

import raw_protocol as raw

STRING, LONGLONG, DOUBLE, NULL = 0xFD, 8, 5, 6


@dataclasses.dataclass
class Side:
    """Databases of both sides have names of the same length, so that packets differ in nothing but the letters."""

    name: str
    address: tuple
    account: object
    database: str
    other: str

    def fill(self, text):
        return text.replace("{db}", self.database).replace("{other}", self.other)

    def neutral(self, data):
        data = data.replace(self.database.encode(), b"#" * len(self.database))
        return data.replace(self.other.encode(), b"@" * len(self.other))


class Client:
    """One session of a program on one side."""

    def __init__(self, side):
        self.side = side
        self.raw = None
        self.ids = {}

    def run(self, op):
        """The packets of the answer, made comparable; a lost connection is an answer too."""
        try:
            packets = getattr(self, op[0])(*op[1:])
        except (raw.Lost, ConnectionError):
            self.raw.close()
            self.raw = None
            return [b"lost"]  # an end or a reset: that depends on what was still on its way
        except TimeoutError:
            self.raw.close()
            self.raw = None
            return [b"no answer"]
        return [self.side.neutral(packet) for packet in packets]

    def connect(self, flags=0, database="{db}", collation=46):
        self.leave()
        name = self.side.fill(database) if database else None
        account = self.side.account
        self.raw = raw.RawClient(self.side.address, account.user, account.password, name, flags, collation)
        self.ids = {}
        packets = self.raw.login.packets
        if self.raw.login.error:
            self.raw.close()
            self.raw = None
        return packets

    def leave(self, how="quit"):
        if self.raw:
            if how == "quit":
                self.raw.begin(raw.QUIT)
            if how == "reset":
                self.raw.reset()
            self.raw.close()
        self.raw = None
        return []

    def query(self, text, file=None):
        text = self.side.fill(text)
        return self.raw.command(raw.QUERY, text.encode("utf-8", "surrogateescape"), file).packets

    def command(self, number, argument=""):
        packets = self.raw.command(number, self.side.fill(argument).encode("latin-1")).packets
        if number == raw.STATISTICS:
            return [re.sub(rb"Uptime: \d+", b"Uptime", packets[0])[4:]]
        return packets

    def empty(self):
        """A packet without a command; both end the connection behind their answer."""
        self.raw.write(b"\0\0\0\0")
        packets = self.raw.answer(raw.PING).packets
        try:
            packets.append(self.raw.read_packet())
        except raw.Lost:
            packets.append(b"lost")
            self.raw.close()
            self.raw = None
        return packets

    def reset(self):
        self.ids = {}
        return self.raw.command(raw.RESET_CONNECTION).packets

    def change_user(self, database="{db}", password=None):
        account = self.side.account
        answer = self.raw.change_user(account.user, password or account.password, self.side.fill(database))
        if not answer.error:
            self.ids = {}
        return answer.packets

    def prepare(self, handle, text):
        packets = self.raw.command(raw.PREPARE, self.side.fill(text).encode()).packets
        if packets[0][4] == 0:
            self.ids[handle] = struct.unpack_from("<I", packets[0], 5)[0]
            packets[0] = packets[0][:5] + b"iiii" + packets[0][9:]
        return packets

    def _id(self, handle):
        return struct.pack("<I", self.ids.get(handle, 4000000))

    def execute(self, handle, values=(), types=True, cursor=0):
        body = self._id(handle) + bytes([cursor]) + struct.pack("<I", 1)
        if values:
            body += parameters(values, types)
        return self.raw.command(raw.EXECUTE, body).packets

    def fetch(self, handle, count):
        return self.raw.command(raw.FETCH, self._id(handle) + struct.pack("<I", count)).packets

    def long_data(self, handle, number, data):
        if handle not in self.ids:
            return []  # TiDB answers such a one, although the protocol has no answer
        return self.raw.command(raw.LONG_DATA, self._id(handle) + struct.pack("<H", number) + data).packets

    def close_statement(self, handle):
        if handle not in self.ids:
            return []
        packets = self.raw.command(raw.CLOSE, self._id(handle)).packets
        del self.ids[handle]
        return packets

    def reset_statement(self, handle):
        return self.raw.command(raw.RESET_STATEMENT, self._id(handle)).packets

    def pieces(self, text):
        """A query, its packet sent byte by byte."""
        for byte in raw.frames(bytes([raw.QUERY]) + self.side.fill(text).encode())[0]:
            self.raw.write(bytes([byte]))
        return self.raw.answer(raw.QUERY).packets

    def pipeline(self, *texts):
        """Queries sent back to back."""
        queries = [raw.frames(bytes([raw.QUERY]) + self.side.fill(text).encode())[0] for text in texts]
        self.raw.write(b"".join(queries))
        return [packet for _ in texts for packet in self.raw.answer(raw.QUERY).packets]


def parameters(values, types):
    bitmap = bytearray((len(values) + 7) // 8)
    kinds, data = b"", b""
    for index, value in enumerate(values):
        if value is None:
            bitmap[index // 8] |= 1 << index % 8
            kinds += struct.pack("<BB", NULL, 0)
        elif value is LONG:
            kinds += struct.pack("<BB", STRING, 0)
        elif isinstance(value, float):
            kinds += struct.pack("<BB", DOUBLE, 0)
            data += struct.pack("<d", value)
        elif isinstance(value, int):
            kinds += struct.pack("<BB", LONGLONG, 0)
            data += struct.pack("<q", value)
        else:
            kinds += struct.pack("<BB", STRING, 0)
            data += raw.encode_lenenc(len(value)) + value.encode()
    return bytes(bitmap) + (b"\1" + kinds if types else b"\0") + data


LONG = object()  # a value that was sent as long data


def shown(packets):
    lines = [repr(packet[:160]) + ("…" if len(packet) > 160 else "") for packet in packets[:12]]
    return "\n      ".join(lines) or "(nothing)"


class Program:
    """Sessions by number, each a client on either side; run() answers a description of the difference, or None."""

    def __init__(self, sides):
        self.sides = sides
        self.sessions = {}
        self.log = []

    def run(self, number, op):
        pair = self.sessions.setdefault(number, [Client(side) for side in self.sides])
        self.log.append((number, op))
        if op[0] not in ("connect", "leave") and pair[0].raw is None and pair[1].raw is None:
            return None
        if None in (pair[0].raw, pair[1].raw) and op[0] not in ("connect", "leave"):
            return f"session {number}: one side lives, the other not, before {op}"
        wanted, got = (client.run(op) for client in pair)
        if wanted == got:
            return None
        return f"session {number}: {op!r:.300}\n  {self.sides[0].name}: {shown(wanted)}\n  {self.sides[1].name}: {shown(got)}"

    def close(self):
        for pair in self.sessions.values():
            for client in pair:
                client.leave()
