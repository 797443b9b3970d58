"""Slows down the guessing of passwords without ever locking an account.

- A name from one address: after some failures each further one doubles the pause (429 with Retry-After).
- Many names from one address: its attempts go one after the other, each with a short wait.
- One name from many addresses: each attempt waits a moment, from wherever it comes; the owner still gets in.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from handoff.errors import ApiError

FREE_ATTEMPTS = 5
FREE_OF_ONE_KIND = 20
LONGEST_PAUSE = 300.0
SHORT_WAIT = 1.0
MOST_IN_LINE = 20
FORGET_ATTEMPTS_AFTER = 900.0
MOST_REMEMBERED = 50_000
Key = tuple[str, str]


class LoginGuard:
    """Failures and attempts under way, by (name, address), by address ("", address) and by name (name, "")."""

    def __init__(self) -> None:
        self._failures: dict[Key, tuple[int, float]] = {}
        self._turns: defaultdict[Key, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: Counter[Key] = Counter()

    @asynccontextmanager
    async def one_at_a_time(self, name: str, address: str) -> AsyncIterator[None]:
        """Let one attempt after the other through, so that a burst of guesses meets the pause; raises as `check`."""
        async with AsyncExitStack() as lines:
            await lines.enter_async_context(self._line((name, address)))
            self.check(name, address)
            suspect_address = self._count(("", address)) >= FREE_OF_ONE_KIND
            if suspect_address:
                await lines.enter_async_context(self._line(("", address)))
            if suspect_address or self._count((name, "")) >= FREE_OF_ONE_KIND:
                await asyncio.sleep(SHORT_WAIT)
            yield

    @asynccontextmanager
    async def _line(self, key: Key) -> AsyncIterator[None]:
        """Wait for this key's turn; 429 `too_many_logins` when the line is long already."""
        if self._waiting[key] >= MOST_IN_LINE:
            raise ApiError(429, "too_many_logins", retry_after=SHORT_WAIT * MOST_IN_LINE)
        self._waiting[key] += 1
        try:
            async with self._turns[key]:
                yield
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key], self._turns[key]

    def check(self, name: str, address: str) -> None:
        """Raise 429 `too_many_logins` with Retry-After while the pause of this name from this address lasts."""
        failures, last = self._failures.get((name, address), (0, 0.0))
        if failures < FREE_ATTEMPTS:
            return
        wait = last + min(LONGEST_PAUSE, 2.0 ** (failures - FREE_ATTEMPTS + 1)) - time.monotonic()
        if wait > 0:
            raise ApiError(429, "too_many_logins", retry_after=wait)

    def failed(self, name: str, address: str) -> None:
        """Count a failure."""
        moment = time.monotonic()
        for key in ((name, address), ("", address), (name, "")):
            self._failures[key] = (self._count(key) + 1, moment)
        if len(self._failures) > MOST_REMEMBERED:
            fresh = {key: kept for key, kept in self._failures.items() if kept[1] > moment - FORGET_ATTEMPTS_AFTER}
            self._failures = dict(list(fresh.items())[-MOST_REMEMBERED // 2 :])

    def _count(self, key: Key) -> int:
        failures, last = self._failures.get(key, (0, 0.0))
        return failures if last > time.monotonic() - FORGET_ATTEMPTS_AFTER else 0

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of this name from this address."""
        self._failures.pop((name, address), None)


login_guard = LoginGuard()
