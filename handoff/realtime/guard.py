"""Socket.IO for strangers: what no honest client sends ends the connection, and no connection gets more than its share.

python-socketio trusts its clients: it keeps binary attachments that are announced and never completed (here their event
is refused at once, and they are dropped as they come), runs every event at once, and queues without end for a client
that does not read.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from typing import Any

import engineio
import socketio
import structlog
from socketio import packet
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from handoff.desk import desk
from handoff.errors import ApiError
from handoff.gate import refusal
from handoff.limits import ADDRESS_SHARES, address_of, share
from handoff.settings import settings

log = structlog.get_logger(__name__)
logging.getLogger("engineio.server").setLevel(logging.CRITICAL)  # what strangers send wrong is no error of ours
AT_ONCE = 32
MOST_WAITING_BYTES = 1024 * 1024
LOOK_EVERY = 64
CONNECT_SECONDS = 20.0
RESERVED = {"connect", "disconnect", "connect_error"}
FROM_CLIENTS = {str(kind) for kind in (packet.CONNECT, packet.DISCONNECT, packet.EVENT, packet.ACK)}
BINARY_EVENT = re.compile(rf"{packet.BINARY_EVENT}(?P<parts>[1-9])-")
MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


class TextPacket(packet.Packet):
    """A packet without binary parts: the desk's events are JSON, and parts that never come would pile up."""

    uses_binary_events = False

    def decode(self, encoded_packet: Any) -> int:
        """Take the packet apart; ValueError for kinds that clients do not send here."""
        if not isinstance(encoded_packet, str) or encoded_packet[:1] not in FROM_CLIENTS:
            raise ValueError("not a packet that a client sends")
        if super().decode(encoded_packet):
            raise ValueError("binary parts are not taken")
        return 0


class GuardedEngine(engineio.AsyncServer):
    """Drops a connection whose client does not read what is sent to it."""

    async def send_packet(self, sid: str, pkt: Any) -> None:
        """Queue a packet for the client."""
        socket = self.sockets.get(sid)
        if socket is not None and _is_stuck(socket.queue):
            log.warning("socket_does_not_read", socket=sid)
            await self.drop(sid)
            return
        await super().send_packet(sid, pkt)

    async def disconnect(self, sid: str | None = None) -> None:
        """End a connection (None: all) without waiting for a client that may never read what is still queued."""
        if sid is None:
            await super().disconnect()
        elif socket := self.sockets.pop(sid, None):
            await socket.close(wait=False, reason=self.reason.SERVER_DISCONNECT)

    async def drop(self, sid: str) -> None:
        """End a connection at once: nothing more is sent, what waits is forgotten."""
        socket = self.sockets.pop(sid, None)
        if socket is None:
            return
        while not socket.queue.empty():
            socket.queue.get_nowait()
            socket.queue.task_done()
        await socket.close(wait=False, abort=True, reason=self.reason.SERVER_DISCONNECT)
        socket.queue.put_nowait(None)  # its writer ends


def _is_stuck(queue: asyncio.Queue[Any]) -> bool:
    waiting = queue.qsize()
    if waiting < LOOK_EVERY or waiting % LOOK_EVERY:
        return False
    packets = list(queue._queue)  # type: ignore[attr-defined]
    return sum(len(one.data) for one in packets if one is not None and one.data) > MOST_WAITING_BYTES


