"""Claims: who takes a waiting conversation. One claim wins, and nobody goes over capacity, with any number of workers.

Bare statements in one transaction, because many people press the same button at the same moment. The conversation is
locked first and the agent second, as everywhere; what an agent holds is counted while both are.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from handoff.agents.models import Agent, AgentGroup, Presence, Role
from handoff.clock import now
from handoff.conversations.models import QUEUE, Conversation, Message, OwnershipEvent, Sender
from handoff.conversations.ownership import Change, change_of
from handoff.conversations.service import tell_stored
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.locales import both, text
from handoff.queue.models import OPEN_STATES, Handoff, State

_CLAIM = (
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
        Agent.name,
        Agent.role,
        select(AgentGroup.agent_id)
        .where(AgentGroup.agent_id == Agent.id, AgentGroup.group_name == Handoff.group_name)
        .exists()
        .label("serves"),
    )
    .join(Conversation, Conversation.id == Handoff.conversation_id)
    .join(Agent, Agent.id == bindparam("agent"))
    .where(Handoff.id == bindparam("handoff"))
    .with_for_update(of=Conversation)
)
_WINNER = select(Agent.name).join(Handoff, Handoff.claimed_by == Agent.id).where(Handoff.id == bindparam("handoff"))
_SEAT = select(Agent.status, Agent.capacity).where(Agent.id == bindparam("agent")).with_for_update()
_HELD = select(func.count()).select_from(Conversation).where(Conversation.owner == bindparam("owner"))
_LEAVE_LINE = (
    update(Handoff)
    .where(Handoff.id == bindparam("handoff"), Handoff.state.in_(OPEN_STATES))
    .values(state=State.CLAIMED, claimed_by=bindparam("agent"), claimed_at=bindparam("moment"))
)
_CLOSE_BUTTONS = (
    update(Message)
    .where(Message.conversation_id == bindparam("conversation"), Message.buttons_open)
    .values(buttons_open=False)
)
_AUDIT = insert(OwnershipEvent)
_SAY = insert(Message)


async def claim(handoff_id: str, agent_id: str) -> str:
    """Give a waiting conversation to this person and greet the customer; returns the conversation's id.

    Raises 404, 403 for another group's, 409 `already_claimed` (details say who), `on_break`, `offline`, `at_capacity`.
    """
    found, change, greeting = await desk.database.transact(lambda connection: _take(connection, handoff_id, agent_id))
    await change.tell()
    await tell_stored(Message(**greeting), None, change.standing, change.values["updated_at"])
    await desk.hub.publish("queue", None, group=found.line)
    return str(found.id)


def _take(connection: Connection, handoff_id: str, agent_id: str) -> tuple[Any, Change, dict[str, Any]]:
    found: Any = connection.execute(_CLAIM, {"handoff": handoff_id, "agent": agent_id}).one_or_none()
    if found is None:
        raise ApiError(404, "not_found")
    if found.role == Role.AGENT and not found.serves:
        raise ApiError(403, "forbidden")
    if found.state not in OPEN_STATES or found.owner != QUEUE:
        raise _already_claimed(connection, handoff_id)
    owner = f"agent:{agent_id}"
    _sit_down(connection, agent_id, owner, found.role)
    moment = now()
    taken = connection.execute(_LEAVE_LINE, {"handoff": handoff_id, "agent": agent_id, "moment": moment})
    if taken.rowcount != 1:  # it left the line while its conversation was waited for
        raise _already_claimed(connection, handoff_id)
    connection.execute(_CLOSE_BUTTONS, {"conversation": found.id})
    change = change_of(cast(Row[Any], found), owner, by=owner, reason="claimed")
    greeting = _greeting(found, moment)
    connection.execute(_AUDIT, change.audit)
    connection.execute(_SAY, greeting)
    moved = {**change.values, "last_seq": greeting["seq"]}
    connection.execute(update(Conversation).where(Conversation.id == found.id).values(moved))
    return found, change, greeting


def _sit_down(connection: Connection, agent_id: str, owner: str, role: str) -> None:
    """Make sure that one more conversation fits; 409 `on_break`, `offline`, `at_capacity`."""
    seat = connection.execute(_SEAT, {"agent": agent_id}).one()
    if seat.status != Presence.ONLINE and role == Role.AGENT:
        raise ApiError(409, "on_break" if seat.status == Presence.BREAK else "offline")
    if (connection.execute(_HELD, {"owner": owner}).scalar() or 0) >= seat.capacity:
        raise ApiError(409, "at_capacity", {"capacity": seat.capacity}, capacity=seat.capacity)


def _greeting(found: Any, moment: datetime) -> dict[str, Any]:
    """Return the message that tells the customer who is with them now."""
    language = found.language or found.spoken_language or "zh"
    return {
        "conversation_id": found.id,
        "seq": found.last_seq + 1,
        "sender": Sender.SYSTEM,
        "sender_name": text("desk.system", language),
        "text": text("queue.joined", language, name=found.name),
        "buttons_open": False,
        "created_at": moment,
    }


def _already_claimed(connection: Connection, handoff_id: str) -> ApiError:
    """Return the refusal of who came too late; it says who was faster, where somebody was."""
    winner = connection.execute(_WINNER, {"handoff": handoff_id}).scalar()
    return ApiError(409, "already_claimed", {"by": winner}, name=winner or both("desk.somebody"))
