"""What existing integrations send, and the shapes in which Rasa's channels answer them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, StringConstraints, ValidationError

from handoff.conversations.schemas import NO_NUL, ClientId, Context, LanguageCode, MessageText

SenderName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]


class Incoming(BaseModel):
    """Body of `POST /webhooks/rest/webhook`; `message_id` makes a retry safe."""

    sender: SenderName
    message: MessageText
    message_id: Annotated[ClientId, StringConstraints(pattern=NO_NUL)] | None = None
    metadata: Any = None


class Uttered(BaseModel):
    """What `user_uttered` carries, by the names that existing web chats send."""

    message: MessageText
    session_id: Any = None
    customData: Any = None
    metadata: Any = None


@dataclass(frozen=True)
class Hints:
    """What an integration tells about the customer beside the words."""

    language: LanguageCode | None = None
    context: dict[str, Any] = field(default_factory=dict)


def hints_of(*sources: Any) -> Hints:
    """Take language and surroundings out of free-form custom data; what does not fit is ignored."""
    told: dict[str, Any] = {}
    for source in sources:
        if isinstance(source, dict):
            told |= source
    context: dict[str, Any] = {}
    for name in Context.model_fields:
        try:
            context |= Context.model_validate({name: told.get(name)}).model_dump(exclude_none=True)
        except ValidationError:
            continue
    return Hints(_language(told.get("language")), context)


def _language(value: Any) -> LanguageCode | None:
    """Understand `zh`, `en` and longer tags such as `zh-CN`."""
    code = value[:2].lower() if isinstance(value, str) else ""
    return "zh" if code == "zh" else "en" if code == "en" else None


def rest_view(view: dict[str, Any], recipient: str) -> dict[str, Any]:
    """Return a message of the desk as Rasa's REST and callback channels give it."""
    attachment = view["attachment"]
    answer: dict[str, Any] = {"recipient_id": recipient, "text": view["text"] or (attachment or {}).get("name", "")}
    if view["buttons"] and view["buttons_open"]:
        answer["buttons"] = view["buttons"]
    if attachment:
        answer["attachment"] = attachment
    return answer


def socket_views(view: dict[str, Any], base: str) -> list[dict[str, Any]]:
    """Return the `bot_uttered` events for a message: one per paragraph, buttons on the last, then the attachment.

    `base` is the desk's address as the browser knows it, for attachments.
    """
    events: list[dict[str, Any]] = [{"text": part} for part in view["text"].strip().split("\n\n") if part.strip()]
    if view["buttons"] and view["buttons_open"]:
        events = [{**event, "quick_replies": []} for event in events or [{"text": ""}]]
        events[-1]["quick_replies"] = [{**button, "content_type": "text"} for button in view["buttons"]]
    if view["attachment"]:
        events.append(_attachment_event(view["attachment"], base))
    return events


def _attachment_event(attachment: dict[str, Any], base: str) -> dict[str, Any]:
    """Return an image as Rasa does; other files as a link, which every web chat can show."""
    url = base + attachment["url"]
    if attachment["type"].startswith("image/"):
        return {"attachment": {"type": "image", "payload": {"src": url}}}
    return {"text": f"{attachment['name']}: {url}"}
