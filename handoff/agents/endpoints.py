"""Logging in and out, and presence."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, StringConstraints
from sqlalchemy import select

from handoff.agents.groups import GroupSettings, group_view, save_group
from handoff.agents.models import Agent, Group, Presence
from handoff.agents.rights import require_overseer
from handoff.agents.service import Agents, agent_view, authenticate, give_back
from handoff.desk import desk
from handoff.limits import address_of
from handoff.principals import Colleague, limited
from handoff.queue.models import Reason

router = APIRouter(prefix="/v1", tags=["agents"])


class Login(BaseModel):
    """Body of `login`."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class PresenceBody(BaseModel):
    """Body of `presence`."""

    status: Presence
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = None


@router.post("/agents/login")
async def login(body: Login, request: Request) -> dict[str, Any]:
    """Log in with name and password."""
    agent, token = await authenticate(body.name, body.password, address_of(request.scope))
    return {"token": token, "agent": agent_view(agent)}


@router.post("/agents/logout", dependencies=[limited("acts")])
async def logout(caller: Colleague) -> dict[str, Any]:
    """End this login; with the last one, whoever is on duty goes offline."""
    async with desk.database.write() as session:
        last = not await Agents(session).log_out(caller.agent.id, caller.token)
    if last:
        await change_presence(caller.agent.id, Presence.OFFLINE, None)
    return {}


@router.get("/agents/me")
async def me(caller: Colleague) -> dict[str, Any]:
    """Return the caller's own account."""
    return agent_view(caller.agent)


@router.get("/agents")
async def colleagues(caller: Colleague) -> dict[str, Any]:
    """Return who works here, with presence, for transfers."""
    async with desk.database.read() as session:
        agents = await session.scalars(select(Agent).order_by(Agent.name))
        groups = await session.scalars(select(Group).order_by(Group.name))
        return {
            "items": [agent_view(agent) for agent in agents],
            "groups": [{"name": group.name, "title": {"zh": group.title_zh, "en": group.title_en}} for group in groups],
        }


@router.get("/groups")
async def groups(caller: Colleague) -> dict[str, Any]:
    """Return the skill groups with their opening hours."""
    async with desk.database.read() as session:
        rows = await session.scalars(select(Group).order_by(Group.name))
        return {"items": [group_view(group) for group in rows]}


@router.put("/groups/{name}", dependencies=[limited("acts")])
async def set_group(
    name: Annotated[str, Path(pattern="^[a-z][a-z0-9_-]{0,59}$")], body: GroupSettings, caller: Colleague
) -> dict[str, Any]:
    """Make or change a skill group: titles, time zone, weekly hours (overseers)."""
    require_overseer(caller.agent)
    async with desk.database.write() as session:
        return group_view(await save_group(session, name, body))


@router.put("/agents/me/presence", dependencies=[limited("acts")])
async def set_presence(body: PresenceBody, caller: Colleague) -> dict[str, Any]:
    """Go on duty, on a break, or off duty."""
    return agent_view(await change_presence(caller.agent.id, body.status, body.reason))


async def change_presence(agent_id: str, status: Presence, reason: str | None) -> Agent:
    """Change presence; a break or the end of duty puts this person's conversations first in line."""
    async with desk.database.write() as session:
        agent = await session.get_one(Agent, agent_id)
        await Agents(session).set_presence(agent, status, reason)
    if status != Presence.ONLINE:
        # Only now: a claim that won before the change is seen, and one after it is refused.
        back = Reason.AGENT_BREAK if status == Presence.BREAK else Reason.AGENT_GONE
        await give_back(agent, back, by=agent.owner_key)
    return agent
