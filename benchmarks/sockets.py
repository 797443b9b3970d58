"""A small Socket.IO client for many connections in one process; it does as little as it can beside the clock."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Heard = Callable[[str, Any], None]


class Socket:
    """One connection to one name space; `heard(event, data)` is called for every event the server emits."""

    def __init__(self, wire: ClientConnection, namespace: str, heard: Heard) -> None:
        self._wire, self._namespace, self._heard = wire, namespace, heard
        self._reading: asyncio.Task[None] | None = None
        self._acknowledgements: dict[int, asyncio.Future[Any]] = {}
        self._count = 0

    @classmethod
    async def open(cls, url: str, namespace: str, auth: dict[str, Any] | None, heard: Heard) -> Socket:
        """Connect; ConnectionError when the server refuses."""
        address = url.replace("http://", "ws://") + "/socket.io/?EIO=4&transport=websocket"
        wire = await connect(address, compression=None, max_size=None, ping_interval=None, proxy=None)
        await wire.recv()
        prefix = "" if namespace == "/" else f"{namespace},"
        await wire.send(f"40{prefix}{json.dumps(auth or {})}")
        answer = str(await wire.recv())
        if not answer.startswith(f"40{prefix}"):
            await wire.close()
            raise ConnectionError(f"refused: {answer}")
        socket = cls(wire, prefix, heard)
        socket._reading = asyncio.create_task(socket._read())
        return socket

    def emit(self, event: str, data: Any) -> asyncio.Future[Any]:
        """Send an event; returns the future of its acknowledgement."""
        self._count += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._acknowledgements[self._count] = answer
        frame = f"42{self._namespace}{self._count}{json.dumps([event, data], ensure_ascii=False)}"
        task = asyncio.create_task(self._wire.send(frame))
        answer.add_done_callback(lambda _: task)
        return answer

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in self._wire:
                text = str(frame)
                if text == "2":
                    await self._wire.send("3")
                elif text.startswith("42"):
                    body = text[2 + len(self._namespace) :]
                    event, *data = json.loads(body)
                    self._heard(event, data[0] if data else None)
                elif text.startswith("43"):
                    number, _, body = text[2 + len(self._namespace) :].partition("[")
                    answer = self._acknowledgements.pop(int(number), None)
                    if answer is not None and not answer.done():
                        answer.set_result(json.loads("[" + body)[0])

    async def close(self) -> None:
        """End the connection."""
        if self._reading is not None:
            self._reading.cancel()
        await self._wire.close()
