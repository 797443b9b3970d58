"""An existing Rasa integration, as the tests of both channels use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import select

from handoff.conversations.models import Conversation, Message
from handoff.desk import desk

TOKEN = "integration-token-of-the-tests"
PATH = "/webhooks/rest/webhook"


@dataclass
class Integration:
    """A program that speaks Rasa's REST channel."""

    http: httpx.AsyncClient

    async def call(self, sender: str, message: str, **more: Any) -> httpx.Response:
        """Post one message."""
        body = {"sender": sender, "message": message, **more}
        return await self.http.post(PATH, json=body, headers={"Authorization": f"Bearer {TOKEN}"})

    async def say(self, sender: str, message: str, **more: Any) -> list[dict[str, Any]]:
        """Post one message and return what the desk answers."""
        response = await self.call(sender, message, **more)
        assert response.status_code == 200, response.text
        answer: list[dict[str, Any]] = response.json()
        return answer


async def conversation_of(sender: str) -> Conversation:
    """Return the conversation behind an integration's sender."""
    async with desk.database.read() as session:
        found = await session.scalar(select(Conversation).where(Conversation.external_sender == sender))
    assert found is not None
    return found


async def stored(conversation_id: str) -> list[tuple[str, str, str | None]]:
    """Return sender, text and payload of every message."""
    async with desk.database.read() as session:
        rows = await session.scalars(
            select(Message).where(Message.conversation_id == conversation_id).order_by(Message.seq)
        )
        return [(row.sender, row.text, row.payload) for row in rows]
