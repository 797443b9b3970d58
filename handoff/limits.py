"""Rate limits: how many calls in the last minute, by key, in this process's memory."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from typing import Literal

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handoff.errors import ApiError
from handoff.settings import settings

LARGEST_BODY = 256 * 1024
ROOM_AROUND_A_FILE = 64 * 1024
WINDOW = 60.0
SWEEP_EVERY = 1000


class Limits:
    """Sliding windows of one minute."""

    def __init__(self) -> None:
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)
        self._count = 0

    def check(self, key: str, limit: int | Literal["off"]) -> None:
        """Count one call; raises 429 `too_many_requests` when `key` already made `limit` calls within a minute."""
        if limit == "off":
            return
        moment = time.monotonic()
        self._sweep(moment)
        calls = self._calls[key]
        while calls and calls[0] <= moment - WINDOW:
            calls.popleft()
        if len(calls) >= limit:
            raise ApiError(429, "too_many_requests", retry_after=calls[0] + WINDOW - moment)
        calls.append(moment)

    def _sweep(self, moment: float) -> None:
        self._count += 1
        if self._count % SWEEP_EVERY == 0:
            for key in [key for key, calls in self._calls.items() if not calls or calls[-1] <= moment - WINDOW]:
                del self._calls[key]


class BodyLimit:
    """Stops reading a request's body once it is larger than any honest one: 413, whatever its headers said."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request with a body that cannot grow without end."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        kind = dict(scope["headers"]).get(b"content-type", b"").lower()
        limit = settings.attachment_limit + ROOM_AROUND_A_FILE if kind.startswith(b"multipart/") else LARGEST_BODY
        size = 0

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > limit:
                raise HTTPException(413)
            return message

        await self.app(scope, limited, send)
