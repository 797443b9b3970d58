"""The database: typed base class, engine, and the two ways in (`read` and `write`).

On SQLite a write takes the lock at once (`BEGIN IMMEDIATE`): a read that turns into a write fails with a busy snapshot
that no timeout cures. Writers of one process also queue on a lock of their own, because SQLite's waiting polls.
Short reads and writes run on the event loop (`handoff.sqlite`), long reads in threads.

No transaction may take longer than `PATIENCE`, waiting included: a database that is full, locked, frozen or behind a
dead line fails with one of `DATABASE_AWAY`, which callers answer with "come again" (503) or try again themselves.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from sqlalchemy import JSON, DateTime, Dialect, MetaData, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as OutOfPatience
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator
from sqlalchemy.util.concurrency import greenlet_spawn

from handoff.sqlite import DirectConnection
from handoff.statements import Line, transaction

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
Result = TypeVar("Result")
AfterCommit = Callable[[], Awaitable[None]]
DATABASE_AWAY = (OperationalError, InterfaceError, OutOfPatience)
PATIENCE = 20.0
SQLITE_BUSY_SECONDS = 8.0
SHORT_BUSY_SECONDS = 1.0
LARGEST_BATCH = 64
CONNECTIONS = 24
OPTIONS: dict[str, Any] = {
    "pool_size": CONNECTIONS,  # none beyond these: opening one costs more than most of what it would be opened for
    "max_overflow": 0,
    "pool_timeout": PATIENCE,
    "hide_parameters": True,  # an error quotes no row
}
POSTGRES_CONNECT = {
    "connect_timeout": 5,
    # A line that is dead without a word is noticed, here and (for the locks of a desk that vanished) in the server.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "options": "-c idle_in_transaction_session_timeout=30000",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time on every database; SQLite itself forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: they are always a mistake."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Parent of every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        list[str]: JSON,
        list[int]: JSON,
    }


class Database:
    """The engines and their sessions.

    `after_commit` callbacks of a write run only when the transaction is safely stored, in order.
    """

    def __init__(self, url: str) -> None:
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        if self.is_sqlite:
            direct = make_url(url).set(drivername="sqlite+direct")
            self.engine = _sqlite_engine(make_url(url), SQLITE_BUSY_SECONDS)
            readers, writers = _sqlite_engine(direct, SHORT_BUSY_SECONDS), _sqlite_engine(direct, 0)
        else:
            self.engine = readers = writers = create_async_engine(
                url, **OPTIONS, pool_pre_ping=True, connect_args=POSTGRES_CONNECT
            )
        self.engines = {self.engine, readers, writers}
        self._readers = async_sessionmaker(readers, expire_on_commit=False)
        self._long_readers = async_sessionmaker(self.engine, expire_on_commit=False)
        self._writers = async_sessionmaker(writers.execution_options(write=True), expire_on_commit=False)
        self._writing_engine = writers.sync_engine
        self._writing: asyncio.Lock | None = None
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._works: deque[tuple[Callable[[Line], Any], asyncio.Future[Any]]] = deque()
        self._storing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def read(self, *, long: bool = False) -> AsyncIterator[AsyncSession]:
        """Open a session that must not write; `long` for what looks at many rows, which must not hold up the desk."""
        async with _patience(), self._place(), (self._long_readers if long else self._readers)() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction; it is stored when the block ends without an error, and undone otherwise."""
        callbacks: list[AfterCommit] = []
        async with _patience(), self._place(), self._write_lock(), self._writers() as session, session.begin():
            session.info["after_commit"] = callbacks
            yield session
        for callback in callbacks:
            await callback()

    async def transact(self, work: Callable[[Line], Result]) -> Result:
        """Run prepared statements in a write transaction, where an ORM session would cost more than they do.

        What `work` returns is returned when it is stored; when `work` raises, what it did is undone. On SQLite, works
        that come while the disk is busy with others share the next transaction, each with a savepoint of its own; on
        PostgreSQL each has its own, because nobody may hold the locks of two conversations.
        """
        async with _patience():
            if not self.is_sqlite:
                async with self._place():
                    return await greenlet_spawn(self._alone, work)
            ended: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
            self._works.append((work, ended))
            if self._storing is None or self._storing.done():
                self._storing = asyncio.create_task(self._store_works())
            return await ended

    def _alone(self, work: Callable[[Line], Result]) -> Result:
        with transaction(self._writing_engine) as line:
            return work(line)

    async def _store_works(self) -> None:
        while self._works:
            async with self._write_lock():
                batch = [self._works.popleft() for _ in range(min(LARGEST_BATCH, len(self._works)))]
                try:
                    outcomes: list[Any] = await greenlet_spawn(self._together, [work for work, _ in batch])
                except Exception as error:  # the transaction as a whole was not stored
                    outcomes = [error] * len(batch)
            for (_, ended), outcome in zip(batch, outcomes, strict=True):
                if ended.done():
                    continue
                if isinstance(outcome, Exception):
                    ended.set_exception(outcome)
                else:
                    ended.set_result(outcome)

    def _together(self, works: list[Callable[[Line], Any]]) -> list[Any]:
        with transaction(self._writing_engine) as line:
            line.begin_write(SQLITE_BUSY_SECONDS)
            return [_with_savepoint(line, work) for work in works]

    def _write_lock(self) -> Any:
        if not self.is_sqlite:
            return nullcontext()
        if self._writing is None:
            self._writing = asyncio.Lock()
        return self._writing

    def _place(self) -> Any:
        """A place in line for one of PostgreSQL's connections: the pool's own line lets newcomers overtake for ever."""
        return nullcontext() if self.is_sqlite else self._places

    async def close(self) -> None:
        """Give all connections back."""
        for engine in self.engines:
            await engine.dispose()


def _sqlite_engine(url: URL, busy_seconds: float) -> AsyncEngine:
    """Return an engine whose statements wait so long for another process's lock; a direct write awaits it instead."""
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, **OPTIONS, connect_args={"timeout": busy_seconds})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _with_savepoint(line: Line, work: Callable[[Line], Any]) -> Any:
    """Return what `work` returns, or the error that it raised, undone.

    What cannot be undone ends the whole transaction: with a full disk SQLite has rolled back the works before it too.
    """
    line.execute("SAVEPOINT work")
    try:
        outcome = work(line)
    except Exception as error:
        line.execute("ROLLBACK TO work")
        outcome = error
    line.execute("RELEASE work")
    return outcome


@asynccontextmanager
async def _patience() -> AsyncIterator[None]:
    """Let a transaction take `PATIENCE` seconds, then raise OutOfPatience."""
    try:
        async with asyncio.timeout(PATIENCE) as limit:
            yield
    except TimeoutError as error:
        if limit.expired():
            raise OutOfPatience(f"no answer from the database within {PATIENCE:.0f} s") from error
        raise


def after_commit(session: AsyncSession, callback: AfterCommit) -> None:
    """Run `callback` once the session's transaction is stored; never when it fails."""
    session.info["after_commit"].append(callback)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor: sqlite3.Cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get("write", False):
        connection.exec_driver_sql("BEGIN")
    elif isinstance(direct := connection.connection.dbapi_connection, DirectConnection):
        try:
            direct.begin_write(SQLITE_BUSY_SECONDS)
        except sqlite3.OperationalError as error:  # locked by another program, or a full disk
            raise OperationalError("BEGIN IMMEDIATE", None, error) from error
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
