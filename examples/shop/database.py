"""The shop's SQLite file: write-ahead log, and writers that take the write lock before they read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.orm import Session

_BEGIN = "shop_begin"
_BUSY_SECONDS = 30


class Database:
    """Hands out sessions for reading and for writing."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._readers = create_engine(
            URL.create("sqlite", database=str(path)),
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
            pool_size=20,
            max_overflow=40,
        )
        event.listen(self._readers, "connect", _prepare)
        event.listen(self._readers, "begin", _begin)
        # A transaction that reads first and writes later can fail with a stale snapshot that no waiting cures.
        self._writers = self._readers.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent view of the data."""
        with Session(self._readers) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that holds the write lock; committed at the end, rolled back on an exception."""
        with Session(self._writers) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give back every connection."""
        self._readers.dispose()


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver opens no transaction of its own; _begin does
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
