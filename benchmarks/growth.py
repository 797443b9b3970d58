"""`growth`: what one more message costs the desk when ten thousand, a hundred thousand, a million are stored already.

Each message takes its whole way through the desk's own services: the customer's words stored (`receive_plain`), read as
an agent's long poll reads them, and the agent's reply stored. The peer, on the same files in the same run, is a bare
INSERT with its commit: what the disk and SQLite themselves cost at that size. Median milliseconds. Goal: a million
stored costs at most 1.2 times what ten thousand cost, on SQLite.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import statistics
import time
from pathlib import Path

from benchmarks.desk import Talk, Worker, folder, prepare, seed_people, seed_talks
from benchmarks.measure import Goal, machine, print_table
from handoff.agents.models import Agent
from handoff.conversations.intake import receive_plain
from handoff.conversations.service import Conversations, Said
from handoff.conversations.work import Work
from handoff.database import Database
from handoff.desk import desk
from handoff.settings import settings

SIZES = (10_000, 100_000, 1_000_000)
IN_A_TALK = 40
TALKS, PEOPLE = 50, 10
GOAL = Goal(1.2)
WORDS = "手环一直没有步数，重启也没用，能帮我看看吗？"
FILL = """
WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :count)
INSERT INTO messages (conversation_id, seq, sender, sender_name, text, buttons_open, client_id, created_at)
SELECT 'old_' || (n / :talk), n % :talk + 1, 'customer', '客户', :words, 0, 'fill_' || n, '2026-01-01 00:00:00.000000'
FROM number
"""
BARE = (
    "INSERT INTO messages (conversation_id, seq, sender, sender_name, text, buttons_open, client_id, created_at)"
    " VALUES ('bare', ?, 'customer', '客户', ?, 0, ?, '2026-01-01 00:00:00.000000')"
)
OLD_TALKS = """
INSERT INTO conversations (id, token_hash, token_expires_at, token_revoked, customer_id, origin, context, owner,
  version, concern, reset_pending, last_seq, last_customer_seq, answered_seq, customer_read_seq, agent_read_seq,
  stretch, created_at, updated_at)
WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :talks)
SELECT 'old_' || n, 'old_' || n, '2026-01-01 00:00:00.000000', 1, (SELECT min(id) FROM customers), 'widget', '{}',
  'closed', 1, 0, 0, :talk, :talk, :talk, 0, 0, 1, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000'
FROM number
"""


async def seed(address: str) -> tuple[list[Worker], list[Talk]]:
    """Make the people and the conversations in which the measured messages are said."""
    database = Database(address)
    people = await seed_people(database, PEOPLE, capacity=TALKS)
    talks = await seed_talks(database, TALKS, people)
    await database.close()
    return people, talks


def fill(path: Path, count: int) -> None:
    """Store `count` old messages in closed conversations."""
    connection = sqlite3.connect(path)
    values = {"count": count, "talk": IN_A_TALK, "words": WORDS, "talks": -(-count // IN_A_TALK)}
    with connection:
        connection.execute(OLD_TALKS, values)
        connection.execute(FILL, values)
    connection.execute("ANALYZE")
    connection.close()


async def through_desk(address: str, people: list[Worker], talks: list[Talk], times: int) -> list[float]:
    """Return the milliseconds of each message's whole way."""
    settings.database_url = address
    desk.open()
    spent = []
    for number in range(times):
        talk = talks[number % len(talks)]
        began = time.perf_counter()
        message = await receive_plain(talk.id, talk.token, Said(f"customer-{number}", WORDS))
        assert message is not None, "the benchmark's conversations are open"
        async with desk.database.read() as session:
            conversation = await Conversations(session).get(talk.id)
            await Conversations(session).page(conversation, message.seq - 1)
        async with desk.database.write() as session:
            agent = await session.get_one(Agent, people[talk.worker or 0].id)
            conversation = await Conversations(session).get(talk.id, lock=True)
            await Work(session, agent).say(conversation, Said(f"agent-{number}", "好的，我来看一下。"))
        spent.append((time.perf_counter() - began) * 1000)
    await desk.close()
    return spent


def bare(path: Path, times: int) -> list[float]:
    """Return the milliseconds of each bare INSERT with its commit."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    spent = []
    for number in range(times):
        began = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(BARE, (number + 1, WORDS, f"bare-{number}"))
        connection.execute("COMMIT")
        spent.append((time.perf_counter() - began) * 1000)
    connection.close()
    return spent


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="messages stored already")
    parser.add_argument("--times", type=int, default=600, help="messages measured at each size")
    options = parser.parse_args()
    settings.limit_messages = "off"
    rows, first = [], 0.0
    with folder() as var:
        start = var / "start"
        start.mkdir()
        people, talks = asyncio.run(seed(prepare(start)))
        for size in options.sizes:
            path = var / str(size) / "desk.db"
            shutil.copytree(start, path.parent)
            fill(path, size)
            raw = statistics.median(bare(path, options.times))
            address = f"sqlite+aiosqlite:///{path}"
            ours = statistics.median(asyncio.run(through_desk(address, people, talks, options.times)))
            first = first or ours
            share = ours / first
            rows.append([f"{size:,} stored", ours, raw, share, "yes" if GOAL.met(share) else "NO"])
    head = ["", "desk, ms", "bare INSERT, ms", f"desk / at {options.sizes[0]:,}", f"met ({GOAL})"]
    print_table(f"growth: a customer's message, read, and the agent's reply ({machine()})", head, rows)


if __name__ == "__main__":
    main()
