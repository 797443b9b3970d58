"""What must hold in the database and on the disk whatever was sent: nothing is stored half."""

from __future__ import annotations

from sqlalchemy import func, select

from handoff.attachments.models import Attachment
from handoff.attachments.service import path_of
from handoff.conversations.models import AGENT_PREFIX, QUEUE, Conversation, Message, Sender
from handoff.desk import desk
from handoff.queue.models import OPEN_STATES, Handoff
from handoff.settings import settings


async def assert_nothing_is_half() -> int:
    """Check every conversation, message, handoff and file; returns how many messages there are."""
    async with desk.database.read() as session:
        conversations = list(await session.scalars(select(Conversation)))
        messages = list(await session.scalars(select(Message).order_by(Message.conversation_id, Message.seq)))
        waiting = {
            conversation: count
            for conversation, count in await session.execute(
                select(Handoff.conversation_id, func.count())
                .where(Handoff.state.in_(OPEN_STATES))
                .group_by(Handoff.conversation_id)
            )
        }
        attachments = list(await session.scalars(select(Attachment)))
    said: dict[str, list[Message]] = {}
    for message in messages:
        said.setdefault(message.conversation_id, []).append(message)
    for one in conversations:
        own = said.get(one.id, [])
        assert [message.seq for message in own] == list(range(1, one.last_seq + 1)), one.id
        by_customer = [message.seq for message in own if message.sender == Sender.CUSTOMER]
        assert one.last_customer_seq == max(by_customer, default=0), one.id
        assert 0 <= one.answered_seq <= one.last_seq and one.agent_read_seq <= one.last_seq
        assert waiting.get(one.id, 0) == (1 if one.owner == QUEUE else 0), (one.id, one.owner)
        assert one.owner in {"bot", "queue", "closed"} or one.owner.startswith(AGENT_PREFIX)
    linked = {message.attachment_id for message in messages if message.attachment_id}
    assert linked == {attachment.id for attachment in attachments}
    kept = {path for path in settings.attachments_folder.rglob("*") if path.is_file()}
    assert kept == {path_of(attachment) for attachment in attachments}
    return len(messages)
