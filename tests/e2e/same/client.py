"""One session of a program on one side, as the comparison has it: more ways to log in, more types of parameters."""
import datetime
import decimal
import socket
import struct

import raw_protocol as raw
import same_bytes
from same_bytes import LONG

from .settling import Departed

STRING, BLOB, DOUBLE, LONGLONG, NULL, DATE, DATETIME, DECIMAL = 0xFD, 0xFC, 5, 8, 6, 10, 12, 246


# Variables that differ between two servers or two moments.
UNEQUAL = (
    "hostname", "port", "socket", "tmpdir", "datadir", "pid_file", "server_uuid", "server_id", "tidb_config",
    "tidb_current_ts", "timestamp", "tidb_last_txn_info", "tidb_last_query_info", "tidb_last_ddl_info", "pseudo_thread_id",
    "tidb_last_plan_replayer_token", "last_plan_from_cache", "last_plan_from_binding", "log_error", "log_bin_basename",
    "tidb_slow_query_file", "general_log_file", "slow_query_log_file", "ssl_ca", "ssl_cert", "ssl_key", "warning_count",
    "error_count", "innodb_data_home_dir", "version_comment", "tidb_gc_last_run_time", "tidb_gc_safe_point",
    "identity", "last_insert_id", "last_sql_use_alloc", "tx_isolation_one_shot",
)  # fmt: skip
ALL_VARIABLES = (
    "SELECT variable_name, variable_value FROM information_schema.session_variables "
    f"WHERE variable_name NOT IN {UNEQUAL} ORDER BY variable_name LIMIT 2000"
)


class Client(same_bytes.Client):
    departed = None  # the connection that it left last by `depart`

    def connect(self, flags=0, database="{db}", collation=46, account=0, password=None):
        self.leave()
        user, right = self.side.account(account)
        name = self.side.fill(database) if database else None
        self.raw = raw.RawClient(self.side.address, user, password or right, name, flags, collation)
        self.ids = {}
        packets = [neutral_greeting(self.raw.greeting), *self.raw.login.packets]
        if self.raw.login.error:
            self.raw.close()
            self.raw = None
        return packets

    def change_user(self, account=0, database="{db}", password=None):
        user, right = self.side.account(account)
        answer = self.raw.change_user(user, password or right, self.side.fill(database))
        if not answer.error:
            self.ids = {}
        return answer.packets

    def execute(self, handle, values=(), types=True, cursor=0):
        body = self._id(handle) + bytes([cursor]) + struct.pack("<I", 1)
        if values:
            body += parameters(values, types)
        return self.raw.command(raw.EXECUTE, body).packets

    def command(self, number, argument=""):
        """With the second OK that TiDB says to FLUSH PRIVILEGES as a command."""
        packets = super().command(number, argument)
        if number == raw.REFRESH and argument.startswith("\1") and packets[-1][4] == 0:
            packets += self.raw.answer(number).packets
        return packets

    def depart(self, how, table, *texts):
        """Sends all of that in one write and goes; `how` is one of kinds.departures.WAYS. Its table tells what came of it."""
        self.departed = Departed(self.side, connection_id(self.raw.greeting))
        if self.side.is_direct:
            self.side.witness.wait_for(self.departed.connection_id)
        data = b"".join(raw.frames(bytes([raw.QUERY]) + self.side.fill(text).encode())[0] for text in texts)
        data += raw.frames(bytes([raw.QUIT]))[0] if how.endswith("quit") else b"\5\0\0" if how == "part" else b""
        packets = []
        self.raw.start_command()
        if data:
            self.raw.write(data)
        if how.startswith("half"):
            self.raw.socket.shutdown(socket.SHUT_WR)
            packets = self._read_to_the_end()
        self.raw.close()
        self.raw = None
        return packets

    def _read_to_the_end(self):
        packets = []
        try:
            while True:
                packets.append(self.raw.read_packet())
        except (raw.Lost, ConnectionError):
            return packets

    def all_variables(self):
        return self.query(ALL_VARIABLES)

    def run(self, op):
        """TiDB numbers the packets inside compressed ones anew where it flushes: nobody looks at those numbers."""
        compressed = self.raw is not None and self.raw.flags & raw.COMPRESS
        packets = super().run(op)
        return [packet[:3] + packet[4:] for packet in packets] if compressed and op[0] != "connect" else packets


def connection_id(greeting):
    at = greeting.index(0, 5) + 1  # behind the version
    return int.from_bytes(greeting[at : at + 4], "little")


def neutral_greeting(packet):
    """Without the connection's id and the salt. The capabilities differ: see docs."""
    body = packet[4:]
    if body[:1] == b"\xff":
        return packet
    at = body.index(0, 1) + 1
    return packet[:4] + body[:at] + body[at + 15 : at + 18]


def parameters(values, types):
    bitmap = bytearray((len(values) + 7) // 8)
    kinds, data = b"", b""
    for index, value in enumerate(values):
        if value is None:
            bitmap[index // 8] |= 1 << index % 8
        number, encoded = parameter(value)
        kinds += struct.pack("<BB", number, 0)
        data += encoded
    return bytes(bitmap) + (b"\1" + kinds if types else b"\0") + data


def parameter(value):
    """The type's number, and the bytes."""
    if value is None:
        return NULL, b""
    if value is LONG:
        return STRING, b""
    if isinstance(value, int):
        return LONGLONG, struct.pack("<q", value)
    if isinstance(value, float):
        return DOUBLE, struct.pack("<d", value)
    if isinstance(value, datetime.datetime):
        parts = (value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond)
        return DATETIME, struct.pack("<BHBBBBBI", 11, *parts)
    if isinstance(value, datetime.date):
        return DATE, struct.pack("<BHBB", 4, value.year, value.month, value.day)
    if isinstance(value, bytes):
        return BLOB, raw.encode_lenenc(len(value)) + value
    number = DECIMAL if isinstance(value, decimal.Decimal) else STRING
    text = str(value).encode()
    return number, raw.encode_lenenc(len(text)) + text
