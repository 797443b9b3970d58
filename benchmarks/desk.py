"""A real desk process for benchmarks, on a database of its own, with people and conversations in it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.measure import free_port
from handoff.agents.groups import ensure_groups
from handoff.agents.models import Agent, AgentGroup, AgentSession, Presence, Role
from handoff.clock import now
from handoff.conversations.models import Conversation, Message, Sender
from handoff.customers.models import Customer
from handoff.database import Database
from handoff.identifiers import AGENT_TOKEN_PREFIX, CUSTOMER_TOKEN_PREFIX, hash_token, new_id, new_token
from handoff.migrate import migrate

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
GROUP = "care"


@dataclass(frozen=True)
class Worker:
    """A logged-in person at work."""

    id: str
    token: str


@dataclass(frozen=True)
class Talk:
    """A conversation and its customer's token; `worker` is the number of the person who owns it."""

    id: str
    token: str
    worker: int | None


@dataclass
class RunningDesk:
    """A desk that serves."""

    url: str
    process: subprocess.Popen[bytes]


async def seed_people(database: Database, count: int, capacity: int) -> list[Worker]:
    """Make `count` agents who are on duty and logged in; nobody knows their passwords."""
    people = [Worker(new_id("a"), new_token(AGENT_TOKEN_PREFIX)) for _ in range(count)]
    async with database.write() as session:
        await ensure_groups(session)
        for number, person in enumerate(people):
            session.add(
                Agent(
                    id=person.id,
                    name=f"agent-{number}",
                    password_hash="",
                    role=Role.AGENT,
                    capacity=capacity,
                    status=Presence.ONLINE,
                    status_since=now(),
                    last_seen_at=now() + timedelta(hours=1),
                    created_at=now(),
                )
            )
        await session.flush()
        for person in people:
            session.add(AgentGroup(agent_id=person.id, group_name=GROUP))
            session.add(
                AgentSession(
                    token_hash=hash_token(person.token),
                    agent_id=person.id,
                    created_at=now(),
                    expires_at=now() + timedelta(hours=12),
                )
            )
    return people


async def seed_talks(database: Database, count: int, people: list[Worker], messages: int = 2) -> list[Talk]:
    """Make `count` conversations with some messages, dealt out to `people` in turn (to the bot when there are none)."""
    talks, owners = [], []
    async with database.write() as session:
        for number in range(count):
            worker = number % len(people) if people else None
            token, customer = new_token(CUSTOMER_TOKEN_PREFIX), Customer(id=new_id("u"), created_at=now())
            talk = Talk(new_id("c"), token, worker)
            session.add(customer)
            owners.append(_conversation(talk, customer, people[worker].id if worker is not None else None, messages))
            talks.append(talk)
        await session.flush()
        session.add_all(owners)
        await session.flush()
        for talk in talks:
            session.add_all(_message(talk.id, seq) for seq in range(1, messages + 1))
    return talks


def _conversation(talk: Talk, customer: Customer, agent: str | None, messages: int) -> Conversation:
    return Conversation(
        id=talk.id,
        token_hash=hash_token(talk.token),
        token_expires_at=now() + timedelta(days=30),
        customer_id=customer.id,
        context={},
        owner=f"agent:{agent}" if agent else "bot",
        version=1,
        group_name=GROUP,
        last_seq=messages,
        last_customer_seq=messages,
        answered_seq=messages,
        created_at=now(),
        updated_at=now(),
    )


def _message(conversation: str, seq: int) -> Message:
    return Message(
        conversation_id=conversation,
        seq=seq,
        sender=Sender.CUSTOMER,
        sender_name="客户",
        text="手环一直没有步数，重启过也没用。",
        client_id=uuid.uuid4().hex,
        created_at=now(),
    )


@contextmanager
def folder() -> Iterator[Path]:
    """A run-time folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="jieli-bench-") as path:
        yield Path(path)


def prepare(var: Path, url: str | None = None) -> str:
    """Return the address of a migrated, empty database: SQLite in `var`, or `url`."""
    address = url or f"sqlite+aiosqlite:///{var / 'desk.db'}"
    migrate(address)
    return address


@contextmanager
def serving(var: Path, **settings: str) -> Iterator[RunningDesk]:
    """Run a desk on a free port until the block ends."""
    port = free_port()
    environment = {
        **os.environ,
        "JIELI_VAR": str(var),
        "PORT": str(port),
        "LIMIT_MESSAGES": "off",
        "LIMIT_CONVERSATIONS": "off",
        "BOT_URLS": "http://127.0.0.1:9",
        **settings,
    }
    with (var / "desk.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "handoff"], cwd=ROOT, env=environment, stderr=log)
    try:
        wait_for_port(port, process)
        yield RunningDesk(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(30)


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a process accepts connections; SystemExit when it does not."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit(f"Port {port}: nobody serves there.")
