"""The signed callback, against a real server that refuses, loses and accepts as a test wants."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response

from handoff.clock import now
from handoff.desk import desk
from handoff.integrations import callback
from handoff.integrations.addresses import CallbackRefused
from handoff.integrations.callback import CallbackSender
from handoff.integrations.service import Channels
from handoff.settings import settings
from tests.handoff.conftest import Person, RunningDesk
from tests.handoff.integrations import TOKEN, Integration, conversation_of
from tests.handoff.servers import answer, free_port, serving


def genuine(headers: dict[str, str], body: bytes, token: str = TOKEN) -> bool:
    """Check a signature as the documentation tells integrators to."""
    expected = hmac.new(token.encode(), f"{headers['x-jieli-timestamp']}.".encode() + body, hashlib.sha256).hexdigest()
    fresh = abs(time.time() - int(headers["x-jieli-timestamp"])) < 300
    return fresh and hmac.compare_digest(headers["x-jieli-signature"], f"sha256={expected}")


@dataclass
class Receiver:
    """The integration's own server: answers with `statuses` in turn, then with 204."""

    statuses: list[int] = field(default_factory=list)
    attempts: list[tuple[dict[str, str], bytes, int]] = field(default_factory=list)
    pause: asyncio.Event | None = None
    url: str = ""

    async def receive(self, request: Request) -> Response:
        body = await request.body()
        status = self.statuses.pop(0) if self.statuses else 204
        if not genuine(dict(request.headers), body):
            status = 403
        self.attempts.append((dict(request.headers), body, status))
        if self.pause is not None:
            await self.pause.wait()
        headers = {"Location": f"{self.url}/elsewhere"} if 300 <= status < 400 else {}
        return Response(status_code=status, headers=headers)

    @property
    def accepted(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body, status in self.attempts if status < 300]

    @property
    def texts(self) -> list[str]:
        return [item["text"] for item in self.accepted]

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, self.attempts
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = FastAPI()
    app.post("/{path:path}")(made.receive)
    async with serving(app, free_port()) as made.url:
        yield made


