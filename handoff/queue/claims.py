"""Claims: who takes a waiting conversation. One claim wins, and nobody goes over capacity, with any number of workers.

Prepared statements in one transaction, because many people press the same button at the same moment. The conversation
is locked first and the agent second, as everywhere; what an agent holds is counted while both are. A handoff that has
left the line never comes back to it, so that who comes too late need not wait for a transaction to hear it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from handoff.agents.models import Agent, Presence
from handoff.agents.rights import oversees, serves
from handoff.clock import now
from handoff.conversations.models import QUEUE, Conversation, Message, OwnershipEvent, Sender, StoredMessage
from handoff.conversations.ownership import Change, change_of
from handoff.conversations.service import tell_stored
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.locales import text
from handoff.queue.models import OPEN_STATES, Handoff, State
from handoff.statements import Line, Prepared, all_but_id

REMEMBERED = 10_000

_mine = aliased(Conversation)
_CAPACITY = select(Agent.capacity).where(Agent.id == bindparam("agent")).scalar_subquery()
_HOLDS = select(func.count()).select_from(_mine).where(_mine.owner == bindparam("owner")).scalar_subquery()
_WAITING = Prepared(
    select(
        Handoff.state,
        Handoff.group_name.label("line"),
        Conversation.id,
        Conversation.owner,
        Conversation.version,
        Conversation.group_name,
        Conversation.last_seq,
        Conversation.last_customer_seq,
        Conversation.last_agent_id,
        Conversation.language,
        Conversation.spoken_language,
        Conversation.updated_at,
        _CAPACITY.label("capacity"),
        _HOLDS.label("held"),
    )
    .join(Conversation, Conversation.id == Handoff.conversation_id)
    .where(Handoff.id == bindparam("handoff"))
    .with_for_update(of=Conversation)
)
_WINNER = Prepared(
    select(Agent.name).join(Handoff, Handoff.claimed_by == Agent.id).where(Handoff.id == bindparam("handoff"))
)
_SEAT = Prepared(select(Agent.status, Agent.capacity).where(Agent.id == bindparam("agent")).with_for_update())
_HELD = Prepared(
    select(func.count().label("conversations"))
    .select_from(Conversation)
    .where(Conversation.owner == bindparam("owner"))
)
_LEAVE_LINE = Prepared(
    update(Handoff)
    .where(Handoff.id == bindparam("handoff"), or_(*(Handoff.state == state for state in OPEN_STATES)))
    .values(state=State.CLAIMED, claimed_by=bindparam("agent"), claimed_at=bindparam("moment"))
)
_CLOSE_BUTTONS = Prepared(
    update(Message)
    .where(Message.conversation_id == bindparam("conversation"), Message.buttons_open)
    .values(buttons_open=False)
)
_AUDIT = Prepared(insert(OwnershipEvent).values(all_but_id(OwnershipEvent)).inline())
_SAY = Prepared(insert(Message).values(all_but_id(Message)).returning(Message.id))
_MOVED = ("owner", "version", "updated_at", "concern", "turn_until", "last_agent_id", "answered_seq", "last_seq")
_MOVE = Prepared(
    update(Conversation)
    .where(Conversation.id == bindparam("conversation"))
    .values({name: bindparam(f"new_{name}") for name in _MOVED})
)


@dataclass(frozen=True)
class Gone:
    """A handoff that has left the line: whose it was, and who took it, where somebody did."""

    group: str
    winner: str | None


_gone: OrderedDict[str, Gone] = OrderedDict()


async def claim(handoff_id: str, agent: Agent) -> str:
    """Give a waiting conversation to this person and greet the customer; returns the conversation's id.

    Raises 404, 403 for another group's, 409 `already_claimed` (details say who), `on_break`, `offline`, `at_capacity`.
    """
    if (gone := _gone.get(handoff_id)) is not None:
        _require_group(agent, gone.group)
        raise _already_claimed(gone)
    found, change, greeting = await desk.database.transact(lambda line: _take(line, handoff_id, agent))
    _remember(handoff_id, Gone(found.line, agent.name))
    await change.tell()
    await tell_stored(greeting, None, change.standing, change.values["updated_at"])
    await desk.hub.publish("queue", None, group=found.line)
    return str(found.id)


def _take(line: Line, handoff_id: str, agent: Agent) -> tuple[Any, Change, StoredMessage]:
    found = _WAITING.row(line, handoff=handoff_id, agent=agent.id, owner=agent.owner_key)
    if found is None:
        raise ApiError(404, "not_found")
    _require_group(agent, found.line)
    if found.state not in OPEN_STATES or found.owner != QUEUE:
        raise _too_late(line, handoff_id, found)
    if found.held >= found.capacity:  # most who are refused are seen here, before their own row is locked
        raise _full(found.capacity)
    _sit_down(line, agent)
    moment = now()
    if _LEAVE_LINE.run(line, handoff=handoff_id, agent=agent.id, moment=moment) != 1:
        raise _too_late(line, handoff_id, found)  # it left the line while its conversation was waited for
    _CLOSE_BUTTONS.run_later(line, conversation=found.id)
    change = change_of(found, agent.owner_key, by=agent.owner_key, reason="claimed")
    greeting = _greeting(found, agent, moment)
    _AUDIT.run_later(line, **change.audit)
    stored = StoredMessage(id=_SAY.row(line, **greeting).id, **greeting)
    moved = {**change.values, "last_seq": stored.seq}
    _MOVE.run_later(line, conversation=found.id, **{f"new_{name}": moved[name] for name in _MOVED})
    return found, change, stored


def _require_group(agent: Agent, group: str) -> None:
    if not oversees(agent) and not serves(agent, group):
        raise ApiError(403, "forbidden")


def _sit_down(line: Line, agent: Agent) -> None:
    """Make sure that one more conversation fits; 409 `on_break`, `offline`, `at_capacity`."""
    seat = _SEAT.row(line, agent=agent.id)
    if seat.status != Presence.ONLINE:
        raise ApiError(409, "on_break" if seat.status == Presence.BREAK else "offline")
    if _HELD.row(line, owner=agent.owner_key).conversations >= seat.capacity:
        raise _full(seat.capacity)


def _full(capacity: int) -> ApiError:
    return ApiError(409, "at_capacity", {"capacity": capacity}, capacity=capacity)


def _greeting(found: Any, agent: Agent, moment: datetime) -> dict[str, Any]:
    """Return the message that tells the customer who is with them now."""
    language = found.language or found.spoken_language or "zh"
    return {
        "conversation_id": found.id,
        "seq": found.last_seq + 1,
        "sender": Sender.SYSTEM,
        "sender_id": None,
        "sender_name": text("desk.system", language),
        "text": text("queue.joined", language, name=agent.name),
        "payload": None,
        "buttons": None,
        "buttons_open": False,
        "attachment_id": None,
        "client_id": None,
        "content_hash": None,
        "nlu": None,
        "created_at": moment,
    }


def _too_late(line: Line, handoff_id: str, found: Any) -> ApiError:
    """Return the refusal of who came too late; it says who was faster, where somebody was."""
    winner = _WINNER.row(line, handoff=handoff_id)
    gone = Gone(found.line, winner.name if winner else None)
    if found.state not in OPEN_STATES:
        _remember(handoff_id, gone)
    return _already_claimed(gone)


def _remember(handoff_id: str, gone: Gone) -> None:
    """Keep what never changes again, of the last `REMEMBERED` handoffs."""
    _gone[handoff_id] = gone
    if len(_gone) > REMEMBERED:
        _gone.popitem(last=False)


def _already_claimed(gone: Gone) -> ApiError:
    wording = None if gone.winner else "no_longer_waiting"
    return ApiError(409, "already_claimed", {"by": gone.winner}, wording=wording, name=gone.winner or "")
