"""How the bot's conversations went, in counts and masked single phrases: what designers write for next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent, Role
from handoff.assistant.concern import NOT_UNDERSTOOD
from handoff.clock import iso, now
from handoff.conversations.models import Conversation, Message, Sender
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.locales import text
from handoff.principals import AgentCaller
from handoff.privacy.masking import anonymous
from handoff.queue.models import Handoff
from handoff.summary.corrections import for_designers
from handoff.summary.labels import readable

READERS = {Role.DESIGNER, Role.ADMIN}
PERIODS = (1, 7, 30)
MOST_MESSAGES = 20_000
MOST_PHRASES = 100
LONGEST_PHRASE = 120
UNSURE_BELOW = 0.6


def require_reader(agent: Agent) -> None:
    """Refuse everybody but designers and admins: 403."""
    if agent.role not in READERS:
        raise ApiError(403, "forbidden")


async def review(caller: AgentCaller, days: int, language: str) -> dict[str, Any]:
    """Return the last `days` days: figures, intents, what was hardly understood, and why people were called."""
    require_reader(caller.agent)
    since = now() - timedelta(days=days if days in PERIODS else PERIODS[1])
    async with desk.database.read() as session:
        messages = list(
            await session.scalars(
                select(Message)
                .where(
                    Message.sender == Sender.CUSTOMER,
                    Message.nlu.is_not(None),
                    Message.payload.is_(None),
                    Message.created_at >= since,
                )
                .order_by(Message.created_at.desc())
                .limit(MOST_MESSAGES)
            )
        )
        conversations = await _count(session, Conversation, since)
        reasons = await _reasons(session, since)
        corrections = await for_designers(session, language)
    lost = [message for message in messages if _intent(message) in NOT_UNDERSTOOD]
    unsure = [message for message in messages if message not in lost and _confidence(message) < UNSURE_BELOW]
    return {
        "days": days,
        "figures": {
            "conversations": conversations,
            "messages": len(messages),
            "lost": len(lost),
            "handoffs": sum(reasons.values()),
        },
        "intents": _intents(messages),
        "reasons": [{"name": name, "count": count} for name, count in reasons.most_common()],
        "lost": phrases(lost, language),
        "unsure": phrases(unsure, language),
        "corrections": [_readable(row, language) for row in corrections],
    }


def _readable(row: dict[str, Any], language: str) -> dict[str, Any]:
    """Return a correction with a fact's name and values as people read them."""
    name = row["name"]
    if name is None:
        return {**row, "label": None}
    values = {key: readable(name, row[key], language) if row[key] else None for key in ("claimed", "value")}
    return {**row, **values, "label": text(f"summary.fact_{name}", language)}


async def _count(session: AsyncSession, table: type[Conversation], since: Any) -> int:
    return await session.scalar(select(func.count()).select_from(table).where(table.created_at >= since)) or 0


async def _reasons(session: AsyncSession, since: Any) -> Counter[str]:
    rows = await session.execute(
        select(Handoff.reason, func.count()).where(Handoff.created_at >= since).group_by(Handoff.reason)
    )
    return Counter({reason: count for reason, count in rows})


def _intents(messages: Iterable[Message]) -> list[dict[str, Any]]:
    counted: dict[str, list[Message]] = {}
    for message in messages:
        counted.setdefault(_intent(message), []).append(message)
    rows = [
        {
            "name": name,
            "count": len(rows),
            "confidence": round(sum(_confidence(row) for row in rows) / len(rows), 2),
            "upset": sum(1 for row in rows if _mood(row) in {"angry", "abusive", "sarcastic", "disappointed"}),
        }
        for name, rows in counted.items()
    ]
    return sorted(rows, key=lambda row: (-row["count"], row["name"]))


def phrases(messages: Iterable[Message], language: str) -> list[dict[str, Any]]:
    """Return masked phrases, the same ones counted together, the most frequent first; never who said them or where."""
    groups: dict[str, dict[str, Any]] = {}
    for message in messages:
        words = anonymous(message.text, language)[:LONGEST_PHRASE]
        if not words:
            continue
        row = groups.setdefault(
            words.casefold(),
            {
                "text": words,
                "count": 0,
                "intent": _intent(message),
                "confidence": _confidence(message),
                "last": iso(message.created_at),
            },
        )
        row["count"] += 1
    return sorted(groups.values(), key=lambda row: -row["count"])[:MOST_PHRASES]


def _intent(message: Message) -> str:
    return str((message.nlu or {}).get("intent") or "nlu_fallback")


def _confidence(message: Message) -> float:
    return round(float((message.nlu or {}).get("confidence") or 0.0), 2)


def _mood(message: Message) -> str:
    return str(((message.nlu or {}).get("emotion") or {}).get("label") or "calm")
