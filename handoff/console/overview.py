"""What supervisors see at a glance: who is on duty with which load, who waits, and today's figures."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent, Group, Presence, Role
from handoff.agents.rights import require_overseer
from handoff.attachments.models import Attachment
from handoff.clock import iso, now
from handoff.console.rows import display_name, file_view, without_visitor
from handoff.conversations.models import AGENT_PREFIX, BOT, Conversation, Message, Rating
from handoff.conversations.work import Work
from handoff.desk import desk
from handoff.principals import AgentCaller
from handoff.queue.models import Handoff, State

PRESENCE_ORDER = {Presence.ONLINE: 0, Presence.BREAK: 1, Presence.OFFLINE: 2}
DEFAULT_ZONE = "Asia/Shanghai"


async def board() -> dict[str, Any]:
    """Return the board: one for all supervisors, since each may see everything."""
    async with desk.database.read() as session:
        groups = list(await session.scalars(select(Group).order_by(Group.name)))
        held = await _held(session)
        agents = list(await session.scalars(select(Agent).where(Agent.role != Role.DESIGNER).order_by(Agent.name)))
        waiting = await _waiting(session)
        return {
            "today": await _today(session, groups[0].timezone if groups else DEFAULT_ZONE),
            "now": {"with_bot": held.get(BOT, 0), "with_people": _with_people(held)},
            "people": sorted((_person(agent, held) for agent in agents), key=_by_presence),
            "groups": [_group(group, agents, waiting.get(group.name, (0, None))) for group in groups],
        }


async def found(caller: AgentCaller, args: dict[str, Any], language: str) -> dict[str, Any]:
    """Return a page of conversations, newest first, as the API's search would."""
    require_overseer(caller.agent)
    words = without_visitor((args.get("q") or "").strip()[:200])
    async with desk.database.read() as session:
        answer = await Work(session, caller.agent).search(
            args.get("owner") or None, words or None, args.get("after") or None, False
        )
        files = await _last_files(session, [item["id"] for item in answer["items"]])
    for item in answer["items"]:
        item["display"] = display_name(item["customer"]["name"], item["id"], language)
        if item["id"] in files:
            item["last_message"]["attachment"] = file_view(*files[item["id"]], item["language"] or language)
    return answer


async def _last_files(session: AsyncSession, ids: list[str]) -> dict[str, tuple[str, str]]:
    """Return name and kind of the file that was sent last, for those of these conversations that end with one."""
    rows = await session.execute(
        select(Conversation.id, Attachment.name, Attachment.type)
        .join(Message, and_(Message.conversation_id == Conversation.id, Message.seq == Conversation.last_seq))
        .join(Attachment, Attachment.id == Message.attachment_id)
        .where(Conversation.id.in_(ids))
    )
    return {id: (name, kind) for id, name, kind in rows}


async def _held(session: AsyncSession) -> dict[str, int]:
    """Return how many conversations each owner has."""
    rows = await session.execute(
        select(Conversation.owner, func.count()).where(Conversation.owner != "closed").group_by(Conversation.owner)
    )
    return {owner: count for owner, count in rows}


def _with_people(held: dict[str, int]) -> int:
    return sum(count for owner, count in held.items() if owner.startswith(AGENT_PREFIX))


def _person(agent: Agent, held: dict[str, int]) -> dict[str, Any]:
    return {
        "id": agent.id,
        "name": agent.name,
        "role": agent.role,
        "status": agent.status,
        "status_reason": agent.status_reason,
        "status_since": iso(agent.status_since),
        "held": held.get(agent.owner_key, 0),
        "capacity": agent.capacity,
        "groups": sorted(agent.group_names),
    }


def _by_presence(person: dict[str, Any]) -> tuple[int, str]:
    return PRESENCE_ORDER[Presence(person["status"])], person["name"]


async def _waiting(session: AsyncSession) -> dict[str, tuple[int, datetime | None]]:
    """Return how many wait in each group, and since when the first of them does."""
    rows = await session.execute(
        select(Handoff.group_name, func.count(), func.min(Handoff.created_at))
        .where(Handoff.state == State.WAITING)
        .group_by(Handoff.group_name)
    )
    return {group: (count, oldest) for group, count, oldest in rows}


def _group(group: Group, agents: list[Agent], waiting: tuple[int, datetime | None]) -> dict[str, Any]:
    online = [agent for agent in agents if agent.status == Presence.ONLINE and group.name in agent.group_names]
    count, oldest = waiting
    return {"name": group.name, "waiting": count, "oldest": iso(oldest), "online": len(online)}


async def _today(session: AsyncSession, zone: str) -> dict[str, Any]:
    """Return the figures since midnight in the groups' zone: handoffs, how many were taken or given up, ratings."""
    midnight = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = await session.execute(
        select(Handoff.state, Handoff.created_at, Handoff.claimed_at).where(Handoff.created_at >= midnight)
    )
    handoffs = list(rows)
    waits = sorted((one.claimed_at - one.created_at).total_seconds() for one in handoffs if one.claimed_at)
    ratings = await session.execute(select(func.count(), func.avg(Rating.score)).where(Rating.created_at >= midnight))
    rated, average = ratings.one()
    count = select(func.count()).select_from(Conversation)
    closed = await session.scalar(count.where(Conversation.closed_at >= midnight))
    started = await session.scalar(count.where(Conversation.created_at >= midnight))
    return {
        "conversations": started or 0,
        "handoffs": len(handoffs),
        "taken": len(waits),
        "abandoned": sum(1 for one in handoffs if one.state == State.ABANDONED),
        "median_wait": int(waits[len(waits) // 2]) if waits else None,
        "closed": closed or 0,
        "rated": rated,
        "rating": round(float(average), 1) if average is not None else None,
        "since": iso(midnight.astimezone(now().tzinfo)),
    }
