"""Under load everybody gets a turn at the database."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import literal, select

from handoff.database import CONNECTIONS, DATABASE_AWAY, Database
from handoff.statements import Line, Prepared

WORKERS = 2 * CONNECTIONS
TRANSACTIONS = 40 * CONNECTIONS
FAIR = 4 * WORKERS  # so many others at most may be served while one waits; in perfect order it is each once


ONE = Prepared(select(literal(1)))


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
