"""The gate: what every HTTP request passes first (origin, size and pace of the body), and every answer's headers."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handoff.errors import CODES, ApiError, header_language
from handoff.settings import settings

LARGEST_BODY = 256 * 1024
ROOM_AROUND_A_FILE = 64 * 1024
PIECE_SECONDS = 15.0
BODY_SECONDS = 30.0
FILE_SECONDS = 300.0
PROGRAMS = ("/api", "/webhooks", "/socket.io", "/healthz", "/readyz", "/metrics")
MOUNTS = frozenset({"/api", "/webhooks"})
ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
FOR_PROGRAMS = {**ALWAYS, "Cache-Control": "no-store", "X-Frame-Options": "DENY"}
FOR_JSON = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}


class Gate:
    """Wraps the whole application; the sockets' own server is behind it too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, or refuse it in the contract's error shape."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = _Answer(scope, send)
        try:
            if _is_for_programs(scope["path"]) and not may_call(headers.get("origin"), headers.get("host")):
                raise HTTPException(403)
            if "\n" in scope["path"] or scope["path"] in MOUNTS:
                # The first names nothing, and the parts' own patterns would let it fall through to a page; the bare
                # address of a part would be redirected to where the request's Host header says.
                raise HTTPException(404)
            await self.app(scope, Body(receive, headers).read, answer.send)
        except HTTPException as error:  # raised while the body was read, outside of any part that answers errors
            if answer.begun:
                raise
            await refusal(error.status_code, headers)(scope, receive, answer.send)


class _Answer:
    """The answer on its way out: gets its headers."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self.begun = False

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on."""
        if message["type"] == "http.response.start":
            self.begun = True
            self._add_headers(MutableHeaders(scope=message))
        await self._send(message)

    def _add_headers(self, headers: MutableHeaders) -> None:
        wanted = FOR_PROGRAMS if _is_for_programs(self._scope["path"]) else ALWAYS
        if headers.get("content-type", "").startswith("application/json"):
            wanted = wanted | FOR_JSON
        for name, value in wanted.items():
            headers.setdefault(name, value)


class Body:
    """A request's body that cannot grow without end, and that has to keep coming."""

    def __init__(self, receive: Receive, headers: Headers) -> None:
        file = headers.get("content-type", "").lower().startswith("multipart/")
        self._receive = receive
        self._limit = settings.attachment_limit + ROOM_AROUND_A_FILE if file else LARGEST_BODY
        self._deadline = asyncio.get_running_loop().time() + (FILE_SECONDS if file else BODY_SECONDS)
        self._size = 0
        self._whole = False

    async def read(self) -> Message:
        """Return the next piece; HTTPException 413 for too much, whatever the headers said, 408 for too slow."""
        if self._whole:  # what comes now is the end of the connection, and may take its time
            return await self._receive()
        rest = self._deadline - asyncio.get_running_loop().time()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, min(PIECE_SECONDS, rest)))
        except TimeoutError:
            raise HTTPException(408) from None
        self._size += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._size > self._limit:
            raise HTTPException(413)
        return message


def _is_for_programs(path: str) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in PROGRAMS)


def may_call(origin: str | None, host: str | None) -> bool:
    """Tell whether a page of this origin may use the desk: `WIDGET_ORIGINS` where it is set, and the desk's own."""
    if not settings.widget_origins or "*" in settings.widget_origins or origin is None:
        return True
    return origin in settings.widget_origins or (host is not None and urlsplit(origin).netloc == host)


def refusal(status: int, headers: Headers, retry_after: float | None = None) -> JSONResponse:
    """Return an error answer in the contract's shape and the caller's language."""
    error = ApiError(status, CODES.get(status, "bad_request"), retry_after=retry_after)
    body: dict[str, Any] = error.body(header_language(headers.get("accept-language", "")))
    return JSONResponse(body, status, headers=error.headers)
