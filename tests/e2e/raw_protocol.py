"""A MySQL client that sees every byte: handshake with chosen flags, commands by number, answers as raw packets."""
import hashlib
import socket
import struct
import zlib

FOUND_ROWS, COMPRESS, LOCAL_FILES, INTERACTIVE, SSL = 2, 32, 128, 1024, 2048
CONNECT_WITH_DB, MULTI_STATEMENTS = 8, 1 << 16
# LONG_PASSWORD LONG_FLAG PROTOCOL_41 TRANSACTIONS SECURE_CONNECTION MULTI_RESULTS PLUGIN_AUTH; no DEPRECATE_EOF
BASE = 1 | 4 | 512 | 8192 | 32768 | 1 << 17 | 1 << 19

(QUIT, INIT_DB, QUERY, FIELD_LIST, REFRESH, STATISTICS, PING, CHANGE_USER) = (1, 2, 3, 4, 7, 9, 14, 17)
(PREPARE, EXECUTE, LONG_DATA, CLOSE, RESET_STATEMENT, SET_OPTION, FETCH) = (22, 23, 24, 25, 26, 27, 28)
RESET_CONNECTION = 31

MORE_RESULTS, CURSOR_EXISTS, IN_TRANSACTION = 8, 64, 1
LONGEST = 0xFFFFFF


class Lost(Exception):
    """The server closed the connection."""


def scramble(password, salt):
    if not password:
        return b""
    first = hashlib.sha1(password.encode()).digest()
    mask = hashlib.sha1(salt + hashlib.sha1(first).digest()).digest()
    return bytes(a ^ b for a, b in zip(first, mask))


def lenenc(data, at=0):
    first = data[at]
    if first < 0xFB:
        return first, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size


def encode_lenenc(number):
    if number < 0xFB:
        return bytes([number])
    if number < 1 << 16:
        return b"\xfc" + struct.pack("<H", number)
    if number < 1 << 24:
        return b"\xfd" + struct.pack("<I", number)[:3]
    return b"\xfe" + struct.pack("<Q", number)


def frames(payload, sequence=0):
    """The packets of a payload, and the next sequence number."""
    out = bytearray()
    at = 0
    while True:
        part = payload[at : at + LONGEST]
        out += struct.pack("<I", len(part))[:3] + bytes([sequence & 0xFF]) + part
        sequence += 1
        at += len(part)
        if len(part) < LONGEST:
            return bytes(out), sequence & 0xFF


class Answer:
    """The packets of one answer, each with its header."""

    def __init__(self, packets):
        self.packets = packets

    @property
    def last(self):
        return self.packets[-1][4:]

    @property
    def error(self):
        """Number and text, or None."""
        if self.last[:1] != b"\xff":
            return None
        return struct.unpack_from("<H", self.last, 1)[0], self.last[9:].decode(errors="replace")

    @property
    def status(self):
        if self.last[:1] == b"\xfe":
            return struct.unpack_from("<H", self.last, 3)[0]
        return ok_status(self.last)

    @property
    def rows(self):
        """Text rows of the first result set."""
        count, _ = lenenc(self.packets[0][4:])
        found = []
        for packet in self.packets[count + 2 :]:
            body = packet[4:]
            if body[:1] == b"\xfe" and len(body) < 9 or body[:1] == b"\xff":
                break
            row, at = [], 0
            while at < len(body):
                if body[at] == 0xFB:
                    row.append(None)
                    at += 1
                    continue
                size, at = lenenc(body, at)
                row.append(body[at : at + size])
                at += size
            found.append(row)
        return found


def ok_status(body):
    _, at = lenenc(body, 1)
    _, at = lenenc(body, at)
    return struct.unpack_from("<H", body, at)[0]


