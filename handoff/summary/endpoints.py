"""The context summary over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from handoff.agents.models import Role
from handoff.conversations.endpoints import visible
from handoff.conversations.schemas import LanguageCode, Storable
from handoff.customers.models import Customer
from handoff.database import after_commit
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.principals import Colleague, limited
from handoff.summary.corrections import Part, for_designers
from handoff.summary.polish import polish
from handoff.summary.service import LineOfSummary, Summaries

router = APIRouter(prefix="/v1", tags=["summary"])


@router.get("/conversations/{id}/summary")
async def summary(id: str, caller: Colleague, language: LanguageCode | None = None) -> dict[str, Any]:
    """Return what a person must know before the first word; in the customer's language unless another is asked for."""
    async with desk.database.read() as session:
        conversation = await visible(session, id, caller)
        chosen = language or conversation.reading_language
        return await Summaries(session).summary(conversation, chosen, look_up=True)


@router.get("/conversations/{id}/summary/polished", dependencies=[limited("acts")])
async def polished(id: str, caller: Colleague, language: LanguageCode | None = None) -> dict[str, Any]:
    """Return what a language model offers of the summary's headline and replies; empty where none is configured."""
    async with desk.database.read() as session:
        conversation = await visible(session, id, caller)
        written = await Summaries(session).summary(conversation, language or conversation.reading_language)
        customer = await session.get_one(Customer, conversation.customer_id)
    return await polish(written, customer.name)


@router.get("/conversations/{id}/summary/closing")
async def closing(id: str, caller: Colleague, language: LanguageCode | None = None) -> dict[str, str]:
    """Return the closing note that the agent may confirm or change: problem, cause, solution, promises left."""
    async with desk.database.read() as session:
        conversation = await visible(session, id, caller)
        return {"note": await Summaries(session).closing(conversation, language or conversation.reading_language)}


RightValue = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), Storable]


class Wrong(BaseModel):
    """Body of `wrong`: which line of the summary, and for a fact its right value if it is known."""

    part: Part
    name: Annotated[str, StringConstraints(max_length=40)] | None = None
    seq: int | None = None
    said: Annotated[str, StringConstraints(min_length=1, max_length=4000), Storable]
    value: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), Storable] | None = (
        None
    )


@router.post("/conversations/{id}/summary/wrong", status_code=201, dependencies=[limited("acts")])
async def wrong(id: str, body: Wrong, caller: Colleague) -> dict[str, Any]:
    """Call a line of the summary wrong; returns the summary without it, and with the right value of a fact."""
    async with desk.database.write() as session:
        conversation = await visible(session, id, caller)
        line = LineOfSummary(body.said, body.seq, body.name)
        await Summaries(session).call_wrong(conversation, caller.agent, body.part, line, body.value)
        await session.flush()

        async def tell() -> None:
            await desk.hub.publish("summary", id)

        after_commit(session, tell)
        return await Summaries(session).summary(conversation, conversation.reading_language)


@router.get("/summary/corrections")
async def corrections(caller: Colleague, language: LanguageCode = "zh") -> dict[str, Any]:
    """Return what people at work called wrong, for designers: masked, the newest first."""
    if caller.agent.role == Role.AGENT:
        raise ApiError(403, "forbidden")
    async with desk.database.read() as session:
        return {"items": await for_designers(session, language)}
