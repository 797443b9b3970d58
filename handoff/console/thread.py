"""One conversation as the console shows it: head, messages, notes, and what this person may do with it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent
from handoff.agents.rights import needs_intervention, oversees, owns, serves
from handoff.console.rows import display_name
from handoff.conversations.endpoints import visible
from handoff.conversations.models import BOT, CLOSED, QUEUE, Conversation
from handoff.conversations.schemas import conversation_view, message_view, note_view
from handoff.conversations.service import Conversations
from handoff.conversations.work import Work
from handoff.customers.models import Customer
from handoff.desk import desk
from handoff.principals import AgentCaller
from handoff.queue.models import OPEN_STATES

FIRST = 200
UNDERSTOOD_AGAIN = 20


async def whole(caller: AgentCaller, conversation_id: str, language: str) -> dict[str, Any]:
    """Return the head, the last messages and all notes; 403 or 404 as the API would."""
    async with desk.database.read() as session:
        conversation = await visible(session, conversation_id, caller)
        rows = await Conversations(session).page(conversation, max(0, conversation.last_seq - FIRST))
        return {
            **await _around(session, caller.agent, conversation, language),
            "messages": [message_view(message, attachment, for_agent=True) for message, attachment in rows],
        }


async def newer(caller: AgentCaller, conversation_id: str, after: int) -> dict[str, Any]:
    """Return the messages above `after`, and how far both sides have read."""
    async with desk.database.read() as session:
        conversation = await visible(session, conversation_id, caller)
        rows = await Conversations(session).page(conversation, max(0, after))
        return {
            "id": conversation.id,
            "messages": [message_view(message, attachment, for_agent=True) for message, attachment in rows],
            "read": read_view(conversation.customer_read_seq, conversation.agent_read_seq),
        }


async def surroundings(caller: AgentCaller, conversation_id: str, language: str) -> dict[str, Any]:
    """Return the head and the notes."""
    async with desk.database.read() as session:
        conversation = await visible(session, conversation_id, caller)
        return await _around(session, caller.agent, conversation, language)


def read_view(customer: int, agent: int) -> dict[str, int]:
    """Return how far both sides have read, as the head has it."""
    return {"customer_read_seq": customer, "agent_read_seq": agent}


async def stretch(caller: AgentCaller, conversation_id: str, first: int, last: int) -> list[dict[str, Any]]:
    """Return the messages from `first` to `last`, for scrolling back and for addresses that ran out."""
    async with desk.database.read() as session:
        conversation = await visible(session, conversation_id, caller)
        rows = await Conversations(session).page(conversation, max(0, first - 1), max(1, last - first + 1))
        return [message_view(message, attachment, for_agent=True) for message, attachment in rows]


async def _around(
    session: AsyncSession, agent: Agent, conversation: Conversation, language: str
) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "head": await _head(session, agent, conversation, language),
        "notes": [note_view(note) for note in await Work(session, agent).notes(conversation)],
    }


async def _head(session: AsyncSession, agent: Agent, conversation: Conversation, language: str) -> dict[str, Any]:
    surroundings = await Work(session, agent).surroundings(conversation)
    customer = await session.get_one(Customer, conversation.customer_id)
    handoff = surroundings["handoff"]
    waiting = handoff is not None and handoff["state"] in OPEN_STATES
    return {
        **conversation_view(conversation),
        "customer": display_name(customer.name, conversation.id, language),
        "customer_name": customer.name,
        "known": customer.external_id is not None,
        "owner_name": await owner_name(session, conversation),
        "handoff": handoff,
        "rating": surroundings["rating"],
        "earlier": surroundings["earlier"],
        "may": may(agent, conversation, waiting=waiting),
    }


def may(agent: Agent, conversation: Conversation, *, waiting: bool) -> dict[str, bool]:
    """Return which buttons make sense; the services decide again when one is pressed."""
    own, open_ = owns(agent, conversation), conversation.owner != CLOSED
    in_line = conversation.owner == QUEUE and waiting
    concerned = needs_intervention(conversation) and serves(agent, conversation.group_name)
    return {
        "say": own,
        "claim": in_line,
        "take_over": open_ and not own and not in_line and (concerned or oversees(agent)),
        "manage": own or (oversees(agent) and open_ and conversation.owner != BOT),
        "release": conversation.agent_id is not None and (own or oversees(agent)),
    }


async def owner_name(session: AsyncSession, conversation: Conversation) -> str | None:
    """Return the name of the person who owns the conversation."""
    if conversation.agent_id is None:
        return None
    return await session.scalar(select(Agent.name).where(Agent.id == conversation.agent_id))


async def who_has_it(conversation_id: str) -> tuple[str, str | None]:
    """Return the owner and, for a person, the name: told to whoever just lost sight of the conversation."""
    async with desk.database.read() as session:
        conversation = await Conversations(session).get(conversation_id)
        return conversation.owner, await owner_name(session, conversation)
