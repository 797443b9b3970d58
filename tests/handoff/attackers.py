"""What an attacker's tools do: raw sockets, raw engine.io, and waiting to see whether the desk lets go."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import websockets

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class RawConnection:
    """A TCP connection that says exactly what a test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, seconds: float = 10) -> bytes:
        """Return all that comes until the other side closes; fails when it does not within `seconds`."""
        try:
            return await asyncio.wait_for(self.reader.read(), seconds)
        except ConnectionError:
            return bytes(self.reader._buffer)  # type: ignore[attr-defined]  # what came before the other side hung up


@asynccontextmanager
async def raw(url: str, *, room: int | None = None) -> AsyncIterator[RawConnection]:
    """Open a connection; `room`: bytes that the client's own buffer takes."""
    parts = urlsplit(url)
    plain = socket.socket()
    plain.setblocking(False)
    if room:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    await asyncio.get_running_loop().sock_connect(plain, (parts.hostname, parts.port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=room or 2**16)
    try:
        yield RawConnection(reader, writer)
    finally:
        writer.close()


class Engine:
    """A bare engine.io client over a web socket: packets as they are."""

    def __init__(self, connection: Any) -> None:
        self.socket = connection

    async def say(self, *packets: str | bytes) -> None:
        """Send packets."""
        for packet in packets:
            await self.socket.send(packet)

    async def join(self, name_space: str, auth: Any) -> str:
        """Join a name space; returns the answer's packet."""
        await self.say(f"40{name_space},{json.dumps(auth)}")
        while True:
            packet = str(await asyncio.wait_for(self.socket.recv(), 5))
            if packet.startswith(("40", "44")):
                return packet

    async def is_dropped(self, seconds: float = 5) -> bool:
        """Tell whether the desk ends the connection."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self.socket.recv()
        except websockets.ConnectionClosed:
            return True
        except TimeoutError:
            return False


@asynccontextmanager
async def engine(url: str, **options: Any) -> AsyncIterator[Engine]:
    """Open a web socket to engine.io and take the greeting."""
    address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    async with websockets.connect(address, proxy=None, **options) as connection:
        await asyncio.wait_for(connection.recv(), 5)
        yield Engine(connection)
