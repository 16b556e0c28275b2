"""What clients who have logged in make the proxy keep: prepared statements, commands half sent, commands that were packed."""
import contextlib
import pathlib
import re
import struct
import time

import pymysql
import pytest
import raw_protocol as raw

from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]

MIB = 1 << 20


@pytest.fixture
def account(tidb):
    return tidb.new_account("sums")


def one(connection, query="SELECT 1"):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


class Memory:
    """The resident memory of the proxy, and the most that it was since this began."""

    def __init__(self, door):
        self._process = pathlib.Path(f"/proc/{door.proxy.pid}")
        (self._process / "clear_refs").write_text("5")
        self.before = self.now()

    def _figure(self, name):
        return int(re.search(rf"{name}:\s+(\d+) kB", (self._process / "status").read_text())[1]) << 10

    def now(self):
        return self._figure("VmRSS")

    def growth(self):
        return self.now() - self.before

    def peak(self):
        return self._figure("VmHWM") - self.before


def raw_client(door, **others):
    return raw.RawClient(("127.0.0.1", door.port), door.account.user, door.account.password, door.account.database, **others)


def prepares(client, number):
    """Statement's id, or the error, of a text of 1 MB."""
    reply = client.command(raw.PREPARE, f"SELECT {number}, '{'x' * 1_000_000}'".encode())
    return reply.error or struct.unpack_from("<I", reply.packets[0], 5)[0]  # behind both headers


def half_sent(connection, size):
    """All but the last byte of a COM_QUERY of that size, as far as the proxy takes it."""
    bytes_sent = raw.frames(b"\x03SELECT '" + b"x" * size)[0][:-1]
    connection._sock.settimeout(0.2)
    with contextlib.suppress(OSError):
        connection._sock.sendall(bytes_sent)


def test_prepared_statements_are_kept_up_to_a_sum(open_door, account):
    door = open_door(account)
    with door.connect() as other:
        one(other)
        memory = Memory(door)
        client = raw_client(door)
        answers = [prepares(client, number) for number in range(200)]
        print(f"200 prepares: peak {memory.peak() / MIB:.0f} MiB, kept {memory.growth() / MIB:.0f} MiB")
        kept = [answer for answer in answers if isinstance(answer, int)]
        refused = [answer for answer in answers if not isinstance(answer, int)]
        assert memory.peak() < 48 * MIB
        assert 12 <= len(kept) <= 16
        assert {error[0] for error in refused} == {1461}
        assert "users[].max_prepared_memory" in str(refused[0])
        assert one(other) == 1
        assert door.proxy.metric("tidepool_prepares_refused_total", limit="session") == len(refused)
        assert len(kept) * MIB * 0.9 < door.proxy.metric("tidepool_prepared_bytes") <= 16 * MIB
        # One that is closed makes room for another.
        client.begin(raw.CLOSE, struct.pack("<I", kept[0]))
        assert isinstance(prepares(client, 1000), int)
        client.close()
        wait_until(lambda: door.proxy.metric("tidepool_prepared_bytes") == 0, 10, "the statements to go")
        wait_until(lambda: memory.growth() < 12 * MIB, 30, "the memory to go back to the system")


def test_prepared_statements_of_a_pool_are_kept_up_to_a_sum(open_door, account):
    door = open_door(account, max_prepared_memory="32MiB")
    with door.connect() as other, contextlib.ExitStack() as stack:
        one(other)
        memory = Memory(door)
        answers = []
        for _ in range(4):
            client = stack.enter_context(contextlib.closing(raw_client(door)))
            answers += [prepares(client, number) for number in range(14)]
        refused = [answer for answer in answers if not isinstance(answer, int)]
        assert {error[0] for error in refused} == {1461}
        assert "pools[].max_prepared_memory" in str(refused[0])
        assert memory.peak() < 64 * MIB
        assert one(other) == 1
        assert door.proxy.metric("tidepool_prepares_refused_total", limit="pool") == len(refused)


def test_commands_half_sent_keep_a_sum_of_memory_and_others_are_served(open_door, account):
    door = open_door(account)
    with door.connect() as other, door.connect() as large, contextlib.ExitStack() as stack:
        one(other)
        memory = Memory(door)
        clients = [stack.enter_context(door.connect()) for _ in range(10)]
        for client in clients:
            half_sent(client, 40 * MIB)
            begun = time.monotonic()
            assert one(other, "SELECT 2") == 2
            assert time.monotonic() - begun < 1, "a small command waits for nobody"
        print(f"10 half-sent commands: peak {memory.peak() / MIB:.0f} MiB")
        assert door.proxy.metric("tidepool_command_bytes") <= 256 * MIB
        # A large one is served too, when those that go on with nothing have gone.
        begun = time.monotonic()
        assert one(large, f"SELECT LENGTH('{'y' * (60 * MIB)}')") == 60 * MIB
        print(f"60 MiB of another client: {time.monotonic() - begun:.1f} s, peak {memory.peak() / MIB:.0f} MiB")
        assert memory.peak() < 300 * MIB
        assert door.proxy.metric("tidepool_commands_refused_total") >= 1
        assert one(other, "SELECT 3") == 3
        stack.close()
    wait_until(lambda: door.proxy.metric("tidepool_command_bytes") == 0, 10, "the commands to go")
    wait_until(lambda: memory.growth() < 16 * MIB, 30, "the memory to go back to the system")


def test_a_packed_command_takes_little_more_than_twice_its_size(open_door, account):
    door = open_door(account)
    with door.connect() as other:
        one(other)
        memory = Memory(door)
        client = raw_client(door, flags=raw.COMPRESS)
        size = 63 * MIB - 100
        assert client.query(b"SELECT LENGTH('" + b"z" * size + b"')").rows == [[str(size).encode()]]
        print(f"63 MiB out of zlib: peak {memory.peak() / MIB:.0f} MiB, after it {memory.growth() / MIB:.0f} MiB")
        assert memory.peak() < 160 * MIB
        assert one(other) == 1
        wait_until(lambda: memory.growth() < 16 * MIB, 30, "the memory to go back to the system")
        client.close()


def test_packed_commands_of_many_clients_keep_to_the_sum(open_door, account):
    door = open_door(account)
    with door.connect() as other, contextlib.ExitStack() as stack:
        one(other)
        memory = Memory(door)
        clients = [stack.enter_context(contextlib.closing(raw_client(door, flags=raw.COMPRESS))) for _ in range(8)]
        size = 40 * MIB
        for client in clients:
            client.begin(3, b"SELECT LENGTH('" + b"z" * size + b"')")
        assert one(other) == 1
        assert [client.answer(3).rows for client in clients] == [[[str(size).encode()]]] * 8
        print(f"8 of 40 MiB out of zlib: peak {memory.peak() / MIB:.0f} MiB")
        assert memory.peak() < 300 * MIB
        assert door.proxy.metric("tidepool_commands_refused_total") == 0
        assert door.proxy.metric("tidepool_command_waits_total") > 0
