"""Statements for what happens hundreds of times a second: compiled once, and run on the driver.

SQLAlchemy's own execution makes a context, events and a result for every statement, several times what SQLite takes for
it. Kept is what matters: the types' conversions, the pool, and errors that callers know.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ClauseElement, Dialect, Engine, Select, bindparam
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util.concurrency import await_

from handoff.sqlite import DirectConnection

Convert = Callable[[Any], Any]


class Line:
    """The driver's connection while one transaction lasts.

    Every statement runs on the same cursor: what the one before it returned has been read by then. `written` tells
    whether anything was written.
    """

    def __init__(self, dialect: Dialect, connection: PoolProxiedConnection) -> None:
        self.dialect, self._connection, self._cursor = dialect, connection, connection.cursor()
        self._driver: Any = dialect.loaded_dbapi
        self._later: list[tuple[str, Any]] = []
        self.written = False

    def begin_write(self, patience: float) -> None:
        """Take SQLite's write lock; PostgreSQL begins with the first statement."""
        direct: Any = self._connection.dbapi_connection
        if isinstance(direct, DirectConnection):
            try:
                direct.begin_write(patience)
            except self._driver.Error as error:
                raise _known(self.dialect, error, "BEGIN IMMEDIATE") from error

    def execute(self, sql: str, values: Any = ()) -> Any:
        """Run one statement; returns the driver's cursor. Raises SQLAlchemy's errors, which quote no values."""
        try:
            self._cursor.execute(sql, values)
        except self._driver.Error as error:
            raise _known(self.dialect, error, sql) from error
        return self._cursor

    def execute_later(self, sql: str, values: Any) -> None:
        """Run a statement whose outcome nobody waits for: on PostgreSQL on one way to the server with the commit."""
        if isinstance(self._connection.dbapi_connection, DirectConnection):
            self.execute(sql, values)
        else:
            self._later.append((sql, values))

    def commit(self) -> None:
        """Store the transaction."""
        try:
            if self._later:
                await_(self._commit_with_the_rest(self._connection.driver_connection))
            else:
                self._connection.commit()
        except self._driver.Error as error:
            raise _known(self.dialect, error, "COMMIT") from error

    async def _commit_with_the_rest(self, connection: Any) -> None:
        async with connection.pipeline(), connection.cursor() as cursor:
            for sql, values in self._later:
                await cursor.execute(sql, values)
            await connection.commit()


def _known(dialect: Dialect, error: Exception, sql: str) -> Exception:
    driver: Any = dialect.loaded_dbapi
    return DBAPIError.instance(sql, None, error, driver.Error, hide_parameters=True, dialect=dialect)


@contextmanager
def transaction(engine: Engine) -> Iterator[Line]:
    """Yield a line whose statements are stored when the block ends without an error, and undone otherwise."""
    driver: Any = engine.dialect.loaded_dbapi
    try:
        connection = engine.raw_connection()
    except driver.Error as error:  # raised as it is where a server cannot be reached
        raise _known(engine.dialect, error, "CONNECT") from error
    try:
        line = Line(engine.dialect, connection)
        try:
            yield line
        except Exception as error:
            # With a rollback psycopg forgets its prepared statements, so that what only read is not undone but ended.
            if not line.written and not isinstance(error, DBAPIError):
                line.commit()
            raise
        line.commit()
    except BaseException as error:
        if not isinstance(error, Exception):  # cancelled within a statement: nobody knows what the server is doing
            connection.invalidate()
        raise
    finally:
        connection.close()  # the pool undoes what was not stored


@dataclass(frozen=True)
class _Compiled:
    """A statement in the words of one kind of database."""

    sql: str
    order: list[str] | None
    defaults: dict[str, Any]
    converters: dict[str, Convert]
    row: Callable[..., Any]
    readers: list[Convert | None]


class Prepared:
    """One statement; its values are named by its `bindparam`s. Every column of an insert must be among them."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._writes = not isinstance(statement, Select)
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, line: Line, **values: Any) -> list[Any]:
        """Return what the statement selects or returns, as named tuples."""
        compiled, converted = self._given(line, values)
        return [
            compiled.row(
                *[value if read is None else read(value) for read, value in zip(compiled.readers, found, strict=True)]
            )
            for found in line.execute(compiled.sql, converted).fetchall()
        ]

    def row(self, line: Line, **values: Any) -> Any:
        """Return the first row, or None."""
        return next(iter(self.rows(line, **values)), None)

    def run(self, line: Line, **values: Any) -> int:
        """Return how many rows the statement changed."""
        compiled, given = self._given(line, values)
        return int(line.execute(compiled.sql, given).rowcount)

    def run_later(self, line: Line, **values: Any) -> None:
        """Run the statement with the commit at the latest."""
        compiled, given = self._given(line, values)
        line.execute_later(compiled.sql, given)

    def _given(self, line: Line, values: dict[str, Any]) -> tuple[_Compiled, Any]:
        """Return the statement in the words of this database, with the values as its driver wants them."""
        compiled = self._compiled.get(line.dialect.name)
        if compiled is None:
            compiled = self._compiled[line.dialect.name] = _compile(self._statement, line.dialect)
        given = {**compiled.defaults, **values}
        for name, convert in compiled.converters.items():
            given[name] = convert(given[name])
        if self._writes:
            line.written = True
        return compiled, given if compiled.order is None else [given[name] for name in compiled.order]


def all_but_id(table: Any) -> dict[str, BindParameter[Any]]:
    """Return the values of an insert that is given every column of an ORM class but its number."""
    return {column.key: bindparam(column.key) for column in table.__table__.columns if column.key != "id"}


def _compile(statement: ClauseElement, dialect: Dialect) -> _Compiled:
    compiled: Any = statement.compile(dialect=dialect)
    converters = {
        name: convert
        for name, bind in compiled.binds.items()
        if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
    }
    defaults = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
    columns = list(getattr(statement, "exported_columns", ()))
    row = namedtuple("Row", [column.key for column in columns], rename=True)  # type: ignore[misc]
    readers = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return _Compiled(compiled.string, compiled.positiontup, defaults, converters, row, readers)
