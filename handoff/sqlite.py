"""SQLite without a thread between desk and file: what takes microseconds is done at once, what waits is awaited.

The usual asynchronous driver hands every step of every statement to a thread, which costs more than the statement. Here
statements run where they stand; only what really waits leaves the event loop: a commit (the disk) goes to a thread, and
a write lock that another process holds is awaited. Statements that read much belong to `Database.read(long=True)`.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_dbapi, SQLiteDialect_aiosqlite
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.util.concurrency import await_

LOCK_POLL_SECONDS = 0.01


class DirectCursor(sqlite3.Cursor):
    """A cursor that has read its rows as soon as it was executed, so that no statement stays half read."""

    server_side = False

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._read: deque[Any] = deque()

    def execute(self, sql: str, parameters: Any = (), /) -> DirectCursor:
        """Run one statement and read what it returns."""
        super().execute(sql, parameters)
        self._read = deque(super().fetchall()) if self.description else deque()
        return self

    def executemany(self, sql: str, parameters: Any, /) -> DirectCursor:
        """Run one statement for each row of parameters."""
        super().executemany(sql, parameters)
        self._read = deque()
        return self

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        return self._read.popleft() if self._read else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next rows."""
        count = self.arraysize if size is None else size
        return [self._read.popleft() for _ in range(min(count, len(self._read)))]

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        rows = list(self._read)
        self._read.clear()
        return rows

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        while self._read:
            yield self._read.popleft()

    async def _async_soft_close(self) -> None:
        """SQLAlchemy asks for this before a result is used outside its greenlet; the rows are here already."""


class DirectConnection(AdaptedConnection):
    """A connection used on the event loop, as SQLAlchemy's asynchronous engine wants it."""

    __slots__ = ()
    _connection: sqlite3.Connection  # type: ignore[assignment]

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def cursor(self, server_side: bool = False) -> DirectCursor:
        """Return a cursor; there is only one kind."""
        return self._connection.cursor(DirectCursor)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> DirectCursor:
        """Run a statement on a cursor of its own."""
        return self.cursor().execute(sql, parameters)

    def begin_write(self, patience: float) -> None:
        """Take the write lock, awaiting for `patience` seconds who holds it; sqlite3.OperationalError after that."""
        give_up = time.monotonic() + patience
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
            await_(asyncio.sleep(LOCK_POLL_SECONDS))

    def commit(self) -> None:
        """Store the transaction; what was written is awaited, because the disk takes its time."""
        if self._connection.in_transaction:
            await_(_to_the_end(self._connection.commit))

    def rollback(self) -> None:
        """Undo the transaction."""
        if self._connection.in_transaction:
            self._connection.rollback()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    terminate = close
    create_function = property(lambda self: self._connection.create_function)
    isolation_level = property(
        lambda self: self._connection.isolation_level,
        lambda self, level: setattr(self._connection, "isolation_level", level),
    )


async def _to_the_end(work: Callable[[], None]) -> None:
    """Run `work` in a thread; who is cancelled leaves only when it is done: a commit cannot be half undone."""
    running = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


class _DirectModule(AsyncAdapt_aiosqlite_dbapi):
    """sqlite3 as SQLAlchemy's asynchronous dialect expects a driver."""

    def connect(self, *arguments: Any, **options: Any) -> DirectConnection:  # type: ignore[override]
        """Open the file; only commits leave the thread of the event loop, one at a time."""
        return DirectConnection(sqlite3.connect(*arguments, **{**options, "check_same_thread": False}))


class DirectDialect(SQLiteDialect_aiosqlite):
    """`sqlite+direct://`: SQLite on the event loop."""

    driver = "direct"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> _DirectModule:
        """Return the driver."""
        import aiosqlite

        return _DirectModule(aiosqlite, sqlite3)


registry.register("sqlite.direct", __name__, "DirectDialect")
