"""The ledger of what was acknowledged, and the one checker that holds every fault to it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import httpx
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from tests.faults.site import Site

SETTLE_SECONDS = 60.0
READERS_SECONDS = 15.0


@dataclass(frozen=True)
class Said:
    """A message that the desk has acknowledged; `content` is None for a pressed button, whose title is stored."""

    conversation: str
    client_id: str
    sender: str
    content: str | None
    seq: int


class Reader:
    """One reader of one conversation: every message once, in order, without a gap."""

    def __init__(self, conversation: str, name: str, after: int = 0) -> None:
        self.conversation, self.name, self.seq = conversation, name, after
        self.wrong: list[str] = []
        self.seen: list[dict[str, Any]] = []

    def take(self, message: dict[str, Any]) -> None:
        """Note a message that arrived."""
        if message["seq"] != self.seq + 1:
            self.wrong.append(f"{self.name} of {self.conversation}: {message['seq']} after {self.seq}")
        self.seq = max(self.seq, message["seq"])
        self.seen.append({**message, "arrived": time.monotonic()})


@dataclass
class Ledger:
    """What customers and agents were told is done."""

    tokens: dict[str, str] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    joined: dict[str, tuple[float, float]] = field(default_factory=dict)  # conversation: (asked, acknowledged)
    cancelled: set[str] = field(default_factory=set)  # order numbers that somebody asked to cancel
    refusals: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return one line for the test's output."""
        refusals = ", ".join(f"{kind} {count}" for kind, count in sorted(self.refusals.items()))
        counts = f"{len(self.tokens)} conversations, {len(self.said)} acknowledged messages"
        return f"{counts}; refused: {refusals or 'none'}"


async def check(site: Site, ledger: Ledger) -> None:
    """Hold the API, the readers and the databases to the ledger; fails with everything that is wrong."""
    engine = create_engine(site.database)
    try:
        await _settle(engine, ledger)
        wrong = [*ledger.wrong, *await _readers(engine, ledger)]
        wrong += await _messages(site, ledger)
        wrong += _ownership(engine, ledger)
        wrong += await _line(site, engine, ledger)
        wrong += _shop(site, engine, ledger)
    finally:
        engine.dispose()
    assert not wrong, "\n".join([ledger.summary(), *wrong[:40]])


def rows(engine: Engine, query: str, **values: Any) -> list[Any]:
    """Return the rows of a query."""
    with engine.connect() as connection:
        return list(connection.execute(text(query), values))


async def _settle(engine: Engine, ledger: Ledger) -> None:
    """Wait until the bot owes nobody an answer."""
    owed = (
        "SELECT id, last_customer_seq, answered_seq FROM conversations "
        "WHERE owner = 'bot' AND last_customer_seq > answered_seq"
    )
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            left = [row for row in rows(engine, owed) if row[0] in ledger.tokens]
        except SQLAlchemyError:
            left = ["the database is away"]
        if not left:
            return
        assert time.monotonic() < deadline, f"never answered: {left[:10]}"
        await asyncio.sleep(0.3)


async def _readers(engine: Engine, ledger: Ledger) -> list[str]:
    """Every reader that is still connected gets everything."""
    deadline = time.monotonic() + READERS_SECONDS
    while True:
        last = dict(tuple(row) for row in rows(engine, "SELECT id, last_seq FROM conversations"))
        behind = [reader for reader in ledger.readers if reader.seq < last.get(reader.conversation, 0)]
        if not behind or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.3)
    wrong = [f"{one.name} of {one.conversation} stands at {one.seq} of {last[one.conversation]}" for one in behind]
    return [*wrong, *(words for reader in ledger.readers for words in reader.wrong)]


async def _messages(site: Site, ledger: Ledger) -> list[str]:
    """Zero lost, zero doubled, zero out of order, as a customer's reader sees it."""
    wrong: list[str] = []
    said = defaultdict(list)
    for one in ledger.said:
        said[one.conversation].append(one)
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        for conversation, token in ledger.tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            address = f"{site.urls[0]}/api/v1/conversations/{conversation}/messages"
            answer = await http.get(address, headers=headers)
            if answer.status_code != 200:
                wrong.append(f"{conversation}: its token gets {answer.status_code}")
                continue
            messages = answer.json()["messages"]
            if [message["seq"] for message in messages] != list(range(1, len(messages) + 1)):
                wrong.append(f"{conversation}: numbers {[message['seq'] for message in messages]}")
            by_seq = {message["seq"]: message for message in messages}
            for one in said[conversation]:
                stored = by_seq.get(one.seq)
                if stored is None or stored["sender"] != one.sender or one.content not in (None, stored["text"]):
                    wrong.append(f"{conversation}: acknowledged as {one.seq} and lost: {one.content} ({stored})")
            ids = Counter((m["sender"], m["client_id"]) for m in messages if m["client_id"])
            wrong += [f"{conversation}: stored {count} times: {key}" for key, count in ids.items() if count > 1]
            wrong += [
                f"{conversation}: the bot said {after['seq']} twice: {after['text'][:40]}"
                for before, after in pairwise(messages)
                if before["sender"] == after["sender"] == "bot" and before["text"] == after["text"]
            ]
    return wrong


