"""What goes over the wire: requests that are checked, and views of what is stored."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from handoff.assistant.topics import told
from handoff.attachments.models import Attachment
from handoff.attachments.service import signed_url
from handoff.clock import iso
from handoff.conversations.models import Conversation, Message, Note, OwnershipEvent, Sender, StoredMessage

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe0e\ufe0f\uffa0")
LONGEST_PAYLOAD = 1000
NO_NUL = r"^[^\x00]*$"  # SQLite takes it for the end of a word, PostgreSQL refuses it


def storable(value: Any) -> Any:
    """Drop what no database keeps (NUL and halves of surrogate pairs, as they come in pasted logs)."""
    return UNSTORABLE.sub("", value) if isinstance(value, str) else value


def _legible(value: str) -> str:
    """Refuse what shows nothing: blanks, also those without a width."""
    if all(letter in BLANKS or unicodedata.category(letter) in UNSEEN for letter in value):
        raise PydanticCustomError("blank", "must not be blank")
    return value


Legible = AfterValidator(_legible)
Storable = BeforeValidator(storable)  # last in an annotation: what stands after it checks the uncleaned text
LanguageCode = Literal["zh", "en"]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), Storable]
ClientId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
MessageText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), Legible, Storable]


class Context(BaseModel):
    """What the site and the browser know about the customer's surroundings."""

    model_config = ConfigDict(extra="ignore")

    page: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), Storable] | None = None
    os: Short | None = None
    os_version: Short | None = None
    phone_model: Short | None = None
    browser: Short | None = None
    app_version: Short | None = None
    device_model: Short | None = None
    firmware_version: Short | None = None


class StartConversation(BaseModel):
    """Body of `POST /conversations`."""

    language: LanguageCode | None = None
    customer_token: Annotated[str, StringConstraints(max_length=4000)] | None = None
    context: Context = Field(default_factory=Context)


class SendMessage(BaseModel):
    """Body of `POST /conversations/{id}/messages` as JSON: either a text or a payload."""

    client_id: ClientId
    text: MessageText | None = None
    payload: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PAYLOAD)] | None = None


class Language(BaseModel):
    """Body of `POST /conversations/{id}/language`: the widget's switch."""

    language: LanguageCode


class Read(BaseModel):
    """Body of `POST /conversations/{id}/read`."""

    seq: Annotated[int, Field(ge=0)]


class Rate(BaseModel):
    """Body of `POST /conversations/{id}/rating`."""

    score: Annotated[int, Field(ge=1, le=5, strict=True)]
    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), Storable] | None = None


def message_view(message: Message | StoredMessage, attachment: Attachment | None, *, for_agent: bool) -> dict[str, Any]:
    """Return the contract's message; agents also see `nlu` on the customer's."""
    view: dict[str, Any] = {
        "seq": message.seq,
        "sender": message.sender,
        "sender_name": message.sender_name,
        "text": message.text,
        "buttons": message.buttons,
        "buttons_open": message.buttons_open,
        "attachment": attachment_view(attachment),
        "created_at": iso(message.created_at),
        "client_id": message.client_id,
    }
    if for_agent:
        view["nlu"] = told(message.nlu) if message.sender == Sender.CUSTOMER else None
        view["payload"] = message.payload
    return view


def attachment_view(attachment: Attachment | None) -> dict[str, Any] | None:
    """Return name, type, size in bytes and a signed, short-lived address."""
    if attachment is None:
        return None
    return {"url": signed_url(attachment), "name": attachment.name, "type": attachment.type, "size": attachment.size}


def conversation_view(conversation: Conversation) -> dict[str, Any]:
    """Return what agents see of a conversation as a whole."""
    return {
        "id": conversation.id,
        "owner": conversation.owner,
        "version": conversation.version,
        "group": conversation.group_name,
        "language": conversation.reading_language,
        "context": conversation.context,
        "customer_id": conversation.customer_id,
        "last_seq": conversation.last_seq,
        "concern": conversation.concern,
        "stretch": conversation.stretch,
        "outcome": conversation.outcome,
        "customer_read_seq": conversation.customer_read_seq,
        "origin": conversation.origin,
        "agent_read_seq": conversation.agent_read_seq,
        "created_at": iso(conversation.created_at),
        "updated_at": iso(conversation.updated_at),
        "closed_at": iso(conversation.closed_at),
    }


def event_view(event: OwnershipEvent) -> dict[str, Any]:
    """Return one row of the audit."""
    return {
        "version": event.version,
        "from": event.from_owner,
        "to": event.to_owner,
        "by": event.by,
        "reason": event.reason,
        "note": event.note,
        "flagged": event.flagged,
        "time": iso(event.created_at),
    }


def note_view(note: Note) -> dict[str, Any]:
    """Return an internal note."""
    return {
        "id": note.id,
        "after_seq": note.after_seq,
        "author": note.author,
        "author_name": note.author_name,
        "text": note.text,
        "created_at": iso(note.created_at),
    }
