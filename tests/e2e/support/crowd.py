"""Thousands of MySQL clients in one thread: as little as the protocol needs, in asyncio."""
import asyncio
import struct

import raw_protocol as raw


class Told(Exception):
    """The server answered with an error: number and text."""


class TinyClient:
    """Logs in with mysql_native_password; asks for single values."""

    async def open(self, port, account):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
        greeting = await self._packet()
        at = greeting.index(0, 1) + 5
        salt = greeting[at : at + 8] + greeting[at + 27 : at + 39]
        proof = raw.scramble(account.password, salt)
        login = struct.pack("<IIB23x", raw.BASE | raw.CONNECT_WITH_DB, 1 << 30, 46) + account.user.encode() + b"\0"
        login += bytes([len(proof)]) + proof + account.database.encode() + b"\0mysql_native_password\0"
        self._writer.write(raw.frames(login, 1)[0])
        answer = await self._packet()
        if answer[0] == 0xFE:
            self._writer.write(raw.frames(raw.scramble(account.password, answer[1:].split(b"\0", 1)[1][:20]), 3)[0])
            await self._packet()
        return self

    async def _packet(self):
        header = await self._reader.readexactly(4)
        body = await self._reader.readexactly(int.from_bytes(header[:3], "little"))
        if body[0] == 0xFF:
            raise Told(struct.unpack_from("<H", body, 1)[0], body[9:].decode(errors="replace"))
        return body

    async def ask(self, query):
        """The first column of the last row."""
        self._writer.write(raw.frames(bytes([raw.QUERY]) + query.encode())[0])
        await self._packet()
        value, ends = None, 0
        while ends < 2:
            body = await self._packet()
            if body[0] == 0xFE and len(body) < 9:
                ends += 1
            elif ends:
                value = body[1 : 1 + body[0]].decode()
        return value

    def close(self):
        self._writer.transport.abort()
