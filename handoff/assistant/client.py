"""The bot's door, seen from the desk."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from handoff.conversations.schemas import LONGEST_PAYLOAD
from handoff.queue.models import Reason

Model = TypeVar("Model", bound=BaseModel)
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Button(BaseModel):
    """A choice that the customer may press."""

    title: Words
    payload: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PAYLOAD)]


class BotMessage(BaseModel):
    """One message of the bot."""

    text: Words
    buttons: list[Button] | None = None


class Emotion(BaseModel):
    """How the customer feels, with a score from 0 to 1."""

    label: str
    score: float


class Understanding(BaseModel):
    """What the bot understood of one message."""

    intent: str
    confidence: float
    language: str | None = None
    emotion: Emotion


class BotFact(BaseModel):
    """A fact, with the customer's own words and the message that holds them."""

    name: str
    value: str
    quote: str
    seq: int


class Tried(BaseModel):
    """A step that the customer already tried."""

    text: str
    quote: str
    seq: int


class BotSignal(BaseModel):
    """One sign that the bot weighed: its name, the reason it stands for, and the messages that show it."""

    name: str = Field(max_length=60)
    reason: Reason
    weight: float
    evidence: list[int] = []


class BotExplanation(BaseModel):
    """The bot's score for a handoff, signal by signal."""

    score: float
    signals: list[BotSignal] = Field(default=[], max_length=50)


class BotHandoff(BaseModel):
    """The bot's wish for a person; `advice` is what to do at once, where the customer is in danger."""

    reason: Reason
    evidence: list[int] = []
    explanation: BotExplanation | None = None
    priority: int | None = Field(default=None, ge=1, le=5)
    group: str | None = None
    advice: dict[Literal["zh", "en"], Words] | None = None


class BotPromise(BaseModel):
    """Something the bot promised, with its time."""

    model_config = ConfigDict(extra="ignore")

    kind: str
    reference: str | None = None
    text: dict[Literal["zh", "en"], str]
    due_at: AwareDatetime


class Done(BaseModel):
    """Something the bot really did in the shop."""

    name: str
    text: dict[Literal["zh", "en"], str]


class Answer(BaseModel):
    """The bot's whole answer to one turn."""

    messages: list[BotMessage] = []
    language: Literal["zh", "en"] | None = None
    nlu: list[Understanding] = []
    facts: list[BotFact] = []
    tried: list[Tried] = []
    handoff: BotHandoff | None = None
    promises: list[BotPromise] = []
    done: list[Done] = []


class Whisper(BaseModel):
    """What the bot understands of messages, without acting; for each talk asked about, the handoff it calls for."""

    nlu: list[Understanding] = []
    facts: list[BotFact] = []
    tried: list[Tried] = []
    handoffs: list[BotHandoff | None] = []


class Acknowledged(BaseModel):
    """An answer that says nothing but yes."""


class BotFailed(Exception):
    """The bot gave no usable answer; the message says why, for the log."""


class BotClient:
    """Talks to one of several bot processes, always the same one for a conversation while it is well."""

    def __init__(self, urls: list[str], token: str, timeout: float) -> None:
        self._urls = urls
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
            trust_env=False,
        )

    async def turn(self, body: dict[str, Any], limit: float) -> Answer:
        """Let the bot act and answer within `limit` seconds; raises BotFailed."""
        answer = await self._post(body["conversation"], "turn", body, limit, Answer)
        if not answer.messages and answer.handoff is None:
            raise BotFailed("an answer without a message")
        return answer

    async def parse(self, conversation: str, messages: list[dict[str, Any]], talks: list[list[int]]) -> Whisper:
        """Ask what messages mean, and whether the last one of each talk calls for a person; raises BotFailed."""
        return await self._post(conversation, "parse", {"messages": messages, "talks": talks}, None, Whisper)

    async def reset(self, conversation: str, *, keep_facts: bool) -> None:
        """Let the bot forget the old trouble; raises BotFailed."""
        await self._post(
            conversation, "reset", {"conversation": conversation, "keep_facts": keep_facts}, None, Acknowledged
        )

    async def forget(self, conversation: str) -> None:
        """Let every bot remove all it keeps of a conversation; raises BotFailed unless all of them did."""
        failures = []
        for url in self._urls:
            try:
                response = await self._client.post(f"{url}/webhooks/desk/forget", json={"conversation": conversation})
                if response.status_code != 200:
                    failures.append(f"{url}: HTTP {response.status_code}")
            except httpx.HTTPError as error:
                failures.append(f"{url}: {type(error).__name__}")
        if failures:
            raise BotFailed("; ".join(failures))

    async def healthy(self) -> bool:
        """Tell whether at least one bot process and its action server answer."""
        for url in self._urls:
            try:
                if (await self._client.get(f"{url}/webhooks/desk/health", timeout=2)).status_code == 200:
                    return True
            except httpx.HTTPError:
                continue
        return False

    async def _post(
        self, conversation: str, call: str, body: dict[str, Any], limit: float | None, model: type[Model]
    ) -> Model:
        failure = "no bot configured"
        options: dict[str, Any] = {} if limit is None else {"timeout": limit}
        for url in self._ordered(conversation):
            try:
                response = await self._client.post(f"{url}/webhooks/desk/{call}", json=body, **options)
            except httpx.ConnectError as error:
                failure = f"unreachable: {error}"
                continue
            except httpx.HTTPError as error:
                raise BotFailed(f"{type(error).__name__}: {error}") from error
            if response.status_code != 200:
                raise BotFailed(f"HTTP {response.status_code}")
            try:
                return model.model_validate_json(response.content)
            except ValidationError as error:
                raise BotFailed(f"malformed answer: {error.error_count()} problems") from error
        raise BotFailed(failure)

    def _ordered(self, conversation: str) -> list[str]:
        start = int(hashlib.sha256(conversation.encode()).hexdigest(), 16) % len(self._urls) if self._urls else 0
        return self._urls[start:] + self._urls[:start]

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
