"""The waiting line: who waits, at which rank, how long still, and who takes whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from handoff import metrics
from handoff.agents.models import Agent, Group, Presence
from handoff.clock import iso, now
from handoff.conversations.models import BOT, CLOSED, QUEUE, Conversation, Sender
from handoff.conversations.ownership import change_owner
from handoff.conversations.service import CANCEL_HANDOFF, GAVE_UP, Conversations, held_by
from handoff.database import after_commit
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.identifiers import new_id
from handoff.locales import text
from handoff.privacy.masking import mask
from handoff.queue.announcement import announce
from handoff.queue.hours import opens_at
from handoff.queue.models import OPEN_STATES, PRIORITY, Handoff, Reason, State
from handoff.queue.pace import Pace, pace_of
from handoff.settings import settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Place:
    """Where a customer stands: rank in the group from 1, seconds to wait if known, when a closed group opens.

    `staffed`: somebody of the group is on duty.
    """

    position: int
    wait_seconds: int | None
    opens_at: datetime | None
    staffed: bool = True


class Queue:
    """The waiting line within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def request_person(self, conversation: Conversation) -> Handoff | None:
        """The customer asks for a person by button: a new handoff, or None when waiting; 409 `with_agent`."""
        if conversation.owner == QUEUE:
            return None
        if conversation.agent_id:
            raise ApiError(409, "with_agent")
        if conversation.owner == CLOSED:
            Conversations(self.session).reopen_with_bot(conversation, by="customer")
        return await self.enqueue(
            conversation,
            Reason.ASKED_FOR_PERSON,
            by="customer",
            evidence=[conversation.last_customer_seq] if conversation.last_customer_seq else [],
        )

    async def enqueue(
        self,
        conversation: Conversation,
        reason: Reason,
        *,
        by: str,
        evidence: list[int] | None = None,
        explanation: dict[str, Any] | None = None,
        priority: int | None = None,
        group: str | None = None,
        acknowledgement: str = "",
        note: str | None = None,
        flagged: bool = False,
    ) -> Handoff:
        """Put a locked conversation in line and tell the customer so, in the same transaction."""
        from handoff.summary.service import Summaries

        chosen = await self._group(group or conversation.group_name)
        # One after the other, or two customers would be told the same rank.
        await self.session.refresh(chosen, with_for_update={"key_share": True})
        conversation.group_name = chosen.name
        await Conversations(self.session).close_buttons(conversation)
        change_owner(self.session, conversation, QUEUE, by=by, reason=reason, note=note, flagged=flagged)
        closed_until = opens_at(chosen, now())
        briefing = await Summaries(self.session).briefing(conversation)
        handoff = Handoff(
            id=new_id("h"),
            conversation_id=conversation.id,
            reason=reason,
            priority=priority or await self._priority(conversation, reason),
            group_name=chosen.name,
            emotion=briefing.emotion,
            evidence=evidence or [],
            explanation=explanation,
            summary_line=briefing.headline,
            state=State.TICKET if closed_until else State.WAITING,
            arrival=(await self.session.scalar(select(func.max(Handoff.arrival))) or 0) + 1,
            created_at=now(),
            opens_at=closed_until,
        )
        self.session.add(handoff)
        await self.session.flush()
        place = await self.place(handoff)
        language = conversation.reading_language
        words = announce(reason, place, chosen, language, acknowledgement)
        button = {"title": text("queue.give_up", language), "payload": CANCEL_HANDOFF}
        await Conversations(self.session).append(
            conversation, Sender.SYSTEM, words, sender_name=text("desk.system", language), buttons=[button]
        )
        metrics.HANDOFFS.labels(str(reason)).inc()
        log.info(
            "handed_over",
            conversation=conversation.id,
            reason=str(reason),
            by=by,
            priority=handoff.priority,
            evidence=handoff.evidence,
            score=explanation["score"] if explanation else None,
            signals={one["name"]: one["weight"] for one in explanation["signals"]} if explanation else None,
        )
        self._tell(chosen.name)
        return handoff

    async def brief_again(self, conversation: Conversation) -> None:
        """Write line and mood of a waiting handoff anew: the customer has said more since."""
        from handoff.summary.service import Summaries

        handoff = await self.open_handoff(conversation.id)
        if handoff is None:
            return
        briefing = await Summaries(self.session).briefing(conversation)
        if (handoff.emotion, handoff.summary_line) != (briefing.emotion, briefing.headline):
            handoff.emotion, handoff.summary_line = briefing.emotion, briefing.headline
            self._tell(handoff.group_name)

    async def _priority(self, conversation: Conversation, reason: Reason) -> int:
        """Return the reason's priority; who is only passed on never falls behind the place they came with."""
        passed_on = reason in {Reason.TRANSFERRED, Reason.AGENT_GONE, Reason.AGENT_BREAK}
        before = await self.session.scalar(
            select(Handoff.priority)
            .where(Handoff.conversation_id == conversation.id)
            .order_by(Handoff.arrival.desc())
            .limit(1)
        )
        return min(PRIORITY[reason], before) if passed_on and before else PRIORITY[reason]

    async def _group(self, name: str | None) -> Group:
        group = await self.session.get(Group, name) if name else None
        return group if group is not None else await self.session.get_one(Group, settings.default_group)

    async def open_handoff(self, conversation_id: str) -> Handoff | None:
        """Return the handoff with which a conversation waits, if it does."""
        return await self.session.scalar(
            select(Handoff).where(Handoff.conversation_id == conversation_id, Handoff.state.in_(OPEN_STATES))
        )

    async def position(self, handoff: Handoff) -> int:
        """Return the true rank within the group, from 1."""
        ahead = await self.session.scalar(
            select(func.count())
            .select_from(Handoff)
            .where(Handoff.state.in_(OPEN_STATES), Handoff.group_name == handoff.group_name, _before(handoff))
        )
        return (ahead or 0) + 1

    async def place(self, handoff: Handoff) -> Place:
        """Return the true rank within the group and an honest estimate."""
        position = await self.position(handoff)
        if handoff.state == State.TICKET and handoff.opens_at:
            return Place(position, None, handoff.opens_at)
        first = await self.session.scalar(
            select(func.min(Handoff.created_at)).where(
                Handoff.state.in_(OPEN_STATES), Handoff.group_name == handoff.group_name, _before(handoff)
            )
        )
        return _in_line(position, await pace_of(self.session, handoff.group_name), first)

    async def places(self) -> dict[str, Place]:
        """Return the place of everybody who waits, by conversation, in one look at each line."""
        places: dict[str, Place] = {}
        paces: dict[str, Pace] = {}
        first: dict[str, datetime] = {}
        for handoff, position in ranked(await self.line(None)):
            group = handoff.group_name
            if handoff.state == State.TICKET and handoff.opens_at:
                places[handoff.conversation_id] = Place(position, None, handoff.opens_at)
                continue
            if group not in paces:
                paces[group] = await pace_of(self.session, group)
            places[handoff.conversation_id] = _in_line(position, paces[group], first.get(group))
            first[group] = min(handoff.created_at, first.get(group, handoff.created_at))
        return places

    async def line(self, groups: set[str] | None) -> list[tuple[Handoff, Conversation]]:
        """Return the open handoffs of `groups` (None: all) in the order in which they will be served."""
        query = (
            select(Handoff, Conversation)
            .join(Conversation, Conversation.id == Handoff.conversation_id)
            .where(Handoff.state.in_(OPEN_STATES))
            .order_by(Handoff.state.desc(), Handoff.priority, Handoff.arrival, Handoff.id)
        )
        if groups is not None:
            query = query.where(Handoff.group_name.in_(groups))
        return [(handoff, conversation) for handoff, conversation in await self.session.execute(query)]

    async def greet(self, conversation: Conversation, agent: Agent) -> None:
        """Tell the customer who is with them now."""
        language = conversation.reading_language
        await Conversations(self.session).append(
            conversation,
            Sender.SYSTEM,
            text("queue.joined", language, name=agent.name),
            sender_name=text("desk.system", language),
        )

    async def seat(self, agent: Agent, *, off_duty: bool = False) -> None:
        """Lock the agent and make sure that one more conversation fits; 409 `on_break`, `offline`, `at_capacity`.

        `off_duty`: also for who is not online, as overseers may step in at any time.
        """
        await self.session.refresh(agent, with_for_update=True)
        if agent.status != Presence.ONLINE and not off_duty:
            raise ApiError(409, "on_break" if agent.status == Presence.BREAK else "offline")
        if await held_by(self.session, agent) >= agent.capacity:
            raise ApiError(409, "at_capacity", {"capacity": agent.capacity}, capacity=agent.capacity)

    async def leave_line(self, conversation: Conversation, state: State, agent: Agent | None = None) -> None:
        """End the conversation's wait, if it waits; `agent` is who takes it."""
        handoff = await self.open_handoff(conversation.id)
        if handoff is None:
            return
        handoff.state = state
        if agent is not None:
            handoff.claimed_by, handoff.claimed_at = agent.id, now()
        else:
            handoff.ended_at = now()
        await self.session.flush()
        self._tell(handoff.group_name)

    async def give_up(self, conversation: Conversation) -> None:
        """The customer no longer waits; the bot answers what nobody has answered; 409 `not_waiting`."""
        if conversation.owner != QUEUE:
            raise ApiError(409, "not_waiting")
        await self.leave_line(conversation, State.ABANDONED)
        await Conversations(self.session).close_buttons(conversation)
        conversation.reset_pending = True
        change_owner(self.session, conversation, BOT, by="customer", reason=GAVE_UP)
        language = conversation.reading_language
        await Conversations(self.session).append(
            conversation, Sender.SYSTEM, text("queue.gave_up", language), sender_name=text("desk.system", language)
        )
        if not await Conversations(self.session).unanswered(conversation):
            conversation.answered_seq = conversation.last_customer_seq
            return
        conversation_id = conversation.id
        after_commit(self.session, lambda: desk.turns.kick(conversation_id))

    async def finish(self, conversation: Conversation) -> None:
        """Mark the handoff that the agent worked on as done."""
        await self.session.execute(
            update(Handoff)
            .where(Handoff.conversation_id == conversation.id, Handoff.state == State.CLAIMED)
            .values(state=State.DONE, ended_at=now())
        )

    async def open_groups(self) -> int:
        """Put tickets whose group has opened in line, follow changed hours; returns how many are in line now."""
        moved = 0
        holding = select(Handoff.group_name).where(Handoff.state == State.TICKET)
        for group in await self.session.scalars(select(Group).where(Group.name.in_(holding)).order_by(Group.name)):
            later = opens_at(group, now())
            # One conditional update: a claim that came first must not be undone.
            tickets = update(Handoff).where(Handoff.state == State.TICKET, Handoff.group_name == group.name)
            if later is None:
                tickets = tickets.values(state=State.WAITING, opens_at=None)
            else:
                tickets = tickets.where(Handoff.opens_at != later).values(opens_at=later)
            changed = len(list(await self.session.scalars(tickets.returning(Handoff.id))))
            moved += changed if later is None else 0
            if changed:
                self._tell(group.name)
        return moved

    def _tell(self, group: str) -> None:
        async def tell() -> None:
            await desk.hub.publish("queue", None, group=group)

        after_commit(self.session, tell)


