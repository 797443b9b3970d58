"""The web server: uvicorn, with the patience it lacks. Who sends half a request or reads nothing is let go."""

from __future__ import annotations

import asyncio
import json
import os
import resource
from collections import Counter
from typing import Any, ClassVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from handoff.errors import ApiError
from handoff.limits import ADDRESS_SHARES, network_of, share
from handoff.settings import settings

GRACE_SECONDS = 5
HEADER_SECONDS = 15.0
STALL_SECONDS = 30.0
LARGEST_HEAD = 64 * 1024
LARGEST_FRAME = 512 * 1024
SPARE_FILES = 200
MOST_CONNECTIONS = 16_000


class Stall:
    """Ends a connection whose client has read nothing for `STALL_SECONDS` although there is something to read."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport) -> None:
        """The client's buffers are full."""
        self.end()
        self._timer = asyncio.get_running_loop().call_later(STALL_SECONDS, transport.abort)

    def end(self) -> None:
        """There is room again, or the connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Http(HttpToolsProtocol):
    """HTTP with a limit on how long, how large and how many unfinished requests may be."""

    _strangers: ClassVar[Counter[str]] = Counter()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, but not for ever."""
        super().connection_made(transport)
        self._stall = Stall()
        self._head = 0
        self._in_body = False
        self._waiting: asyncio.TimerHandle | None = None
        self._is_stranger = False  # has not said anything whole yet
        self._address = network_of(self.client[0]) if self.client else "unknown"
        most = share(settings.limit_conversations, ADDRESS_SHARES["strangers"])
        if most != "off" and self._strangers[self._address] >= most:
            transport.abort()
            return
        self._strangers[self._address] += 1
        self._is_stranger = True
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._request_came()
        self._stall.end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; a head without an end is cut off."""
        self._head = 0 if self._in_body else self._head + len(data)
        super().data_received(data)
        if not self._in_body and self._head > LARGEST_HEAD:
            self.send_400_response("too large")

    def on_headers_complete(self) -> None:
        """The head is whole: from here on the gate watches the body."""
        if sum(len(name) + len(value) for name, value in self.headers) + len(self.url) > LARGEST_HEAD:
            raise ValueError("the head is too large")
        self._request_came()
        self._head, self._in_body = 0, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next bytes begin another request."""
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request on this connection."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._expect_request()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the contract's shape."""
        body = json.dumps(ApiError(400, "bad_request").body("en")).encode()
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.transport.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        self.transport.close()

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self._stall.begin(self.transport)

    def resume_writing(self) -> None:
        """The client reads."""
        super().resume_writing()
        self._stall.end()

    def _expect_request(self) -> None:
        self._waiting = asyncio.get_running_loop().call_later(HEADER_SECONDS, self.transport.abort)

    def _request_came(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._is_stranger:
            self._is_stranger = False
            self._strangers[self._address] -= 1
            if not self._strangers[self._address]:
                del self._strangers[self._address]


class WebSocket(WebSocketsSansIOProtocol):
    """A web socket whose client has to read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stall = Stall()

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self._stall.begin(self.transport)

    def resume_writing(self) -> None:
        """The client reads."""
        super().resume_writing()
        self._stall.end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stall.end()
        super().connection_lost(exc)


def config(app: ASGIApp, host: str, port: int) -> uvicorn.Config:
    """Return how the desk is served. A proxy's word on who calls counts only from `FORWARDED_ALLOW_IPS`."""
    proxies = os.environ.get("FORWARDED_ALLOW_IPS", "")
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Http,
        ws=WebSocket,
        log_level="warning",
        log_config=None,  # its loggers speak through ours, which hide personal data
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=LARGEST_FRAME,
        limit_concurrency=most_connections(),
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
    )


def most_connections() -> int:
    """Take all the open files that the system allows, and return how many of them connections may use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard and hard != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return min(MOST_CONNECTIONS, max(SPARE_FILES, soft - SPARE_FILES))