def _ownership(engine: Engine, ledger: Ledger) -> list[str]:
    """No bot message after a handoff: each was stored while the bot owned the conversation."""
    events = defaultdict(list)
    for conversation, version, owner, moment in rows(
        engine, "SELECT conversation_id, version, to_owner, created_at FROM ownership_events ORDER BY id"
    ):
        events[conversation].append((str(moment), version, owner))
    wrong = []
    for conversation, seq, moment in rows(
        engine, "SELECT conversation_id, seq, created_at FROM messages WHERE sender = 'bot' ORDER BY id"
    ):
        if conversation not in ledger.tokens:
            continue
        before = [owner for at, _, owner in events[conversation] if at <= str(moment)]
        if before and before[-1] != "bot":
            wrong.append(f"{conversation}: bot message {seq} while {before[-1]} owned it")
    for conversation, changes in events.items():
        versions = [version for _, version, _ in changes]
        if versions != list(range(2, len(versions) + 2)):
            wrong.append(f"{conversation}: versions {versions}")
    return wrong


async def _line(site: Site, engine: Engine, ledger: Ledger) -> list[str]:
    """Who waits stands in line, once, at the right rank; who asked after another's acknowledgement stands behind."""
    waiting = [
        tuple(row)
        for row in rows(
            engine,
            "SELECT c.id, h.group_name, h.priority, "
            "(SELECT count(*) FROM handoffs o WHERE o.conversation_id = c.id) FROM conversations c "
            "LEFT JOIN handoffs h ON h.conversation_id = c.id AND h.state = 'waiting' "
            "WHERE c.owner = 'queue' ORDER BY h.group_name, h.priority, h.arrival",
        )
    ]
    wrong = [f"{row[0]}: waits without a place" for row in waiting if row[1] is None]
    ranks: Counter[str] = Counter()
    placed: dict[str, int] = {}
    for conversation, group, _, _ in waiting:
        ranks[group] += 1
        placed[conversation] = ranks[group]
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        for conversation, rank in placed.items():
            if conversation not in ledger.tokens:
                continue
            headers = {"Authorization": f"Bearer {ledger.tokens[conversation]}"}
            address = f"{site.urls[-1]}/api/v1/conversations/{conversation}/messages"
            page = (await http.get(address, params={"after": 0}, headers=headers)).json()
            if page["owner"] == "queue" and (page["queue"] or {}).get("position") != rank:
                wrong.append(f"{conversation}: rank {page['queue']} instead of {rank}")
    same = defaultdict(list)
    for conversation, group, priority, stays in waiting:
        # Who was served, went back to the bot and came again is in line since then.
        if conversation in ledger.joined and stays == 1:
            same[group, priority].append(conversation)
    for line in same.values():
        for first, second in pairwise(line):
            if ledger.joined[second][1] < ledger.joined[first][0]:
                wrong.append(f"{second} was in line before {first} and stands behind")
    return wrong


def _shop(site: Site, engine: Engine, ledger: Ledger) -> list[str]:
    """Nothing was done twice in the shop, and every promise that was made has its report."""
    shop = create_engine(f"sqlite:///{site.shop_database}")
    try:
        cancels = rows(shop, "SELECT order_number, count(*) FROM service_records WHERE action = 'cancel' GROUP BY 1")
        wrong = [f"order {number} was cancelled {count} times" for number, count in cancels if count > 1]
        done = {number for number, _ in cancels}
        wrong += [f"order {number} was said to be cancelled" for number in ledger.cancelled - done]
        reports = Counter(
            row[0]
            for row in rows(shop, "SELECT json_extract(report, '$.conversation') FROM bug_reports")
            if row[0] in ledger.tokens
        )
    finally:
        shop.dispose()
    wrong += [f"{conversation}: {count} bug reports" for conversation, count in reports.items() if count > 1]
    promised = Counter(row[0] for row in rows(engine, "SELECT conversation_id FROM promises WHERE kind = 'bug_report'"))
    wrong += [
        f"{one}: {count} promises for {reports[one]} reports"
        for one, count in promised.items()
        if one in ledger.tokens and count != reports[one]
    ]
    return wrong
