"""How fast a group is served: who is on duty, how many seats are free, how long recent conversations took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent, AgentGroup, Presence
from handoff.clock import now
from handoff.conversations.service import held_by_each
from handoff.queue.models import Handoff, State
from handoff.settings import settings

HISTORY = 20
ENOUGH_HISTORY = 3
# What a person needs at least to take one more and greet them, where people pick from the line themselves.
TAKING_SECONDS = 20
# A line in which nobody was taken for so long, and for twice the time that this takes, does not move.
STILL_SECONDS = 120
# Who has waited longer may have been left over night; nothing can be told from that.
LONGEST_TOLD = 3600


@dataclass(frozen=True)
class Pace:
    """`people` on duty with `seats`, of which some are `free`; seconds until a pick-up and of handling, if known.

    `still`: seconds for which people have waited and nobody was taken.
    """

    people: int
    seats: int
    free: int
    pick_up: int | None
    handling: float | None
    still: float = 0.0

    def wait(self, position: int, waited_before: float = 0.0) -> int | None:
        """Return the seconds that who stands at `position` will wait, or None when that is not known.

        It is never less than what somebody before them has waited already (`waited_before`).
        """
        seconds = self._wait(position)
        if seconds is None or waited_before > LONGEST_TOLD or not self._moves():
            return None
        return max(seconds, int(waited_before))

    def _moves(self) -> bool:
        """Tell whether the line moves as fast as the estimate supposes."""
        step = (self.pick_up or 0) + (0.0 if self.free else (self.handling or 0.0) / max(1, self.seats))
        return self.still <= max(STILL_SECONDS, 2 * step)

    def _wait(self, position: int) -> int | None:
        if not self.people or self.pick_up is None:
            return None
        if position <= self.free:
            rounds = -(-position // self.people)
            return self.pick_up + (rounds - 1) * max(self.pick_up, self._taking)
        if self.handling is None:
            return None
        return self.pick_up + int((position - self.free) / max(1, self.seats) * self.handling)

    @property
    def _taking(self) -> int:
        return 0 if settings.routing == "auto" else TAKING_SECONDS


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
        still=await _still(session, group, recent[0].claimed_at if recent else None),
    )


async def _still(session: AsyncSession, group: str, last_claim: datetime | None) -> float:
    """Return for how many seconds somebody has waited in the group's line while nobody was taken."""
    waits_since = await session.scalar(
        select(func.min(Handoff.created_at)).where(Handoff.group_name == group, Handoff.state == State.WAITING)
    )
    if waits_since is None:
        return 0.0
    return max(0.0, (now() - max(waits_since, last_claim or waits_since)).total_seconds())


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
