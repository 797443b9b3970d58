"""A bad wire between a browser and the desk: it stalls, breaks in the middle of a frame, and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

PIECE = 16 * 1024


class Wire:
    """Passes bytes on between browsers and the desk, until told otherwise."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._flows = asyncio.Event()
        self._flows.set()
        self._left: int | None = None
        self._lines: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.breaks = 0
        self.url = ""

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Close everything."""
        self._flows.set()
        self.cut()
        if self._server is not None:
            self._server.close()

    def stall(self) -> None:
        """Keep every line open and let nothing through, in either direction."""
        self._flows.clear()

    def resume(self) -> None:
        """Let everything through again; lines that stood still go on where they were."""
        self._flows.set()

    def cut(self) -> None:
        """Break all lines at once."""
        for line in list(self._lines):
            line.transport.abort()

    def break_after(self, size: int | None) -> None:
        """Break every line that has carried `size` more bytes from the browser; None: no more."""
        self._left = size

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # the desk is down: so is the line
            writer.transport.abort()
            return
        self._lines |= {writer, there}
        up = asyncio.create_task(self._pass(reader, there, counted=True))
        down = asyncio.create_task(self._pass(there_reader, writer, counted=False))
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        for line in (writer, there):
            line.close()
            self._lines.discard(line)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool) -> None:
        left = self._left
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                await self._flows.wait()
                if counted and self._left is not None:
                    left = min(self._left, left if left is not None else self._left)
                    piece, left = piece[:left], left - len(piece)
                writer.write(piece)
                await writer.drain()
                if counted and self._left is not None and left is not None and left <= 0:
                    self.breaks += 1
                    writer.transport.abort()
                    return


@asynccontextmanager
async def wire(target: int) -> AsyncIterator[Wire]:
    """A wire to a port of this machine."""
    one = Wire(target)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()
