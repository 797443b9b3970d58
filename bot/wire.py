"""What goes through the bot's door: the shapes of requests, and the errors in the contract's form."""

import json
import re
from typing import Any, Literal

from pydantic import BaseModel, Extra, Field, ValidationError, validator

BODY_LIMIT = 1_048_576

_PAYLOAD = re.compile(r"^/(?P<intent>[a-z][a-z0-9_]*)(?:/(?P<topic>[a-z0-9_]+))?\s*(?P<entities>\{.*\})?$", re.DOTALL)


class DoorError(Exception):
    """A refusal or failure that the desk gets as `{"error": {...}}` with this status."""

    def __init__(self, status: int, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        """`message` says what to do next."""
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details or {}

    def body(self) -> dict[str, Any]:
        """The error as JSON content."""
        return {"error": {"code": self.code, "message": self.message, "details": self.details}}


class Attachment(BaseModel):
    """A file the customer sent; the desk keeps it, the bot only knows of it."""

    name: str = Field(max_length=300)
    type: str = Field(max_length=100)


class IncomingMessage(BaseModel):
    """One message of the customer: typed text, a pressed button (`payload`), or a file with or without text."""

    class Config:
        """Unknown keys are mistakes."""

        extra = Extra.forbid

    seq: int = Field(ge=1)
    text: str | None = Field(default=None, max_length=8000)
    payload: str | None = Field(default=None, max_length=4000)
    attachment: Attachment | None = None

    @validator("payload")
    def payload_is_structured(cls, value: str | None) -> str | None:
        """A payload is `/intent{json}` and nothing else."""
        if value is not None:
            split_payload(value)
        return value

    @property
    def typed(self) -> str:
        """The typed text without outer white space."""
        return (self.text or "").strip()


class Customer(BaseModel):
    """A customer whom the company's site has signed for."""

    id: str = Field(max_length=200)
    name: str | None = Field(default=None, max_length=200)


class Messages(BaseModel):
    """What the customer said, in order."""

    messages: list[IncomingMessage] = Field(min_items=1, max_items=100)

    @validator("messages")
    def messages_say_something(cls, value: list[IncomingMessage]) -> list[IncomingMessage]:
        """Every message holds text, a payload or a file."""
        for message in value:
            if message.payload is None and not message.typed and message.attachment is None:
                raise ValueError(f"message {message.seq} has neither text, payload nor attachment")
        return value


class ParseRequest(Messages):
    """Messages to be read without any memory.

    `talks` are to be assessed for a person: each holds the numbers of a customer's messages, the last of which is new.
    """

    talks: list[list[int]] = Field(default_factory=list, max_items=100)

    @validator("talks")
    def talks_are_of_messages(cls, value: list[list[int]], values: dict[str, Any]) -> list[list[int]]:
        """A talk has messages, and all of them are told."""
        told = {message.seq for message in values.get("messages", [])}
        if not all(talk and set(talk) <= told for talk in value):
            raise ValueError("a talk holds the numbers of messages that are told")
        return value


class TurnRequest(Messages):
    """What came in since the last turn, and what the desk knows of the customer.

    `language` was chosen by the customer; `locale` is only a guess for as long as nothing said tells the language.
    `network` names where the customer writes from, without telling where that is.
    """

    conversation: str = Field(min_length=1, max_length=200)
    turn_id: str = Field(min_length=1, max_length=200)
    language: Literal["zh", "en"] | None = None
    locale: Literal["zh", "en"] | None = None
    facts: dict[str, str] = Field(default_factory=dict)
    customer: Customer | None = None
    customer_token: str | None = Field(default=None, max_length=4000)
    network: str | None = Field(default=None, max_length=100)

    @validator("facts", pre=True)
    def facts_by_name(cls, value: Any) -> dict[str, Any]:
        """Facts come as a list of `{name, value}` or as an object; empty ones are left out."""
        if value is None:
            return {}
        if isinstance(value, list):
            value = {
                str(item["name"]): item["value"]
                for item in value
                if isinstance(item, dict) and "name" in item and "value" in item
            }
        if not isinstance(value, dict):
            raise ValueError("facts are a list of {name, value} or an object")
        return {str(name): str(fact) for name, fact in value.items() if fact not in (None, "")}


class ResetRequest(BaseModel):
    """The end of a human stretch."""

    conversation: str = Field(min_length=1, max_length=200)
    keep_facts: bool = True


class ForgetRequest(BaseModel):
    """The erasure of a conversation."""

    conversation: str = Field(min_length=1, max_length=200)


def read_body(body: bytes, model: type[BaseModel]) -> Any:
    """A request body as `model`; raises DoorError 400 for bad JSON, 413 for too much, 422 for a wrong shape."""
    if len(body) > BODY_LIMIT:
        raise DoorError(413, "body_too_large", "Send at most 1 MB.", {"limit": BODY_LIMIT})
    try:
        content = json.loads(body)
    except ValueError as error:
        raise DoorError(400, "bad_json", "Send a JSON object in UTF-8.") from error
    if not isinstance(content, dict):
        raise DoorError(400, "bad_json", "Send a JSON object in UTF-8.")
    try:
        return model.parse_obj(content)
    except ValidationError as error:
        fields = [{"field": ".".join(map(str, item["loc"])), "problem": item["msg"]} for item in error.errors()]
        raise DoorError(422, "invalid_request", "Correct the fields named in details.", {"fields": fields}) from error


def split_payload(payload: str) -> tuple[str, str | None, dict[str, Any]]:
    """Intent, topic and entities of `/intent/topic{json}`; raises ValueError for anything else."""
    match = _PAYLOAD.match(payload.strip())
    if not match:
        raise ValueError("a payload is /intent or /intent{json}")
    try:
        entities = json.loads(match["entities"]) if match["entities"] else {}
    except ValueError as error:
        raise ValueError("the payload's entities are not JSON") from error
    if not all(isinstance(value, str) for value in entities.values()):
        raise ValueError("the payload's entities are not all text")
    topic = f"{match['intent']}/{match['topic']}" if match["topic"] else None
    return match["intent"], topic, entities