@pytest_asyncio.fixture
async def sender(
    running: RunningDesk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[CallbackSender]:
    """The sender at work, with short pauses."""
    monkeypatch.setattr(settings, "integration_token", TOKEN)
    monkeypatch.setattr(settings, "integration_callback", f"{receiver.url}/hook?key=1")
    monkeypatch.setattr(settings, "integration_callback_private", True)
    monkeypatch.setattr(callback, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(callback, "ROUND", 0.05)
    made = CallbackSender()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def integration(running: RunningDesk) -> Integration:
    return Integration(running.http)


async def owned(running: RunningDesk, integration: Integration, sender: str) -> tuple[str, Person]:
    """Return a conversation of `sender` that a person has taken over."""
    person = running.people.get("lin") or await running.person("lin")
    await integration.say(sender, "hi")
    conversation = (await conversation_of(sender)).id
    assert (await person.post(f"/conversations/{conversation}/take-over")).status_code == 200
    return conversation, person


async def test_agents_reply_at_once_and_only_once(
    running: RunningDesk, sender: CallbackSender, receiver: Receiver, integration: Integration
) -> None:
    conversation, person = await owned(running, integration, "wx-1")
    await person.reply(conversation, "您好")
    await person.reply(conversation, "请说")
    await receiver.until(lambda: len(receiver.accepted) == 3)
    assert receiver.texts[1:] == ["您好", "请说"]
    assert receiver.accepted[1] == {"recipient_id": "wx-1", "text": "您好"}
    assert await integration.say("wx-1", "好的") == []
    assert len(receiver.attempts) == 3


async def test_the_bots_answer_comes_with_the_call(
    running: RunningDesk, sender: CallbackSender, receiver: Receiver, integration: Integration
) -> None:
    async def takes_a_while(body: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0.4)
        return await running.bot.echo(body)

    running.bot.behave = takes_a_while
    answers = await asyncio.gather(*(integration.say(f"wx-{number}", "hi") for number in range(4)))
    assert [[item["text"] for item in said] for said in answers] == [["echo hi"]] * 4
    await asyncio.sleep(0.3)
    assert receiver.attempts == []


async def test_fails_twice_then_accepts(
    running: RunningDesk, sender: CallbackSender, receiver: Receiver, integration: Integration
) -> None:
    conversation, person = await owned(running, integration, "wx-1")
    await receiver.until(lambda: len(receiver.accepted) == 1)
    receiver.statuses = [500, 302]
    await person.reply(conversation, "first")
    await person.reply(conversation, "second")
    await receiver.until(lambda: len(receiver.accepted) == 3)
    tried = [(json.loads(body)["text"], status) for _, body, status in receiver.attempts[1:]]
    assert tried == [("first", 500), ("first", 302), ("first", 204), ("second", 204)]
    names = [headers["x-jieli-delivery"] for headers, _, _ in receiver.attempts[1:]]
    assert len(set(names[:3])) == 1 and names[3] != names[0]
    assert conversation not in str(receiver.attempts)


async def test_one_sender_in_trouble_does_not_hold_up_another(
    running: RunningDesk, sender: CallbackSender, receiver: Receiver, integration: Integration
) -> None:
    first, person = await owned(running, integration, "a")
    second, _ = await owned(running, integration, "b")
    await receiver.until(lambda: len(receiver.accepted) == 2)
    receiver.pause = asyncio.Event()
    await person.reply(first, "stuck")
    await receiver.until(lambda: len(receiver.attempts) == 3)
    held, receiver.pause = receiver.pause, None
    await person.reply(second, "passes")
    await receiver.until(lambda: len(receiver.attempts) == 4)
    assert receiver.texts[-1] == "passes"
    held.set()


async def test_survives_a_restart(
    running: RunningDesk, sender: CallbackSender, receiver: Receiver, integration: Integration
) -> None:
    conversation, person = await owned(running, integration, "wx-1")
    await receiver.until(lambda: len(receiver.accepted) == 1)
    receiver.statuses = [503] * 3
    await person.reply(conversation, "kept")
    await receiver.until(lambda: len(receiver.attempts) == 3)
    await sender.stop()
    receiver.statuses = []
    await person.reply(conversation, "said meanwhile")
    seen = len(receiver.attempts)
    again = CallbackSender()
    await again.start()
    await receiver.until(lambda: len(receiver.accepted) == 3)
    await asyncio.sleep(0.2)
    await again.stop()
    assert receiver.texts[1:] == ["kept", "said meanwhile"] and len(receiver.attempts) == seen + 2


async def test_survives_a_crash_in_the_middle_of_sending(
    running: RunningDesk, sender: CallbackSender, receiver: Receiver, integration: Integration
) -> None:
    conversation, person = await owned(running, integration, "wx-1")
    await receiver.until(lambda: len(receiver.accepted) == 1)
    async with desk.database.write() as session:
        cursor = await Channels(session).cursor(conversation)
        cursor.sending_by, cursor.sending_until = "a desk that died", now() + timedelta(seconds=0.6)
    await person.reply(conversation, "hello")
    await asyncio.sleep(0.3)
    assert len(receiver.attempts) == 1
    await receiver.until(lambda: receiver.texts[1:] == ["hello"])


async def test_two_desks_send_once(
    running: RunningDesk, sender: CallbackSender, receiver: Receiver, integration: Integration
) -> None:
    other = CallbackSender()
    await other.start()
    conversation, person = await owned(running, integration, "wx-1")
    for number in range(12):
        await person.reply(conversation, f"m{number}")
    await receiver.until(lambda: len(receiver.accepted) >= 13)
    await asyncio.sleep(0.3)
    await other.stop()
    assert receiver.texts[1:] == [f"m{number}" for number in range(12)]


async def test_a_call_takes_what_the_callback_could_not_deliver(
    running: RunningDesk, sender: CallbackSender, receiver: Receiver, integration: Integration
) -> None:
    conversation, person = await owned(running, integration, "wx-1")
    await receiver.until(lambda: len(receiver.accepted) == 1)
    receiver.statuses = [500] * 1000
    await person.reply(conversation, "undeliverable")
    await receiver.until(lambda: len(receiver.attempts) >= 2)
    said = await integration.say("wx-1", "anyone?")
    assert [item["text"] for item in said] == ["undeliverable"]
    receiver.statuses = []
    await person.reply(conversation, "here")
    await receiver.until(lambda: receiver.texts[1:] == ["here"])


async def test_an_answer_that_came_too_late_for_the_call(
    running: RunningDesk,
    sender: CallbackSender,
    receiver: Receiver,
    integration: Integration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = asyncio.Event()

    async def slow(body: dict[str, Any]) -> dict[str, Any]:
        await go_on.wait()
        return answer("late", body=body)

    running.bot.behave = slow
    monkeypatch.setattr(settings, "bot_timeout", 30.0)
    monkeypatch.setattr("handoff.integrations.calls.A_LITTLE", -29.5)
    assert await integration.say("wx-1", "hi") == []
    go_on.set()
    await receiver.until(lambda: receiver.texts == ["late"])


async def test_signature_is_bound_to_token_time_and_body(
    running: RunningDesk, sender: CallbackSender, receiver: Receiver, integration: Integration
) -> None:
    await owned(running, integration, "wx-1")
    await receiver.until(lambda: len(receiver.accepted) == 1)
    headers, body, _ = receiver.attempts[0]
    assert genuine(headers, body)
    assert not genuine(headers, body, token="another token")
    assert not genuine(headers, body.replace(b"wx-1", b"wx-2"))
    assert not genuine({**headers, "x-jieli-timestamp": str(int(headers["x-jieli-timestamp"]) + 1)}, body)
    assert TOKEN not in str(headers) and headers["host"] in receiver.url


async def test_a_wrong_signature_is_never_delivered(
    running: RunningDesk,
    sender: CallbackSender,
    receiver: Receiver,
    integration: Integration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(callback, "sign", lambda timestamp, body: "sha256=" + "0" * 64)
    await owned(running, integration, "wx-1")
    await receiver.until(lambda: len(receiver.attempts) >= 2)
    assert receiver.accepted == []
    monkeypatch.undo()


async def test_loopback_is_refused_by_default(
    running: RunningDesk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "integration_token", TOKEN)
    monkeypatch.setattr(settings, "integration_callback", f"{receiver.url}/hook")
    with pytest.raises(CallbackRefused, match="INTEGRATION_CALLBACK_PRIVATE=on"):
        await CallbackSender().start()
    assert receiver.attempts == []


async def test_refused_while_sending_too(
    running: RunningDesk,
    sender: CallbackSender,
    receiver: Receiver,
    integration: Integration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "integration_callback_private", False)
    await owned(running, integration, "wx-1")
    await asyncio.sleep(0.5)
    assert receiver.attempts == []
    monkeypatch.setattr(settings, "integration_callback_private", True)
    await receiver.until(lambda: len(receiver.accepted) == 1)
