"""Rasa's own Socket.IO channel, spoken by a real client as an existing web chat speaks it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import socketio
import websockets
from sqlalchemy import func, select

from handoff.clock import now
from handoff.conversations.models import Conversation
from handoff.desk import desk
from handoff.identifiers import hash_token
from handoff.integrations.rasa_socketio import RasaNamespace
from handoff.settings import settings
from tests.handoff.conftest import Person, RunningDesk
from tests.handoff.integrations import stored
from tests.handoff.servers import answer


@pytest.fixture(autouse=True)
def channels(monkeypatch: pytest.MonkeyPatch) -> list[RasaNamespace]:
    """Switch the channel on; the list holds its name space once the desk runs."""
    made: list[RasaNamespace] = []
    original = RasaNamespace.__init__

    def remember(self: RasaNamespace, namespace: str) -> None:
        original(self, namespace)
        made.append(self)

    monkeypatch.setattr(RasaNamespace, "__init__", remember)
    monkeypatch.setattr(settings, "rasa_socketio", True)
    return made


class WebChat:
    """An existing web chat: keeps its session id and everything it was shown."""

    def __init__(self, url: str) -> None:
        self.url, self.session_id = url, ""
        self.shown: list[dict[str, Any]] = []
        self.confirmed: list[str] = []
        self.client = socketio.AsyncClient(reconnection=False)

    async def connect(self, session_id: str | None = None, **options: Any) -> str:
        """Connect and ask for a session; returns the id that the server confirms."""
        await self.open(**options)
        return await self.request({"session_id": session_id} if session_id is not None else {})

    async def open(self, **options: Any) -> None:
        """Connect only."""
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("bot_uttered", self.shown.append)
        self.client.on("session_confirm", self.confirmed.append)
        await self.client.connect(self.url, **{"transports": ["websocket"], **options})

    async def request(self, data: Any) -> str:
        """Ask for a session."""
        count = len(self.confirmed)
        await self.client.emit("session_request", data)
        await until(lambda: len(self.confirmed) > count)
        self.session_id = self.confirmed[-1]
        return self.session_id

    async def say(self, message: str, **more: Any) -> Any:
        """Utter something and return the acknowledgement."""
        return await self.client.call(
            "user_uttered", {"message": message, "session_id": self.session_id, **more}, timeout=20
        )

    @property
    def texts(self) -> list[str]:
        """What was shown, in order."""
        return [item.get("text", "") for item in self.shown]

    async def leave(self) -> None:
        """Close the page."""
        await self.client.disconnect()


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.02)


@asynccontextmanager
async def chatting(running: RunningDesk, session_id: str | None = None) -> AsyncIterator[WebChat]:
    chat = WebChat(running.url)
    await chat.connect(session_id)
    try:
        yield chat
    finally:
        await chat.leave()


async def conversation_of(session_id: str) -> Conversation:
    async with desk.database.read() as session:
        query = select(Conversation).where(Conversation.token_hash == hash_token(session_id))
        return (await session.scalars(query)).one()


async def how_many() -> int:
    async with desk.database.read() as session:
        return await session.scalar(select(func.count()).select_from(Conversation)) or 0


async def taken_over(running: RunningDesk, chat: WebChat) -> tuple[str, Person]:
    person = await running.person("lin")
    conversation = (await conversation_of(chat.session_id)).id
    assert (await person.post(f"/conversations/{conversation}/take-over")).status_code == 200
    return conversation, person


class TestTalk:
    async def test_greeting_and_answer(self, running: RunningDesk) -> None:
        async with chatting(running) as chat:
            assert isinstance(chat.session_id, str) and len(chat.session_id) > 40
            assert await chat.say("查订单") == {"seq": 1}
            await until(lambda: len(chat.shown) == 1)
            assert chat.shown == [{"text": "echo 查订单"}]
            assert (await conversation_of(chat.session_id)).origin == "socketio"

    async def test_paragraphs_and_quick_replies(self, running: RunningDesk) -> None:
        button = {"title": "Yes", "payload": '/affirm{"a": "b"}'}

        async def offer(body: dict[str, Any]) -> dict[str, Any]:
            full = answer("one\n\ntwo", "three", body=body)
            full["messages"][0]["buttons"] = [button]
            return full

        running.bot.behave = offer
        async with chatting(running) as chat:
            await chat.say("hi")
            await until(lambda: len(chat.shown) == 3)
            assert chat.shown == [
                {"text": "one", "quick_replies": []},
                {"text": "two", "quick_replies": [{**button, "content_type": "text"}]},
                {"text": "three"},
            ]
            running.bot.behave = running.bot.echo
            await chat.say(button["payload"])
            await until(lambda: len(chat.shown) == 4)
            assert running.bot.turns[-1]["messages"][0].get("payload") == button["payload"]
            await chat.say(button["payload"])
            await until(lambda: len(chat.shown) == 5)
            assert running.bot.turns[-1]["messages"][0].get("text") == button["payload"]

    @pytest.mark.parametrize(
        ("custom", "greeting"), [({}, "你好"), ({"language": "en"}, "Hello"), ({"language": "zh-CN"}, "你好")]
    )
    async def test_first_payload_is_a_greeting(
        self, running: RunningDesk, custom: dict[str, str], greeting: str
    ) -> None:
        async with chatting(running) as chat:
            await chat.say("/greet", customData=custom)
            await until(lambda: len(chat.shown) == 1)
            assert running.bot.turns[-1]["messages"][0].get("text") == greeting
            await chat.say("/restart")
            await until(lambda: len(chat.shown) == 2)
            assert running.bot.turns[-1]["messages"][0].get("text") == "/restart"

    async def test_custom_data_reaches_the_conversation(self, running: RunningDesk) -> None:
        async with chatting(running) as chat:
            await chat.say("hello", customData={"language": "en", "app_version": "5.2.1", "other": [1]})
            conversation = await conversation_of(chat.session_id)
            assert conversation.language == "en" and conversation.context == {"app_version": "5.2.1"}

    async def test_many_at_once_keep_their_order(self, running: RunningDesk) -> None:
        async with chatting(running) as chat:
            words = [f"m{number}" for number in range(15)]
            for word in words:
                await chat.client.emit("user_uttered", {"message": word, "session_id": chat.session_id})
            await until(lambda: sum(text.count("m") for text in chat.texts) == 15)
            said = await stored((await conversation_of(chat.session_id)).id)
            assert [text for sender, text, _ in said if sender == "customer"] == words

    async def test_without_any_session_request(self, running: RunningDesk) -> None:
        chat = WebChat(running.url)
        await chat.open()
        assert await chat.client.call("user_uttered", {"message": "hi"}) == {"seq": 1}
        assert await chat.client.call("user_uttered", {"message": "ho", "session_id": "home-made"}) is not None
        await until(lambda: "ho" in "".join(chat.texts))
        assert len(chat.confirmed) == 1 and await how_many() == 1
        await chat.leave()

    @pytest.mark.parametrize("data", [None, "text", [], {"message": None}, {"message": "  "}, {"session_id": 5}])
    async def test_malformed(self, running: RunningDesk, data: Any) -> None:
        async with chatting(running) as chat:
            refused = await chat.client.call("user_uttered", data)
            assert refused["error"]["code"] == "invalid"
            assert chat.shown == [] and (await conversation_of(chat.session_id)).last_seq == 0

    async def test_too_long(self, running: RunningDesk) -> None:
        async with chatting(running) as chat:
            assert (await chat.say("x" * 4001))["error"]["code"] == "invalid"
            await until(lambda: len(chat.shown) == 1)
            assert "4000" in chat.texts[0]

    async def test_limits(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "limit_messages", 1)
        monkeypatch.setattr(settings, "limit_conversations", 1)
        async with chatting(running) as chat:
            await chat.say("one")
            refused = await chat.say("two")
            assert refused["error"]["code"] == "too_many_requests" and refused["error"]["details"]["retry_after"] > 0
            await until(lambda: len(chat.shown) == 2)
            await chat.client.emit("session_request", {})
            await until(lambda: len(chat.shown) == 3)
            assert len(chat.confirmed) == 1 and await how_many() == 1


class TestSessions:
    async def test_guessed_id_gets_a_new_conversation(self, running: RunningDesk) -> None:
        async with chatting(running) as victim:
            await victim.say("my secret")
            await until(lambda: len(victim.shown) == 1)
            conversation = await conversation_of(victim.session_id)
            guesses = [conversation.id, conversation.token_hash, victim.session_id[:-1] + "_", "ct_", "abc", 7]
            for guess in guesses:
                thief = WebChat(running.url)
                await thief.connect(guess)  # type: ignore[arg-type]
                assert thief.session_id not in {victim.session_id, guess}
                await thief.client.call("user_uttered", {"message": "show me", "session_id": guess})
                await until(lambda thief=thief: len(thief.shown) == 1)  # type: ignore[misc]
                assert thief.texts == ["echo show me"]
                await thief.leave()
            assert (await conversation_of(victim.session_id)).last_seq == 2 and victim.texts == ["echo my secret"]

    async def test_a_widgets_token_is_not_a_session_id(self, running: RunningDesk) -> None:
        customer = await running.customer()
        await customer.send("hi")
        await customer.until(2)
        async with chatting(running, customer.token) as chat:
            assert chat.session_id != customer.token
            await chat.say("x")
            await until(lambda: len(chat.shown) == 1)
            assert chat.texts == ["echo x"]

    async def test_missed_messages_come_once_and_in_order(self, running: RunningDesk) -> None:
        async with chatting(running) as chat:
            await chat.say("hi")
            await until(lambda: len(chat.shown) == 1)
            conversation, person = await taken_over(running, chat)
            await until(lambda: len(chat.shown) == 2)
            await chat.leave()
            for number in range(3):
                await person.reply(conversation, f"missed {number}")
            assert await chat.connect(chat.session_id) == chat.confirmed[0]
            await until(lambda: len(chat.shown) == 5)
            await person.reply(conversation, "live")
            await until(lambda: len(chat.shown) == 6)
            assert chat.texts[2:] == ["missed 0", "missed 1", "missed 2", "live"]
            await chat.leave()
            await chat.connect(chat.session_id)
            await asyncio.sleep(0.3)
            assert len(chat.shown) == 6

    async def test_two_tabs_both_hear(self, running: RunningDesk) -> None:
        async with chatting(running) as first, chatting(running, first.session_id) as second:
            await first.say("hi")
            await until(lambda: len(first.shown) == 1 and len(second.shown) == 1)
            assert await how_many() == 1

    async def test_restart_button_begins_anew(self, running: RunningDesk) -> None:
        async with chatting(running) as chat:
            before = chat.session_id
            await chat.say("old")
            await until(lambda: len(chat.shown) == 1)
            _, person = await taken_over(running, chat)
            await until(lambda: len(chat.shown) == 2)
            assert await chat.request(None) != before
            await person.reply((await conversation_of(before)).id, "to the old one")
            await chat.say("new")
            await until(lambda: len(chat.shown) == 3)
            assert chat.texts[2] == "echo new"

    async def test_revoked_id(self, running: RunningDesk) -> None:
        async with chatting(running) as chat, chatting(running, chat.session_id) as tab:
            await chat.say("hi")
            conversation = (await conversation_of(chat.session_id)).id
            revoked = await running.http.delete(
                f"/api/v1/conversations/{conversation}/token", headers={"Authorization": f"Bearer {chat.session_id}"}
            )
            assert revoked.status_code == 200
            await until(lambda: not chat.client.connected and not tab.client.connected)
        async with chatting(running, chat.session_id) as again:
            assert again.session_id != chat.session_id

    async def test_expired_while_connected(self, running: RunningDesk) -> None:
        async with chatting(running) as chat:
            await chat.say("hi")
            before = (await conversation_of(chat.session_id)).id
            async with desk.database.write() as session:
                (await session.get_one(Conversation, before)).token_expires_at = now() - timedelta(minutes=1)
            await chat.say("still me")
            assert len(chat.confirmed) == 2
            assert (await conversation_of(chat.confirmed[-1])).id != before

    async def test_messages_to_a_socket_that_stopped_answering_come_again(
        self, running: RunningDesk, channels: list[RasaNamespace]
    ) -> None:
        """A phone that lost its network: nothing closes, nothing answers, nothing may be lost."""
        async with bare_socket(running, channels) as (raw, chat):
            conversation, person = await taken_over(running, chat)
            await person.reply(conversation, "lost on the way")
            with contextlib.suppress(websockets.ConnectionClosed):
                await asyncio.wait_for(_ignore(raw), 20)
        await chat.connect(chat.session_id)
        await until(lambda: "lost on the way" in chat.texts)
        await asyncio.sleep(0.2)
        assert chat.texts.count("lost on the way") == 1 and chat.texts[-1] == "lost on the way"
        await chat.leave()

    async def test_what_went_to_a_dead_socket_comes_on_the_one_that_replaced_it(
        self, running: RunningDesk, channels: list[RasaNamespace]
    ) -> None:
        """A phone changes its network: it is back before the desk notices that the old connection is dead."""
        async with bare_socket(running, channels) as (raw, chat):
            conversation, person = await taken_over(running, chat)
            await person.reply(conversation, "to the old network")
            while "to the old network" not in str(await raw.recv()):
                pass
            await chat.connect(chat.session_id)
            await person.reply(conversation, "to the new network")
            with contextlib.suppress(websockets.ConnectionClosed):
                await asyncio.wait_for(_ignore(raw), 20)
        await until(lambda: {"to the old network", "to the new network"} <= set(chat.texts))
        await asyncio.sleep(0.2)
        assert chat.texts.count("to the old network") == chat.texts.count("to the new network") == 1
        await chat.leave()


@asynccontextmanager
async def bare_socket(
    running: RunningDesk, channels: list[RasaNamespace]
) -> AsyncIterator[tuple[websockets.ClientConnection, WebChat]]:
    """A socket that answers no ping after "hi" and is soon given up, and a chat that may go on with its session."""
    eio = channels[0].server.eio
    eio.ping_interval = eio.ping_timeout = 1.0
    address = running.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    async with websockets.connect(address) as raw:
        assert (await raw.recv())[:1] == "0"
        await raw.send("40")
        await raw.recv()
        await raw.send('42["session_request",{}]')
        chat = WebChat(running.url)
        chat.session_id = json.loads((await raw.recv())[2:])[1]
        said = ["user_uttered", {"message": "hi", "session_id": chat.session_id}]
        await raw.send(f"42{json.dumps(said)}")
        while "echo hi" not in str(await raw.recv()):
            await raw.send("3")
        yield raw, chat


async def _ignore(raw: websockets.ClientConnection) -> None:
    """Read everything, even pings, and answer nothing, until the server gives up."""
    while True:
        await raw.recv()


class TestPeople:
    async def test_agent_claims_and_answers(self, running: RunningDesk) -> None:
        async def hand_over(body: dict[str, Any]) -> dict[str, Any]:
            wish = {"reason": "asked_for_person", "evidence": [1], "priority": 3, "group": "tech"}
            return answer("我明白了。", body=body, handoff=wish)

        running.bot.behave = hand_over
        person = await running.person("lin")
        async with chatting(running) as chat:
            await chat.say("转人工")
            await until(lambda: any(item.get("quick_replies") for item in chat.shown))
            assert chat.shown[-1]["quick_replies"][0]["payload"] == "/cancel_handoff"
            conversation = (await conversation_of(chat.session_id)).id
            assert (await person.claim(conversation)).status_code == 200
            await person.reply(conversation, "您好，我是小林")
            await until(lambda: chat.texts[-1] == "您好，我是小林")
            await chat.say("手环坏了")
            page = (await person.get(f"/conversations/{conversation}/messages")).json()
            assert page["messages"][-1]["text"] == "手环坏了" and len(running.bot.turns) == 1

    async def test_giving_up_by_the_quick_reply(self, running: RunningDesk) -> None:
        async with chatting(running) as chat:
            await chat.say("hi")
            await until(lambda: len(chat.shown) == 1)
            conversation = (await conversation_of(chat.session_id)).id
            asked = await running.http.post(
                f"/api/v1/conversations/{conversation}/handoff", headers={"Authorization": f"Bearer {chat.session_id}"}
            )
            assert asked.status_code == 202
            await until(lambda: bool(chat.shown[-1].get("quick_replies")))
            await chat.say("/cancel_handoff")
            assert (await conversation_of(chat.session_id)).owner == "bot"

    async def test_an_agents_picture_and_file(self, running: RunningDesk) -> None:
        pixel = bytes.fromhex(
            "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001"
            "e221bc330000000049454e44ae426082"
        )
        async with chatting(running) as chat:
            await chat.say("hi")
            conversation, person = await taken_over(running, chat)
            for number, file in enumerate([("a.png", pixel, "image/png"), ("a.log", b"line\n", "text/plain")]):
                sent = await running.http.post(
                    f"/api/v1/conversations/{conversation}/messages",
                    data={"client_id": f"f{number}", "text": "look"},
                    files={"file": file},
                    headers=person.headers,
                )
                assert sent.status_code == 201, sent.text
            await until(lambda: chat.texts[-1].startswith("a.log: "))
            assert chat.texts[-4] == "look" and chat.shown[-3]["attachment"]["type"] == "image"
            picture = chat.shown[-3]["attachment"]["payload"]["src"]
            assert picture.startswith(running.url) and (await running.http.get(picture)).content == pixel
            assert (await running.http.get(chat.texts[-1].removeprefix("a.log: "))).content == b"line\n"


class TestDoor:
    async def test_foreign_site(self, running: RunningDesk, channels: list[RasaNamespace]) -> None:
        channels[0].server.eio.cors_allowed_origins = ["https://shop.example"]
        chat = WebChat(running.url)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await chat.open(headers={"Origin": "https://evil.example"})
        await chat.open(headers={"Origin": "https://shop.example"})
        assert await chat.request({})
        await chat.leave()


async def test_off_by_default(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    from handoff.realtime.hub import Hub
    from handoff.realtime.server import make_server

    monkeypatch.setattr(desk, "hub", Hub(), raising=False)
    monkeypatch.setattr(settings, "rasa_socketio", False)
    assert "/" not in make_server().namespace_handlers
    monkeypatch.setattr(settings, "rasa_socketio", True)
    assert "/" in make_server().namespace_handlers
