"""The context summary over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from handoff.conversations.endpoints import visible
from handoff.conversations.schemas import LanguageCode
from handoff.desk import desk
from handoff.principals import Colleague
from handoff.summary.service import Summaries

router = APIRouter(prefix="/v1", tags=["summary"])


@router.get("/conversations/{id}/summary")
async def summary(id: str, caller: Colleague, language: LanguageCode | None = None) -> dict[str, Any]:
    """Return what a person must know before the first word; in the customer's language unless another is asked for."""
    async with desk.database.read() as session:
        conversation = await visible(session, id, caller)
        return await Summaries(session).summary(conversation, language or conversation.reading_language)
