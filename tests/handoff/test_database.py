"""Under load everybody gets a turn at the database; what fails half-way leaves nothing behind."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from sqlalchemy import bindparam, func, insert, literal, select
from sqlalchemy.exc import IntegrityError

from handoff.clock import now
from handoff.customers.models import UsedToken
from handoff.database import CONNECTIONS, DATABASE_AWAY, Database
from handoff.statements import Line, Prepared

WORKERS = 2 * CONNECTIONS
TRANSACTIONS = 40 * CONNECTIONS
FAIR = 4 * WORKERS  # so many others at most may be served while one waits; in perfect order it is each once


ONE = Prepared(select(literal(1)))
SPEND = Prepared(insert(UsedToken).values(jti=bindparam("jti"), expires_at=bindparam("expires_at")))
SPENT = Prepared(select(func.count().label("tokens")).select_from(UsedToken))


def _work(line: Line) -> None:
    for _ in range(5):
        ONE.row(line)


async def test_nobody_waits_while_others_overtake(database_url: str) -> None:
    database = Database(database_url)
    left, done, overtaken = iter(range(TRANSACTIONS)), 0, 0

    async def work() -> None:
        nonlocal done, overtaken
        for _ in left:
            before = done
            await database.transact(_work)
            overtaken = max(overtaken, done - before)
            done += 1

    try:
        await asyncio.gather(*(work() for _ in range(WORKERS)))
    finally:
        await database.close()
    assert done == TRANSACTIONS
    assert overtaken < FAIR


async def test_statements_for_later_are_stored_with_the_rest_or_not_at_all(database_url: str) -> None:
    database = Database(database_url)

    def spend(line: Line, first: str, later: str) -> int:
        SPEND.run(line, jti=first, expires_at=now())
        SPEND.run_later(line, jti=later, expires_at=now())
        return SPENT.row(line).tokens

    def refuse(line: Line) -> None:
        SPEND.run(line, jti="refused", expires_at=now())
        raise PermissionError

    try:
        await asyncio.gather(*(database.transact(lambda line, n=n: spend(line, f"a{n}", f"b{n}")) for n in range(4)))
        for work in (lambda line: spend(line, "c", "b1"), lambda line: spend(line, "a1", "d")):
            with pytest.raises(IntegrityError):
                await database.transact(work)
        with pytest.raises(PermissionError):
            await database.transact(refuse)
        assert (await database.transact(lambda line: SPENT.row(line))).tokens == 8
    finally:
        await database.close()


async def test_what_the_database_took_back_is_not_reported_as_stored(tmp_path: Path, sqlite_template: Path) -> None:
    path = shutil.copy(sqlite_template, tmp_path / "desk.db")
    database = Database(f"sqlite+aiosqlite:///{path}")

    def stored(line: Line) -> None:
        SPEND.run(line, jti="before", expires_at=now())

    def full_disk(line: Line) -> None:
        line.execute("ROLLBACK")  # as SQLite does by itself when the disk is full
        raise OSError

    try:
        outcomes = await asyncio.gather(*map(database.transact, (stored, full_disk)), return_exceptions=True)
        assert all(isinstance(outcome, DATABASE_AWAY) for outcome in outcomes)
        assert (await database.transact(lambda line: SPENT.row(line))).tokens == 0
    finally:
        await database.close()


async def test_a_server_that_is_not_there_is_known_as_away() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    try:
        with pytest.raises(DATABASE_AWAY):
            await database.transact(_work)
        with pytest.raises(DATABASE_AWAY):
            async with database.write() as session:
                await session.execute(select(literal(1)))
    finally:
        await database.close()
