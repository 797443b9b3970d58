"""Automatic assignment (`ROUTING=auto`): the first in line goes to the person on duty with the most room."""

from __future__ import annotations

import contextlib

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent, AgentGroup, Presence, Role
from handoff.conversations.service import held_by
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.queue.claims import claim
from handoff.queue.models import State
from handoff.queue.service import Queue


async def assign_waiting() -> None:
    """Assign every waiting handoff that somebody has room for, in serving order."""
    async with desk.database.read() as session:
        line = [
            (handoff.id, handoff.group_name)
            for handoff, _ in await Queue(session).line(None)
            if handoff.state == State.WAITING
        ]
    for handoff_id, group in line:
        async with desk.database.read() as session:
            agent = await freest(session, group)
        if agent is None:
            continue
        with contextlib.suppress(ApiError):  # somebody was faster, or the seat is taken meanwhile
            await claim(handoff_id, agent)


async def freest(session: AsyncSession, group: str) -> Agent | None:
    """Return who is on duty in the group with the most room; None when everybody is full."""
    on_duty = await session.scalars(
        select(Agent)
        .join(AgentGroup, AgentGroup.agent_id == Agent.id)
        .where(AgentGroup.group_name == group, Agent.status == Presence.ONLINE, Agent.role != Role.DESIGNER)
        .order_by(Agent.last_seen_at)
    )
    room = [(agent.capacity - await held_by(session, agent), agent) for agent in on_duty]
    best = max(room, key=lambda pair: pair[0], default=None)
    return best[1] if best and best[0] > 0 else None
