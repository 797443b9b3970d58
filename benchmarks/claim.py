"""`claim`: people taking waiting conversations, 32 at once, on SQLite and on PostgreSQL.

Every worker tries again and again to claim a random waiting conversation for a random agent, so most tries meet another
worker, a full agent, or both. The peer, in the same run, is what a claim needs at least, bare: 32 workers with a
connection each who take the conversation (`UPDATE … WHERE owner = 'queue'`), count what the agent holds, and write the
audit row. Both take turns, on a new database each time, and the middle rate of the turns counts. Afterwards the
databases are asked: nobody twice, nobody over capacity. Goal: 0.7 of the bare rate of claims.
PostgreSQL is left out, and this is said, where none answers (`JIELI_BENCH_POSTGRES` names another).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

import psycopg
import uvloop
from sqlalchemy import func, select, update
from sqlalchemy.engine import make_url

from benchmarks.desk import GROUP, Talk, Worker, folder, prepare, seed_people, seed_talks
from benchmarks.measure import Comparison, Goal, machine, print_comparison, print_table
from handoff.__main__ import steady
from handoff.agents.models import Agent
from handoff.clock import now
from handoff.conversations.models import QUEUE, Conversation, OwnershipEvent
from handoff.database import Database
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.queue.claims import claim
from handoff.queue.models import Handoff, State
from handoff.settings import settings

WORKERS, AGENTS, CAPACITY = 32, 400, 5
GOAL = Goal(0.7, at_least=True)
POSTGRES = os.environ.get("JIELI_BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
BARE_CLAIM = "UPDATE conversations SET owner = {0}, version = version + 1 WHERE id = {0} AND owner = 'queue'"
BARE_COUNT = "SELECT count(*) FROM conversations WHERE owner = {0}"
BARE_AUDIT = (
    "INSERT INTO ownership_events (conversation_id, version, from_owner, to_owner, \"by\", reason, flagged, created_at)"
    " VALUES ({0}, 2, 'queue', {0}, {0}, 'claimed', {1}, {0})"
)


@dataclass
class Outcome:
    """What a run did: claims won, seconds."""

    won: int
    seconds: float

    @property
    def rate(self) -> float:
        """Claims won a second."""
        return self.won / self.seconds


@dataclass
class Kind:
    """A kind of database: how to make an empty one (its address), a bare connection to it, the mark of a value."""

    name: str
    database: Callable[[], AbstractContextManager[str]]
    line: Callable[[str], Any]
    mark: str


async def seed(address: str, talks: int) -> tuple[list[Worker], list[Talk]]:
    """Fill an empty database with people on duty and conversations that wait."""
    database = Database(address)
    people = await seed_people(database, AGENTS, CAPACITY)
    waiting = await seed_talks(database, talks, [])
    async with database.write() as session:
        await session.execute(update(Conversation).values(owner=QUEUE))
        session.add_all(_handoff(talk, number) for number, talk in enumerate(waiting, 1))
    await database.close()
    return people, waiting


def _handoff(talk: Talk, arrival: int) -> Handoff:
    return Handoff(
        id=f"h_{talk.id}",
        conversation_id=talk.id,
        reason="asked_for_person",
        priority=3,
        group_name=GROUP,
        emotion={"label": "calm", "score": 0.5, "course": []},
        evidence=[],
        summary_line={"zh": "手环没有步数", "en": "No steps"},
        state=State.WAITING,
        arrival=arrival,
        created_at=now() - timedelta(minutes=1),
    )


async def ours(address: str, people: list[Worker], waiting: list[Talk], tries: int) -> Outcome:
    """Let 32 workers claim through the desk's own service."""
    settings.database_url = address
    desk.open()
    async with desk.database.read() as session:  # as a request brings them along
        agents = list(await session.scalars(select(Agent).where(Agent.id.in_([person.id for person in people]))))
    await claim(f"h_{waiting[0].id}", agents[0])  # a desk that runs has read its catalogue and opened its file
    left, won = iter(range(tries)), 0

    async def work(chance: random.Random) -> None:
        nonlocal won
        for _ in left:
            talk, agent = chance.choice(waiting), chance.choice(agents)
            try:
                await claim(f"h_{talk.id}", agent)
                won += 1
            except ApiError as error:
                if error.code not in {"already_claimed", "at_capacity"}:
                    raise

    began = time.perf_counter()
    await asyncio.gather(*(work(random.Random(number)) for number in range(WORKERS)))
    seconds = time.perf_counter() - began
    await desk.close()
    return Outcome(won, seconds)