class GuardedServer(socketio.AsyncServer):
    """Counts, bounds and checks what comes in."""

    def __init__(self, **options: Any) -> None:
        super().__init__(serializer=TextPacket, cors_credentials=False, **options)
        self._addresses: dict[str, str] = {}
        self._sockets_of: Counter[str] = Counter()
        self._running: dict[str, asyncio.Semaphore] = {}
        self._parts: dict[str, int] = {}
        self._events: set[asyncio.Task[None]] = set()

    def _engineio_server_class(self) -> type[engineio.AsyncServer]:
        return GuardedEngine

    async def tell(self, sid: str, name_space: str, event: str, data: Any) -> None:
        """Emit to one socket: what emitting to a room does, without its tasks."""
        eio_sid = self.manager.eio_sid_from_sid(sid, name_space)
        if eio_sid is not None:
            await self._send_packet(
                eio_sid, self.packet_class(packet.EVENT, namespace=name_space, data=[event, data])
            )

    def open_from(self, address: str) -> int:
        """Return how many connections this address has."""
        return self._sockets_of[address]

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> Any:
        address = address_of(environ.get("asgi.scope") or {})
        self._addresses[eio_sid] = address
        self._sockets_of[address] += 1
        self._running[eio_sid] = asyncio.Semaphore(AT_ONCE)
        self._expect_use(eio_sid)
        return await super()._handle_eio_connect(eio_sid, environ)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: Any) -> None:
        self._running.pop(eio_sid, None)
        self._parts.pop(eio_sid, None)
        address = self._addresses.pop(eio_sid, None)
        if address is not None:
            self._sockets_of[address] -= 1
            if not self._sockets_of[address]:
                del self._sockets_of[address]
        await super()._handle_eio_disconnect(eio_sid, reason)

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        try:
            desk.limits.conversation("frames", eio_sid)
            if not self._drops_part(eio_sid, data):
                await super()._handle_eio_message(eio_sid, self._without_parts(eio_sid, data))
        except MALFORMED as error:
            log.info("malformed_packet", socket=eio_sid, error=type(error).__name__)
            await self.eio.drop(eio_sid)
        except ApiError:
            log.info("too_many_packets", socket=eio_sid)
            await self.eio.drop(eio_sid)

    def _without_parts(self, eio_sid: str, data: Any) -> Any:
        """Return an event with binary parts as one without: its place holders are no text, and are refused as such."""
        announced = BINARY_EVENT.match(data) if isinstance(data, str) else None
        if announced is None:
            return data
        self._parts[eio_sid] = int(announced["parts"])
        return f"{packet.EVENT}{data[announced.end() :]}"

    def _drops_part(self, eio_sid: str, data: Any) -> bool:
        """Tell whether this is an announced binary part, which nobody keeps; ValueError when another thing comes."""
        left = self._parts.pop(eio_sid, 0)
        if isinstance(data, str) and not left:
            return False
        if isinstance(data, str) or not left:
            raise ValueError("not the binary part that was announced")
        if left > 1:
            self._parts[eio_sid] = left - 1
        return True

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        await super()._handle_connect(eio_sid, namespace, data)
        self._expect_use(eio_sid)

    async def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:
        """Begin an event; a client that has `AT_ONCE` under way is not read from until one of them ends."""
        if not isinstance(data, list) or not data or not isinstance(data[0], str) or data[0] in RESERVED:
            raise ValueError("not an event")
        name_space = namespace or "/"
        sid, running = self.manager.sid_from_eio_sid(eio_sid, name_space), self._running.get(eio_sid)
        if running is None or not self.manager.is_connected(sid, name_space):
            return
        await running.acquire()
        event = [data[0], data[1] if len(data) > 1 else None]
        task = self.start_background_task(self._run_event, running, sid, eio_sid, event, name_space, id)
        self._events.add(task)
        task.add_done_callback(self._events.discard)

    async def _run_event(
        self, running: asyncio.Semaphore, sid: str, eio_sid: str, event: list[Any], name_space: str, id: int | None
    ) -> None:
        try:
            await self._handle_event_internal(self, sid, eio_sid, event, name_space, id)
        except Exception:  # one event's fault; the connection lives on
            log.exception("event_failed", name_space=name_space)
        finally:
            running.release()

    def _expect_use(self, eio_sid: str) -> None:
        """End the connection after a while unless it has joined a name space by then."""
        asyncio.get_running_loop().call_later(CONNECT_SECONDS, self._drop_unused, eio_sid)

    def _drop_unused(self, eio_sid: str) -> None:
        joined = any(self.manager.sid_from_eio_sid(eio_sid, name) for name in list(self.manager.get_namespaces()))
        if eio_sid in self._addresses and not joined:
            self.start_background_task(self.eio.drop, eio_sid)


class SocketDoor(socketio.ASGIApp):
    """The door to the sockets: an address that opens too many is told to wait before a connection exists."""

    def __init__(self, server: GuardedServer, other: ASGIApp) -> None:
        super().__init__(server, other, socketio_path="socket.io")
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 429."""
        if scope["type"] in {"http", "websocket"} and scope["path"].startswith(self.engineio_path) and _is_new(scope):
            try:
                self._admit(address_of(scope))
            except ApiError as error:
                await _refuse(error, scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    def _admit(self, address: str) -> None:
        desk.limits.address("handshakes", address)
        most = share(settings.limit_conversations, ADDRESS_SHARES["sockets"])
        if most != "off" and self._server.open_from(address) >= most:
            raise ApiError(429, "too_many_requests", retry_after=CONNECT_SECONDS)


def _is_new(scope: Scope) -> bool:
    return b"sid=" not in scope.get("query_string", b"")


async def _refuse(error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    answer = refusal(error.status, Headers(scope=scope), error.retry_after)
    if scope["type"] == "http":
        await answer(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})
