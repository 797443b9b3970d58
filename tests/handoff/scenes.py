"""Conversations in every state, made by the desk's own services."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from handoff.agents.models import Agent
from handoff.attachments.models import Attachment
from handoff.attachments.service import kept_if_stored, signed_url
from handoff.clock import now
from handoff.conversations.models import Conversation
from handoff.conversations.service import Conversations, Said
from handoff.conversations.work import Work
from handoff.customers.service import Customers
from handoff.desk import desk
from handoff.promises.service import Promises
from handoff.queue.claims import claim
from handoff.queue.models import Reason
from handoff.queue.service import Queue
from tests.handoff.pictures import PNG

SITUATIONS = ("bot", "concern", "waiting", "owned", "closed")


@dataclass
class Scene:
    """A conversation of the group `tech` in one situation, with everything that a route may name."""

    id: str
    token: str
    handoff: str = ""
    promise: int = 0
    file: str = ""


async def scene(situation: str, owner_id: str) -> Scene:
    """Make a conversation; `owner_id` is who owns, or owned, it where the situation has an owner."""
    made, conversation_id = await _start()
    async with desk.database.write() as session:
        conversation = await Conversations(session).get(conversation_id, lock=True)
        if situation == "concern":
            conversation.concern = 80
        elif situation != "bot":
            handoff = await Queue(session).enqueue(conversation, Reason.ASKED_FOR_PERSON, by="customer")
            made.handoff = handoff.id
    if situation not in {"bot", "concern", "waiting"}:
        async with desk.database.read() as session:
            owner = await session.get_one(Agent, owner_id)
        await claim(made.handoff, owner)
        await _work_on(made, conversation_id, owner_id, close=situation == "closed")
    return made


async def _work_on(made: Scene, conversation_id: str, owner_id: str, *, close: bool) -> None:
    async with desk.database.write() as session:
        conversation = await Conversations(session).get(conversation_id, lock=True)
        owner = await session.get_one(Agent, owner_id)
        promise = await Promises(session).give(conversation, owner, "明天回复", now() + timedelta(days=1))
        made.promise = promise.id
        if close:
            await Work(session, owner).resolve(conversation, "solved", None)


async def _start() -> tuple[Scene, str]:
    async with desk.database.write() as session:
        conversation, token = await Conversations(session).start(await Customers(session).anonymous(), "zh", {})
        conversation.group_name = "tech"
    async with kept_if_stored(conversation.id, "photo.png", PNG) as attachment:
        await _say_with_file(conversation, attachment)
    return Scene(conversation.id, token, file=signed_url(attachment)), conversation.id


async def _say_with_file(conversation: Conversation, attachment: Attachment) -> None:
    async with desk.database.write() as session:
        locked = await Conversations(session).get(conversation.id, lock=True)
        await Conversations(session).receive(
            locked.id, Said(uuid.uuid4().hex, "手环的步数一直是 0", attachment=attachment, file_hash="photo")
        )
        locked.answered_seq = locked.last_seq
