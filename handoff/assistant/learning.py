"""Keeping what the bot understood: each message's meaning and mood, facts, the language, how well the talk goes."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handoff.assistant.client import Answer, Understanding, Whisper
from handoff.assistant.concern import concern_of
from handoff.assistant.topics import with_topic
from handoff.conversations.models import BOT, Conversation, Message
from handoff.summary.service import Summaries


async def learn(session: AsyncSession, conversation: Conversation, answer: Answer | Whisper, seqs: list[int]) -> None:
    """Keep what an answer says of the messages `seqs` of a locked conversation."""
    if isinstance(answer, Answer) and answer.language:
        conversation.spoken_language = answer.language
    await Summaries(session).learn(conversation, answer.facts, answer.tried)
    if answer.nlu:
        await _annotate(session, conversation, answer.nlu, seqs)
    if conversation.owner == BOT and isinstance(answer, Answer):
        await concern_of(session, conversation)


async def _annotate(
    session: AsyncSession, conversation: Conversation, nlu: list[Understanding], seqs: list[int]
) -> None:
    understood = dict(zip(seqs, nlu, strict=False))
    messages = await session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation.id, Message.seq.in_(understood))
        .order_by(Message.seq)
    )
    for message in messages:
        message.nlu = await with_topic(session, message, understood[message.seq].model_dump())
    await session.flush()
