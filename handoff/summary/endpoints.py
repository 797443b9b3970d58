"""The context summary over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from handoff.conversations.endpoints import visible
from handoff.conversations.schemas import LanguageCode
from handoff.customers.models import Customer
from handoff.desk import desk
from handoff.principals import Colleague, limited
from handoff.summary.polish import polish
from handoff.summary.service import Summaries

router = APIRouter(prefix="/v1", tags=["summary"])


@router.get("/conversations/{id}/summary")
async def summary(id: str, caller: Colleague, language: LanguageCode | None = None) -> dict[str, Any]:
    """Return what a person must know before the first word; in the customer's language unless another is asked for."""
    async with desk.database.read() as session:
        conversation = await visible(session, id, caller)
        return await Summaries(session).summary(conversation, language or conversation.reading_language)


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