def _as_the_desk_runs(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    steady()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def bare(connect: Callable[[], Any], mark: str, people: list[Worker], waiting: list[Talk], tries: int) -> Outcome:
    """Let 32 threads run the bare statements."""
    left, lock, won = iter(range(tries)), threading.Lock(), [0]
    begin = "BEGIN IMMEDIATE" if mark == "?" else "BEGIN"
    no = "0" if mark == "?" else "false"
    claim, count, audit = (words.format(mark, no) for words in (BARE_CLAIM, BARE_COUNT, BARE_AUDIT))

    def work(chance: random.Random, connection: Any) -> None:
        while True:
            with lock:
                if next(left, None) is None:
                    break
            talk, owner = chance.choice(waiting), f"agent:{chance.choice(people).id}"
            connection.execute(begin)
            held = connection.execute(count, (owner,)).fetchone()[0]
            taken = held < CAPACITY and connection.execute(claim, (owner, talk.id)).rowcount
            if taken:
                moment = now() if mark == "%s" else now().strftime("%Y-%m-%d %H:%M:%S.%f")
                connection.execute(audit, (talk.id, owner, owner, moment))
            connection.execute("COMMIT" if taken else "ROLLBACK")
            if taken:
                with lock:
                    won[0] += 1

    lines = [connect() for _ in range(WORKERS)]
    threads = [threading.Thread(target=work, args=(random.Random(n), line)) for n, line in enumerate(lines)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    for line in lines:
        line.close()
    return Outcome(won[0], seconds)


async def faults(address: str) -> tuple[int, int]:
    """Return how many conversations were claimed twice, and how many people hold too many."""
    database = Database(address)
    async with database.read() as session:
        claims = select(func.count()).where(OwnershipEvent.reason == "claimed").group_by(OwnershipEvent.conversation_id)
        double = sum(1 for number in await session.scalars(claims) if number > 1)
        held = select(func.count()).where(Conversation.owner.startswith("agent:")).group_by(Conversation.owner)
        over = sum(1 for number in await session.scalars(held) if number > CAPACITY)
    await database.close()
    return double, over


@contextmanager
def sqlite_database() -> Iterator[str]:
    """Yield the address of an empty database file that is deleted afterwards."""
    with folder() as var:
        yield prepare(var)


@contextmanager
def postgres_database() -> Iterator[str]:
    """Yield the address of an empty database that is dropped afterwards."""
    name = f"jieli_bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES, autocommit=True) as server, folder() as var:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield prepare(var, f"{POSTGRES.rpartition('/')[0]}/{name}".replace("postgresql:", "postgresql+psycopg:"))
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def sqlite_line(address: str) -> sqlite3.Connection:
    """Return a connection as safe as the desk's."""
    path = make_url(address).database or ""
    connection = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def postgres_line(address: str) -> psycopg.Connection:
    """Return a connection to the same server."""
    return psycopg.connect(address.replace("+psycopg", ""), autocommit=True)


SQLITE = Kind("SQLite", sqlite_database, sqlite_line, "?")
POSTGRESQL = Kind("PostgreSQL", postgres_database, postgres_line, "%s")


def turn(kind: Kind, talks: int, tries: int) -> tuple[Outcome, Outcome, tuple[int, int]]:
    """Measure the bare statements, then ours, each on a database of its own."""
    with kind.database() as address:
        people, waiting = asyncio.run(seed(address, talks))
        peer = bare(lambda: kind.line(address), kind.mark, people, waiting, tries)
    with kind.database() as address:
        people, waiting = asyncio.run(seed(address, talks))
        return _as_the_desk_runs(ours(address, people, waiting, tries)), peer, asyncio.run(faults(address))


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.claim", description=__doc__)
    parser.add_argument("--tries", type=int, default=20_000, help="in each turn, on each database")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--talks", type=int, default=2_500, help="conversations that wait")
    options = parser.parse_args()
    kinds = [SQLITE]
    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
        kinds.append(POSTGRESQL)
    except psycopg.Error:
        print("No PostgreSQL answers; measuring on SQLite alone.")
    lines, rows = [], []
    for kind in kinds:
        turns = [turn(kind, options.talks, options.tries) for _ in range(options.turns)]
        mine, peer = median(mine.rate for mine, _, _ in turns), median(peer.rate for _, peer, _ in turns)
        lines.append(Comparison(f"claims/s on {kind.name}", mine, peer, GOAL))
        won, double, over = (sum(numbers) for numbers in zip(*((one.won, *bad) for one, _, bad in turns), strict=True))
        rows.append([kind.name, options.tries * options.turns, won, double, over])
    print_comparison(f"claim: {WORKERS} workers, {options.turns} turns ({machine()})", "bare statements", lines)
    head = ["", "tries", "won", "claimed twice", "over capacity"]
    print_table("What the database says afterwards", head, rows)


if __name__ == "__main__":
    main()
