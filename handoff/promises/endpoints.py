"""Promises over HTTP: for people at work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.rights import not_owner, owns, require_action
from handoff.clock import now
from handoff.conversations.endpoints import visible
from handoff.conversations.models import CLOSED, Conversation
from handoff.conversations.service import Conversations
from handoff.desk import desk
from handoff.errors import ApiError, caller_language
from handoff.principals import AgentCaller, Colleague, limited
from handoff.promises.models import Promise
from handoff.promises.schemas import GivePromise, promise_view
from handoff.promises.service import Promises, PromiseState

LONGEST_AHEAD = timedelta(days=366)
router = APIRouter(prefix="/v1", tags=["promises"])


@router.get("/conversations/{id}/promises")
async def promises(id: str, request: Request, caller: Colleague) -> dict[str, Any]:
    """Return what was promised in the conversation, open and settled."""
    language = caller_language(request)
    async with desk.database.read() as session:
        conversation = await visible(session, id, caller)
        return {"promises": [promise_view(promise, language) for promise in await Promises(session).of(conversation)]}


@router.post("/conversations/{id}/promises", status_code=201, dependencies=[limited("messages")])
async def give(id: str, body: GivePromise, request: Request, caller: Colleague) -> dict[str, Any]:
    """Store what the owner promised, which speaks to the customer; once it is overdue a person is reminded."""
    async with desk.database.write() as session:
        conversation = await _acted_on(session, id, caller)
        if conversation.owner == CLOSED:
            raise ApiError(409, "closed")
        if not owns(caller.agent, conversation):
            raise not_owner(caller.agent, conversation)
        if body.due_at <= now():
            raise ApiError(422, "due_in_the_past")
        if body.due_at > now() + LONGEST_AHEAD:
            raise ApiError(422, "due_too_far", {"days": LONGEST_AHEAD.days})
        promise = await Promises(session).give(conversation, caller.agent, body.text, body.due_at)
        return promise_view(promise, caller_language(request))


@router.post("/conversations/{id}/promises/{promise_id}/kept", dependencies=[limited("acts")])
async def kept(id: str, promise_id: int, request: Request, caller: Colleague) -> dict[str, Any]:
    """Mark a promise as kept; one that is settled already stays as it is, and the answer says how."""
    async with desk.database.write() as session:
        conversation = await _acted_on(session, id, caller)
        promise = await session.get(Promise, promise_id) if promise_id < 2**31 else None
        if promise is None or promise.conversation_id != conversation.id:
            raise ApiError(404, "not_found")
        await Promises(session).settle(conversation, promise, PromiseState.KEPT)
        return promise_view(promise, caller_language(request))


async def _acted_on(session: AsyncSession, id: str, caller: AgentCaller) -> Conversation:
    conversation = await Conversations(session).get(id, lock=True)
    require_action(caller.agent, conversation)
    return conversation
