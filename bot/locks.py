"""One turn of a conversation at a time, in this process and in all others that share the trackers' file."""

import asyncio
import fcntl
import hashlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.wire import DoorError

ASK_EVERY = 0.005
WAIT_SECONDS = 20.0


class Locks:
    """One lock a conversation, kept only while somebody holds or awaits it.

    Between processes it is a byte of a lock file, chosen by the conversation's name. The kernel gives it back when its
    process dies.
    """

    def __init__(self, path: Path) -> None:
        """`path` is the lock file; raises OSError when it cannot be opened."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Wait for the conversation's turn and keep it until the block ends; raises DoorError 503 after too long."""
        lock, users = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, users + 1)
        try:
            async with lock:
                byte = _byte_of(key)
                await self._take(byte)
                try:
                    yield
                finally:
                    fcntl.lockf(self._file, fcntl.LOCK_UN, 1, byte)
        finally:
            users = self._locks[key][1] - 1
            if users:
                self._locks[key] = (lock, users)
            else:
                del self._locks[key]

    async def _take(self, byte: int) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                return fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
            except (BlockingIOError, PermissionError):
                if time.monotonic() > until:
                    raise DoorError(503, "conversation_busy", "Ask for this turn again in a moment.") from None
                await asyncio.sleep(ASK_EVERY)

    def close(self) -> None:
        """Give back everything."""
        os.close(self._file)


def _byte_of(key: str) -> int:
    """The place in the lock file; so many that two conversations never meet."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") >> 2
