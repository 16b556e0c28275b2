"""A TCP link between Tidepool and TiDB that breaks where a test says: at a byte of either direction, at a connect, now."""
import asyncio
import contextlib
import dataclasses
import socket
import struct
import threading

from .processes import free_port

UP, DOWN = "up", "down"  # towards TiDB, towards Tidepool
RESET, CLOSE, SILENCE, DELAY = "reset", "close", "silence", "delay"
ABRUPT = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends an RST


@dataclasses.dataclass(eq=False)
class Fault:
    """Lets `after` more bytes pass in its direction, and strikes instead of the next one; both ends feel it.

    A SILENCE swallows everything from then on, a DELAY goes on after `seconds`, as a SILENCE does then with a reset.
    """

    what: str
    side: str | None = None  # None: strikes a connection as soon as it is there
    after: int = 0
    seconds: float = 0
    times: int = 1  # connections that it strikes, one each
    new_only: bool = False  # only connections made after it was armed
    struck: int = 0


class Wire:
    """One connection of Tidepool's, and the one to TiDB that continues it."""

    def __init__(self, number, near, far):
        self.number, self.near, self.far = number, near, far
        self.passed = {UP: 0, DOWN: 0}
        self.silent = False
        self.end = asyncio.get_running_loop().create_future()

    def finish(self, how):
        if not self.end.done():
            self.end.set_result(how)


class Link:
    """Runs in a thread of its own; its methods are for the test's thread, and done when they return."""

    def __init__(self, target_port):
        self.port = free_port()
        self._target = ("127.0.0.1", target_port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._listener = self._accepting = None
        self._fillers = []  # connects that nobody accepts
        self._wires = set()
        self._tasks = set()
        self._armed = []  # pairs: a fault, and what had passed on each wire before
        self.accepted = 0
        self.most = 0  # connections at once

    def __enter__(self):
        self._thread.start()
        self._call(self._listen)
        return self

    def __exit__(self, *_):
        self._call(self._stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def open(self):
        return len(self._wires)

    @property
    def silent(self):
        return self._call(lambda: sum(wire.silent for wire in self._wires))

    @property
    def passed(self):
        """Bytes so far on the latest connection, by direction."""
        return self._call(lambda: dict(max(self._wires, key=lambda wire: wire.number).passed))

    def arm(self, what, side=None, **others):
        """Returns the Fault, which tells how often it has struck."""
        fault = Fault(what, side, **others)
        self._call(lambda: self._armed.append((fault, {wire: dict(wire.passed) for wire in self._wires})))
        return fault

    def disarm(self):
        self._call(self._armed.clear)

    def strike(self, what, seconds=0, most=None):
        """Every connection that there is now, or some of them."""
        self._call(lambda: [self._hit(wire, what, seconds) for wire in list(self._wires)[:most]])

    def refuse(self):
        """Nobody listens any more; what is connected stays."""
        self._call(self._close_listener)

    def ignore(self):
        """What knocks hears nothing, not even that it is connected, as if its packets were lost."""
        self._call(lambda: self._listen(backlog=0))

    def accept(self):
        """Ends refuse() and ignore()."""
        self._call(self._listen)

    # From here on in the link's thread.

    def _call(self, function):
        async def call():
            result = function()
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(20)

    def _start(self, coroutine):
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _listen(self, backlog=4096):
        await self._close_listener()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(backlog)
        self._listener.setblocking(False)
        if backlog:
            self._accepting = self._start(self._accept())
            return
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(filler)

    async def _close_listener(self):
        if self._accepting:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
            self._accepting = None
        for each in [*self._fillers, self._listener]:
            if each:
                each.close()
        self._fillers, self._listener = [], None

    async def _stop(self):
        await self._close_listener()
        for wire in list(self._wires):
            wire.finish(RESET)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self):
        while True:
            near, _ = await self._loop.sock_accept(self._listener)
            self._start(self._carry(near))

    async def _carry(self, near):
        far = socket.socket()
        for each in (near, far):
            each.setblocking(False)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.accepted += 1
        wire = Wire(self.accepted, near, far)
        self._wires.add(wire)
        self._start(self._count())
        pumps = [self._loop.create_task(self._run(wire))]
        how = await wire.end
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for each in (near, far):
            if how == RESET:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPT)
            else:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._wires.discard(wire)

    async def _count(self):
        """What was closed before it has been noticed by then."""
        await asyncio.sleep(0.05)
        for _ in range(10):
            await asyncio.sleep(0)
        self.most = max(self.most, len(self._wires))

    async def _run(self, wire):
        due = self._due(wire, None, 0)
        if due:
            self._hit(wire, due.what, due.seconds)
            if due.what == DELAY:
                await asyncio.sleep(due.seconds)
        try:
            await self._loop.sock_connect(wire.far, self._target)
        except OSError:
            return wire.finish(RESET)
        await asyncio.gather(
            self._pump(wire, UP, wire.near, wire.far),
            self._pump(wire, DOWN, wire.far, wire.near),
        )

    async def _pump(self, wire, side, source, sink):
        try:
            while data := await self._loop.sock_recv(source, 65536):
                if wire.silent:
                    continue
                due = self._due(wire, side, len(data))
                if due:
                    data = await self._break(wire, side, sink, due, data)
                await self._loop.sock_sendall(sink, data)
                wire.passed[side] += len(data)
        except OSError:
            return wire.finish(RESET)
        wire.finish(CLOSE)

    async def _break(self, wire, side, sink, due, data):
        """Returns what is still to be passed on."""
        head = data[: due.left]
        await self._loop.sock_sendall(sink, head)
        wire.passed[side] += len(head)
        self._hit(wire, due.what, due.seconds)
        if due.what != DELAY:
            return b""
        await asyncio.sleep(due.seconds)
        return data[len(head) :]

    def _hit(self, wire, what, seconds):
        if what == SILENCE:
            wire.silent = True
            if seconds:
                self._loop.call_later(seconds, wire.finish, RESET)
        elif what != DELAY:
            wire.finish(what)

    def _due(self, wire, side, size):
        """What strikes within the next `size` bytes of that direction."""
        for fault, before in self._armed:
            if fault.side != side or (fault.new_only and wire in before):
                continue
            left = fault.after - (wire.passed[side] - before.get(wire, {}).get(side, 0)) if side else 0
            if 0 <= left < size or side is None:
                fault.struck += 1
                if fault.struck == fault.times:
                    self._armed = [(each, at) for each, at in self._armed if each is not fault]
                return Due(fault.what, fault.seconds, left)
        return None


@dataclasses.dataclass
class Due:
    what: str
    seconds: float
    left: int  # bytes that still pass
