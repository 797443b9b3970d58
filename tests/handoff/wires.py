"""A Socket.IO client that remembers what it heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import socketio

EVENTS = ("message", "owner", "queue", "typing", "presence", "note", "read", "understood")


class Wire:
    """One connection to one name space."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.client = socketio.AsyncClient(reconnection=False)
        self.heard: list[tuple[str, Any]] = []
        self.refusal: Any = None
        self.gone = asyncio.Event()
        for name in EVENTS:
            self.client.on(name, self._recorder(name), namespace=namespace)
        self.client.on("connect_error", self._refused, namespace=namespace)
        self.client.on("disconnect", self._lost, namespace=namespace)

    def _recorder(self, name: str) -> Callable[[Any], Any]:
        async def record(data: Any = None) -> None:
            self.heard.append((name, data))

        return record

    async def _refused(self, data: Any) -> None:
        self.refusal = data

    async def _lost(self, *_reason: Any) -> None:
        self.gone.set()

    async def connect(self, url: str, auth: Any) -> bool:
        """Connect; False when the server refused (see `refusal`)."""
        try:
            await self.client.connect(url, auth=auth, namespaces=[self.namespace], transports=["websocket"])
        except socketio.exceptions.ConnectionError:
            return False
        return True

    @property
    def refusal_code(self) -> str:
        """The error code of a refusal."""
        return str(self.refusal["data"]["error"]["code"] if "data" in self.refusal else self.refusal["error"]["code"])

    def all(self, name: str) -> list[Any]:
        """Everything heard under this name, in order."""
        return [data for event, data in self.heard if event == name]

    async def until(self, done: Callable[[], bool], seconds: float = 10) -> None:
        """Wait until `done()`; fails with what was heard."""
        try:
            await eventually(done, seconds)
        except AssertionError:
            raise AssertionError(self.heard) from None

    async def send(self, **data: Any) -> Any:
        """Emit `send` and return the acknowledgement."""
        return await self.client.call("send", data, namespace=self.namespace, timeout=15)

    async def type(self, **data: Any) -> None:
        """Emit `typing`."""
        await self.client.emit("typing", data, namespace=self.namespace)


@asynccontextmanager
async def wired(url: str, namespace: str, auth: Any) -> AsyncIterator[Wire]:
    """Yield a connection, accepted or refused; hung up afterwards."""
    wire = Wire(namespace)
    try:
        await wire.connect(url, auth)
        yield wire
    finally:
        await wire.client.disconnect()


async def eventually(done: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until `done()`; fails after `seconds`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not done():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.02)


def customer_auth(customer: Any, after: int = 0) -> dict[str, Any]:
    """Return what a customer's widget connects with."""
    return {"conversation": customer.id, "token": customer.token, "after": after}
