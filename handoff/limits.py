"""Rate limits: how many calls in the last minute, by key, in this process's memory."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from typing import Literal

from handoff.errors import ApiError

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
