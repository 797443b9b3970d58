"""A line between two programs that a test can cut: it drops what is connected, or goes silent without a word."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Wire:
    """Forwards TCP from `port` to `target` while it is whole."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, 0
        self._whole = asyncio.Event()
        self._whole.set()
        self._refuses = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Drop every connection, and every new one."""
        self._refuses = True
        for end in list(self._ends):
            end.transport.abort()

    def stall(self) -> None:
        """Carry nothing any more, and say nothing about it."""
        self._whole.clear()

    def mend(self) -> None:
        """Carry everything again; what was stalled arrives late."""
        self._refuses = False
        self._whole.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self._ends.add(writer)
        try:
            if self._refuses:
                return
            await self._whole.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
            self._ends.add(far_writer)
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        except OSError:
            pass
        finally:
            writer.transport.abort()
            self._ends.discard(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._whole.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()
            self._ends.discard(writer)


@asynccontextmanager
async def wire_to(target: int) -> AsyncIterator[Wire]:
    """Yield a whole wire to a port of this machine."""
    wire = Wire(target)
    server = await asyncio.start_server(wire.accept, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        wire.cut()
        wire.mend()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 5)