class RawClient:
    def __init__(self, address, user, password, database=None, flags=0, collation=46, timeout=30, tls=None):
        """With TLS if an ssl.SSLContext is given."""
        self.flags = BASE | flags | (CONNECT_WITH_DB if database else 0) | (SSL if tls else 0)
        self._tls = tls
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._plain = None  # a bytearray when compressed
        self._packed_sequence = 0
        self.checks_order = True  # of compressed packets; several commands in one have no order of their own
        self.sequence = 0
        self.salt = b""
        self.login = self._log_in(user, password, database, collation)
        if flags & COMPRESS and not self.login.error:
            self._plain = bytearray()

    # bytes

    def write(self, data):
        if self._plain is None:
            return self.socket.sendall(data)
        for at in range(0, len(data), 1 << 20):
            part = data[at : at + (1 << 20)]
            packed = zlib.compress(part) if len(part) > 50 else part
            size = len(part) if len(part) > 50 else 0
            header = struct.pack("<I", len(packed))[:3] + bytes([self._packed_sequence & 0xFF])
            self._packed_sequence += 1
            self.socket.sendall(header + struct.pack("<I", size)[:3] + packed)

    def _receive(self, count):
        while len(self._buffer) < count:
            data = self.socket.recv(1 << 20)
            if not data:
                raise Lost(f"closed, with {bytes(self._buffer[:80])!r} left")
            self._buffer += data

    def _take(self, count):
        self._receive(count)
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _take_plain(self, count):
        if self._plain is None:
            return self._take(count)
        while len(self._plain) < count:
            header = self._take(7)
            packed = self._take(int.from_bytes(header[:3], "little"))
            is_next = header[3] == self._packed_sequence & 0xFF
            assert is_next or not self.checks_order, "compressed packets out of order"
            self._packed_sequence += 1
            self._plain += zlib.decompress(packed) if header[4:] != b"\0\0\0" else packed
        data = bytes(self._plain[:count])
        del self._plain[:count]
        return data

    # packets

    def read_packet(self):
        header = self._take_plain(4)
        self.sequence = (header[3] + 1) & 0xFF
        return header + self._take_plain(int.from_bytes(header[:3], "little"))

    def _read_whole(self, into):
        """One payload, all its packets appended; returns the payload's first 64 KiB and its length."""
        packet = self.read_packet()
        into.append(packet)
        head, length = packet[4:65540], len(packet) - 4
        while len(packet) == LONGEST + 4:
            packet = self.read_packet()
            into.append(packet)
            length += len(packet) - 4
        return head, length

    def start_command(self):
        """Compressed packets are numbered anew."""
        self._packed_sequence = 0

    def begin(self, command, argument=b""):
        """Sends a command without waiting for its answer."""
        self.start_command()
        self.write(frames(bytes([command]) + argument)[0])

    def command(self, command, argument=b"", file=None):
        self.begin(command, argument)
        return self.answer(command, file)

    def query(self, text, file=None):
        return self.command(QUERY, text.encode() if isinstance(text, str) else text, file)

    def answer(self, command, file=None):
        packets = []
        if command in (LONG_DATA, CLOSE, QUIT):
            return Answer(packets)
        if command == FETCH:
            self._rows(packets)
        elif command == FIELD_LIST:
            self._rows(packets)
        elif command == PREPARE:
            self._prepare(packets)
        elif command in (QUERY, EXECUTE):
            while self._result(packets, file):
                pass
        else:
            self._read_whole(packets)
        return Answer(packets)

    def _prepare(self, packets):
        head, _ = self._read_whole(packets)
        if head[0] == 0xFF:
            return
        columns, params = struct.unpack_from("<HH", head, 5)
        for count in (params, columns):
            for _ in range(count + 1 if count else 0):
                self._read_whole(packets)

    def _result(self, packets, file):
        """True: another result follows."""
        head, _ = self._read_whole(packets)
        if head[0] == 0xFF:
            return False
        if head[0] == 0xFB:
            self.send_file(file)
            return self._result(packets, None)
        if head[0] == 0:
            return bool(ok_status(head) & MORE_RESULTS)
        count, _ = lenenc(head)
        for _ in range(count):
            self._read_whole(packets)
        head, length = self._read_whole(packets)
        assert head[0] == 0xFE and length < 9, head
        if struct.unpack_from("<H", head, 3)[0] & CURSOR_EXISTS:
            return False
        return self._rows(packets)

    def _rows(self, packets):
        while True:
            head, length = self._read_whole(packets)
            if head[0] == 0xFF:
                return False
            if head[0] == 0xFE and length < 9:
                return bool(struct.unpack_from("<H", head, 3)[0] & MORE_RESULTS)

    def send_file(self, parts):
        """The packets of a LOCAL INFILE's data; None refuses as drivers do, with an empty packet."""
        sequence = self.sequence
        for part in parts or ():
            data, sequence = frames(part, sequence)
            self.write(data)
        self.write(frames(b"", sequence)[0])

    # the login

    def _log_in(self, user, password, database, collation):
        self.greeting = self.read_packet()
        body = self.greeting[4:]
        if body[0] == 0xFF:
            return Answer([self.greeting])
        at = body.index(0, 1) + 5
        self.salt = body[at : at + 8] + body[at + 27 : at + 39]
        response = struct.pack("<IIB23x", self.flags, 1 << 30, collation & 0xFF)
        if self._tls:
            data, self.sequence = frames(response, self.sequence)
            self.write(data)
            self.socket = self._tls.wrap_socket(self.socket, server_hostname="localhost")
        response += user.encode() + b"\0"
        proof = scramble(password, self.salt)
        response += bytes([len(proof)]) + proof
        if database:
            response += database.encode() + b"\0"
        response += b"mysql_native_password\0"
        self.write(frames(response, self.sequence)[0])
        return self._finish_login(password)

    def _finish_login(self, password):
        packet = self.read_packet()
        if packet[4] == 0xFE:
            salt = packet[5:].split(b"\0", 1)[1][:20]
            self.write(frames(scramble(password, salt), self.sequence)[0])
            packet = self.read_packet()
        return Answer([packet])

    def change_user(self, user, password, database=""):
        self.begin(CHANGE_USER, self.change_of_user(user, password, database))
        return self._finish_login(password)

    def change_of_user(self, user, password, database=""):
        """What follows COM_CHANGE_USER."""
        proof = scramble(password, self.salt)
        argument = user.encode() + b"\0" + bytes([len(proof)]) + proof + database.encode() + b"\0"
        return argument + struct.pack("<H", 46) + b"mysql_native_password\0"

    def reset(self):
        """Goes away with an RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()
