"""The short way for the commonest thing of all: a customer's plain words in an open conversation.

Three statements that are made once, in one transaction, without the work of an ORM session. Buttons, files, closed
conversations and repeated sends take the general way, `Conversations.receive`; what both store is the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from handoff.clock import now
from handoff.conversations.language import spoken_language
from handoff.conversations.models import CLOSED, Conversation, Message, Sender, Standing, StoredMessage
from handoff.conversations.service import Said, count_message, follow_up, tell_stored
from handoff.customers.models import Customer
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.identifiers import hash_token
from handoff.locales import text
from handoff.settings import settings
from handoff.statements import Line, Prepared, all_but_id

_CONVERSATION = Prepared(
    select(
        Conversation.owner,
        Conversation.group_name,
        Conversation.concern,
        Conversation.last_agent_id,
        Conversation.last_seq,
        Conversation.language,
        Conversation.spoken_language,
        Conversation.updated_at,
        Conversation.token_hash,
        Conversation.token_revoked,
        Conversation.token_expires_at,
        Customer.id.label("customer_id"),
        Customer.name.label("customer_name"),
    )
    .join(Customer, Customer.id == Conversation.customer_id)
    .where(Conversation.id == bindparam("conversation"))
    .with_for_update(of=Conversation)
)
_KEYS = ["conversation_id", "sender_id", "client_id"]
_INSERTS = {
    name: Prepared(
        insert(Message)
        .values(all_but_id(Message))
        .on_conflict_do_nothing(index_elements=_KEYS)
        .returning(Message.id)
    )
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_MOVE_ON = Prepared(
    update(Conversation)
    .where(Conversation.id == bindparam("conversation"))
    .values(
        last_seq=bindparam("seq"),
        last_customer_seq=bindparam("seq"),
        updated_at=bindparam("moment"),
        spoken_language=bindparam("spoken"),
        token_expires_at=bindparam("expires"),
    )
)


async def receive_plain(conversation_id: str, token: str, said: Said) -> StoredMessage | None:
    """Store plain words; None when they must go the general way, and nothing is stored then.

    Raises 401 `unauthenticated` when the token is no longer good, 404, 429 as the general way does.
    """
    stored = await desk.database.transact(lambda line: _store(line, conversation_id, token, said))
    if stored is None:
        return None
    message, standing, quiet_since = stored
    await tell_stored(message, None, standing, quiet_since)
    await follow_up(message, standing.owner)
    return message


def _store(
    line: Line, conversation_id: str, token: str, said: Said
) -> tuple[StoredMessage, Standing, datetime] | None:
    found = _CONVERSATION.row(line, conversation=conversation_id)
    moment = now()
    if found is None:
        raise ApiError(404, "not_found")
    if found.token_hash != hash_token(token) or found.token_revoked or found.token_expires_at < moment:
        raise ApiError(401, "unauthenticated")
    if found.owner == CLOSED:
        return None
    row = _row(conversation_id, found, said, moment)
    stored = _INSERTS[line.dialect.name].row(line, **row)
    if stored is None:  # this client_id is known
        return None
    count_message(conversation_id)
    life = timedelta(days=settings.customer_token_days)
    _MOVE_ON.run_later(
        line,
        conversation=conversation_id,
        seq=row["seq"],
        moment=moment,
        spoken=spoken_language(said.text) or found.spoken_language,
        expires=moment + life,
    )
    standing = Standing(found.owner, found.group_name, found.concern, found.last_agent_id)
    return StoredMessage(id=stored.id, **row), standing, found.updated_at


def _row(conversation_id: str, found: Any, said: Said, moment: datetime) -> dict[str, Any]:
    language = found.language or found.spoken_language or "zh"
    return {
        "conversation_id": conversation_id,
        "seq": found.last_seq + 1,
        "sender": Sender.CUSTOMER,
        "sender_id": found.customer_id,
        "sender_name": found.customer_name or text("desk.customer", language),
        "text": said.text,
        "payload": None,
        "buttons": None,
        "buttons_open": False,
        "attachment_id": None,
        "client_id": said.client_id,
        "content_hash": said.content_hash,
        "nlu": None,
        "created_at": moment,
    }
