"""The waiting line over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request

from handoff.agents.models import Agent
from handoff.agents.rights import oversees, require_desk_role
from handoff.conversations.schemas import NO_NUL, conversation_view
from handoff.conversations.service import Conversations
from handoff.desk import desk
from handoff.errors import ApiError, caller_language
from handoff.principals import Colleague, limited
from handoff.queue.claims import claim as take
from handoff.queue.service import Queue, handoff_view, ranked

router = APIRouter(prefix="/v1", tags=["queue"])


@router.get("/queue")
async def line(
    request: Request, caller: Colleague, group: Annotated[str | None, Query(max_length=60, pattern=NO_NUL)] = None
) -> dict[str, Any]:
    """Return who waits, in the order in which they will be served."""
    return {"items": await waiting_line(caller.agent, group, caller_language(request))}


async def waiting_line(agent: Agent, group: str | None, language: str) -> list[dict[str, Any]]:
    """Return the waiting handoffs that this person may see: own groups, or all for overseers; 403 for another group."""
    require_desk_role(agent)
    groups = None if oversees(agent) else agent.group_names
    if group is not None:
        if groups is not None and group not in groups:
            raise ApiError(403, "forbidden")
        groups = {group}
    async with desk.database.read() as session:
        return [
            handoff_view(handoff, position, language) for handoff, position in ranked(await Queue(session).line(groups))
        ]


@router.post("/handoffs/{id}/claim", dependencies=[limited("acts")])
async def claim(id: str, caller: Colleague) -> dict[str, Any]:
    """Take a waiting conversation; of several people exactly one gets it."""
    require_desk_role(caller.agent)
    conversation_id = await take(id, caller.agent)
    async with desk.database.read() as session:
        return conversation_view(await Conversations(session).get(conversation_id))
