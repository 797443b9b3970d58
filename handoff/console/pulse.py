"""Refreshes that are due: at once after a quiet time, then at most once a pause, however many events call for them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from handoff.database import DATABASE_AWAY
from handoff.errors import ApiError

log = structlog.get_logger(__name__)


class Pulse:
    """One kind of refresh. `pause` is the shortest time between two, in seconds."""

    def __init__(self, work: Callable[[], Awaitable[None]], pause: float) -> None:
        self._work, self._pause = work, pause
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; nothing is done before the first `mark`."""
        self._task = asyncio.create_task(self._run())

    def mark(self) -> None:
        """Ask for a refresh."""
        self._due.set()

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self._work()
            except ApiError as error:  # the login ended, or the right did: the page itself tells the person
                log.info("console_refresh_refused", work=self._work.__qualname__, code=error.code)
            except DATABASE_AWAY:
                self._due.set()
                await asyncio.sleep(1)
            except Exception:  # the next mark tries again; a page that stands still helps nobody
                log.exception("console_refresh_failed", work=self._work.__qualname__)
            await asyncio.sleep(self._pause)
