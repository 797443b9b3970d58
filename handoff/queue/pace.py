"""How fast a group is served: who is on duty, how many seats are free, how long recent conversations took."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent, AgentGroup, Presence
from handoff.conversations.service import held_by_each
from handoff.queue.models import Handoff

HISTORY = 20
ENOUGH_HISTORY = 3


@dataclass(frozen=True)
class Pace:
    """`people` on duty with `seats`, of which some are `free`; seconds until a pick-up and of handling, if known."""

    people: int
    seats: int
    free: int
    pick_up: int | None
    handling: float | None

    def wait(self, position: int) -> int | None:
        """Return the seconds that who stands at `position` will wait, or None when that is not known."""
        if not self.people or self.pick_up is None:
            return None
        if position <= self.free:
            return self.pick_up * -(-position // self.people)
        if self.handling is None:
            return None
        return self.pick_up + int((position - self.free) / max(1, self.seats) * self.handling)


async def pace_of(session: AsyncSession, group: str) -> Pace:
    """Return the pace of a group as things stand."""
    on_duty = list(
        await session.scalars(
            select(Agent)
            .join(AgentGroup, AgentGroup.agent_id == Agent.id)
            .where(AgentGroup.group_name == group, Agent.status == Presence.ONLINE)
        )
    )
    if not on_duty:
        return Pace(0, 0, 0, None, None)
    held = await held_by_each(session, [agent.owner_key for agent in on_duty])
    recent = await _recent(session, group)
    picked_up = [(one.claimed_at - one.created_at).total_seconds() for one in recent if one.claimed_at]
    handled = [(one.ended_at - one.claimed_at).total_seconds() for one in recent if one.ended_at and one.claimed_at]
    return Pace(
        people=len(on_duty),
        seats=sum(agent.capacity for agent in on_duty),
        free=sum(max(0, agent.capacity - held.get(agent.owner_key, 0)) for agent in on_duty),
        pick_up=_median(picked_up) if len(picked_up) >= ENOUGH_HISTORY else None,
        handling=sum(handled) / len(handled) if len(handled) >= ENOUGH_HISTORY else None,
    )


async def _recent(session: AsyncSession, group: str) -> list[Handoff]:
    rows = await session.scalars(
        select(Handoff)
        .where(Handoff.group_name == group, Handoff.claimed_at.is_not(None))
        .order_by(Handoff.claimed_at.desc())
        .limit(HISTORY)
    )
    return list(rows)


def _median(seconds: list[float]) -> int:
    ordered = sorted(seconds)
    return max(1, int(ordered[len(ordered) // 2]))