def _in_line(position: int, pace: Pace, first: datetime | None) -> Place:
    """Return the place of who stands in an open line; `first` is when the first of those before them came."""
    waited = max(0.0, (now() - first).total_seconds()) if first else 0.0
    return Place(position, pace.wait(position, waited), None, pace.people > 0)


def _before(handoff: Handoff) -> ColumnElement[bool]:
    """Who is served before `handoff`: waiting before tickets, then priority, then arrival."""
    earlier = or_(
        Handoff.priority < handoff.priority,
        and_(Handoff.priority == handoff.priority, Handoff.arrival < handoff.arrival),
        and_(Handoff.priority == handoff.priority, Handoff.arrival == handoff.arrival, Handoff.id < handoff.id),
    )
    same_state = and_(Handoff.state == handoff.state, earlier)
    return or_(Handoff.state == State.WAITING, same_state) if handoff.state == State.TICKET else same_state


def ranked(line: Iterable[tuple[Handoff, Conversation]]) -> Iterator[tuple[Handoff, int]]:
    """Return the handoffs of a line, which comes in the order of serving, with their ranks within their groups."""
    ranks: Counter[str] = Counter()
    for handoff, _ in line:
        ranks[handoff.group_name] += 1
        yield handoff, ranks[handoff.group_name]


def handoff_view(handoff: Handoff, position: int, language: str) -> dict[str, Any]:
    """Return the contract's handoff."""
    end = handoff.claimed_at or handoff.ended_at or now()
    return {
        "id": handoff.id,
        "conversation_id": handoff.conversation_id,
        "reason": handoff.reason,
        "reason_text": text(f"queue.reason_{handoff.reason}", language),
        "priority": handoff.priority,
        "group": handoff.group_name,
        "emotion": handoff.emotion,
        "waiting_seconds": max(0, int((end - handoff.created_at).total_seconds())),
        "position": position,
        "summary_line": mask(handoff.summary_line.get(language) or handoff.summary_line.get("zh", ""), language),
        "created_at": iso(handoff.created_at),
        "opens_at": iso(handoff.opens_at),
        "state": handoff.state,
    }
