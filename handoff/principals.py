"""Who calls: a customer with the conversation's own token, or a person at work with a login."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.agents.models import Agent
from handoff.agents.service import Agents, sign_of_life
from handoff.clock import now
from handoff.conversations.models import Conversation
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.identifiers import AGENT_TOKEN_PREFIX, CUSTOMER_TOKEN_PREFIX, hash_token
from handoff.limits import AGENT_SHARE, CONVERSATION_SHARES, Limit, address_of, share
from handoff.settings import settings

RENEW_EVERY = timedelta(hours=12)


@dataclass(frozen=True)
class CustomerCaller:
    """The holder of one conversation's token."""

    conversation_id: str
    language: str
    token: str


@dataclass(frozen=True)
class AgentCaller:
    """A logged-in person."""

    agent: Agent
    token: str


Caller = CustomerCaller | AgentCaller


async def identify(token: str) -> Caller:
    """Return who holds this bearer token; 401 `unauthenticated` for a wrong, expired or revoked one."""
    if token.startswith(CUSTOMER_TOKEN_PREFIX):
        return await _customer(token)
    if token.startswith(AGENT_TOKEN_PREFIX):
        async with desk.database.read() as session:
            agent = await Agents(session).by_token(token)
        if agent is not None:
            await sign_of_life(agent)
            return AgentCaller(agent, token)
    raise ApiError(401, "unauthenticated")


async def _customer(token: str) -> CustomerCaller:
    async with desk.database.read() as session:
        conversation = await _by_token(session, token)
    if conversation is None or not conversation.opens_to(hash_token(token), now()):
        raise ApiError(401, "unauthenticated")
    life = timedelta(days=settings.customer_token_days)
    if conversation.token_expires_at < now() + life - RENEW_EVERY:
        async with desk.database.write() as session:
            renewed = await _by_token(session, token)
            if renewed is not None:
                renewed.token_expires_at = now() + life
    return CustomerCaller(conversation.id, conversation.reading_language, token)


async def _by_token(session: AsyncSession, token: str) -> Conversation | None:
    return await session.scalar(select(Conversation).where(Conversation.token_hash == hash_token(token)))


async def known(token: str, address: str) -> Caller:
    """Return who holds the token as `identify` does; 429 for an address from which too many wrong ones came."""
    try:
        found = await identify(token)
    except ApiError:
        desk.limits.address("failures", address)
        raise
    if isinstance(found, CustomerCaller):
        desk.networks.note(found.conversation_id, address)
    return found


def count(kind: str, found: Caller) -> None:
    """Count one call of this kind by its caller; raises 429 `too_many_requests`."""
    if isinstance(found, CustomerCaller):
        desk.limits.conversation(kind, found.conversation_id)
    else:
        desk.limits.agent(kind, found.agent.id)


async def caller(request: Request) -> Caller:
    """Dependency: the caller of this request."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ApiError(401, "unauthenticated")
    found = await known(token.strip(), address_of(request.scope))
    count("calls", found)
    if isinstance(found, CustomerCaller) and "accept-language" not in request.headers:
        request.state.language = found.language
    return found


async def agent_caller(found: Annotated[Caller, Depends(caller)]) -> AgentCaller:
    """Dependency: a person at work; customers get 403."""
    if not isinstance(found, AgentCaller):
        raise ApiError(403, "forbidden")
    return found


def in_time(kind: str, found: Caller) -> bool:
    """Count a call that nobody waits for; False when it is one too many and should be forgotten."""
    try:
        count(kind, found)
    except ApiError:
        return False
    return True


def at_once(kind: str, found: Caller) -> Limit:
    """Return how many of this kind a caller may have under way at once."""
    part = CONVERSATION_SHARES[kind] * (1 if isinstance(found, CustomerCaller) else AGENT_SHARE)
    return share(settings.limit_messages, part)


def limited(kind: str) -> Any:
    """Return a route's dependency: each call counts as one of this kind (see `handoff.limits`)."""

    async def counted(found: Annotated[Caller, Depends(caller)]) -> None:
        count(kind, found)

    return Depends(counted)


async def customer_caller(id: str, found: Annotated[Caller, Depends(caller)]) -> CustomerCaller:
    """Dependency: the customer of the conversation in the path; everybody else gets 403."""
    if not isinstance(found, CustomerCaller) or found.conversation_id != id:
        raise ApiError(403, "forbidden")
    return found


AnyCaller = Annotated[Caller, Depends(caller)]
Colleague = Annotated[AgentCaller, Depends(agent_caller)]
OwnCustomer = Annotated[CustomerCaller, Depends(customer_caller)]
