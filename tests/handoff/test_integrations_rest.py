"""Rasa's REST channel, called as an existing integration calls it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from handoff.conversations.models import Conversation
from handoff.desk import desk
from handoff.settings import settings
from tests.handoff.conftest import RunningDesk
from tests.handoff.integrations import PATH, TOKEN, Integration, conversation_of, stored
from tests.handoff.servers import answer


@pytest.fixture(autouse=True)
def integration_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "integration_token", TOKEN)


@pytest.fixture
def integration(running: RunningDesk) -> Integration:
    return Integration(running.http)


class TestDoor:
    async def test_absent_without_a_token(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "integration_token", "")
        for method in ("POST", "GET"):
            response = await running.http.request(method, PATH, json={"sender": "a", "message": "hi"})
            assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")

    @pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
    async def test_wrong_token(self, running: RunningDesk, header: str | None) -> None:
        headers = {"Authorization": header} if header else {}
        response = await running.http.post(PATH, json={"sender": "a", "message": "hi"}, headers=headers)
        assert (response.status_code, response.json()["error"]["code"]) == (401, "unauthenticated")
        assert running.bot.turns == []

    async def test_wrong_method(self, running: RunningDesk) -> None:
        response = await running.http.get(PATH, headers={"Authorization": f"Bearer {TOKEN}"})
        assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")

    @pytest.mark.parametrize(
        ("body", "status", "field"),
        [
            (b"{", 400, None),
            (b'"text"', 422, ""),
            (b'{"message": "hi"}', 422, "sender"),
            (b'{"sender": "a"}', 422, "message"),
            (b'{"sender": "a", "message": "  "}', 422, "message"),
            (b'{"sender": " ", "message": "hi"}', 422, "sender"),
            (b'{"sender": "a\\u0000b", "message": "hi"}', 422, "sender"),
            (b'{"sender": "' + b"a" * 201 + b'", "message": "hi"}', 422, "sender"),
            (b'{"sender": "a", "message": "' + b"x" * 4001 + b'"}', 422, "message"),
            (b'{"sender": "a", "message": "hi", "message_id": ""}', 422, "message_id"),
            (b'{"sender": "a", "message": "' + b"x" * 70_000 + b'"}', 413, None),
        ],
    )
    async def test_bad_bodies(self, running: RunningDesk, body: bytes, status: int, field: str | None) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "Accept-Language": "en"}
        response = await running.http.post(PATH, content=body, headers=headers)
        error = response.json()["error"]
        assert response.status_code == status, response.text
        assert set(error) == {"code", "message", "details"} and error["message"].isascii()
        if field is not None:
            assert field in [item["field"] for item in error["details"]["fields"]]

    async def test_other_media_type(self, running: RunningDesk) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/plain"}
        response = await running.http.post(PATH, content=b"hi", headers=headers)
        assert (response.status_code, response.json()["error"]["code"]) == (415, "unsupported_type")

    async def test_limits(self, integration: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "limit_messages", 2)
        monkeypatch.setattr(settings, "limit_conversations", 2)
        codes = [(await integration.call("a", f"m{number}")).status_code for number in range(3)]
        assert codes == [200, 200, 429]
        assert (await integration.call("b", "hi")).status_code == 200
        refused = await integration.call("c", "hi")
        assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0


class TestTalk:
    async def test_answer_of_the_bot(self, integration: Integration) -> None:
        assert await integration.say("wx-1", "你好") == [{"recipient_id": "wx-1", "text": "echo 你好"}]
        assert await integration.say("wx-1", "在吗") == [{"recipient_id": "wx-1", "text": "echo 在吗"}]
        conversation = await conversation_of("wx-1")
        assert conversation.origin == "rest" and conversation.last_seq == 4

    async def test_a_conversation_id_is_only_a_name_here(self, running: RunningDesk, integration: Integration) -> None:
        customer = await running.customer()
        await customer.send("secret")
        await customer.until(2)
        said = await integration.say(customer.id, "let me in")
        assert [item["text"] for item in said] == ["echo let me in"]
        assert len((await customer.read())["messages"]) == 2
        assert (await conversation_of(customer.id)).id != customer.id

    async def test_same_sender_opened_twice_at_once(self, integration: Integration) -> None:
        answers = await asyncio.gather(*(integration.say("twin", f"m{number}") for number in range(6)))
        assert (await conversation_of("twin")).last_customer_seq
        texts = [item["text"] for said in answers for item in said]
        heard = "+".join(text.removeprefix("echo ") for text in texts).split("+")
        assert sorted(heard) == [f"m{number}" for number in range(6)]
        async with desk.database.read() as session:
            assert await session.scalar(select(func.count()).select_from(Conversation)) == 1

    async def test_buttons_and_slashes(self, running: RunningDesk, integration: Integration) -> None:
        button = {"title": "查订单", "payload": '/track_order{"order_number": "LM2611030042"}'}

        async def offer(body: dict[str, Any]) -> dict[str, Any]:
            full = answer("请选择", body=body)
            full["messages"][0]["buttons"] = [button]
            return full

        running.bot.behave = offer
        assert await integration.say("b", "hi") == [{"recipient_id": "b", "text": "请选择", "buttons": [button]}]
        running.bot.behave = running.bot.echo
        await integration.say("b", button["payload"])
        assert running.bot.turns[-1]["messages"][0].get("payload") == button["payload"]
        await integration.say("b", button["payload"])
        assert running.bot.turns[-1]["messages"][0].get("text") == button["payload"]
        await integration.say("b", "/restart")
        assert running.bot.turns[-1]["messages"][0].get("text") == "/restart"
        said = await stored((await conversation_of("b")).id)
        pressed = [(text, payload) for sender, text, payload in said if sender == "customer"]
        assert pressed[1] == ("查订单", button["payload"]) and pressed[3] == ("/restart", None)

    async def test_metadata_reaches_the_conversation_once(self, running: RunningDesk, integration: Integration) -> None:
        metadata = {"language": "en-US", "os": "iOS", "app_version": "5.2.1", "os_version": 17, "else": {}}
        await integration.say("m", "hello", metadata=metadata)
        conversation = await conversation_of("m")
        assert conversation.language == "en"
        assert conversation.context == {"os": "iOS", "app_version": "5.2.1"}
        assert {"name": "app_version", "value": "5.2.1"} in running.bot.turns[-1]["facts"]
        await integration.say("m", "again", metadata={"language": "zh"})
        assert (await conversation_of("m")).language == "en"

    async def test_a_broken_bot_is_a_handoff(self, running: RunningDesk, integration: Integration) -> None:
        async def broken(body: dict[str, Any]) -> Any:
            raise RuntimeError

        running.bot.behave = broken
        said = await integration.say("x", "hi")
        assert len(said) == 1 and said[0]["buttons"][0]["payload"] == "/cancel_handoff"
        assert (await conversation_of("x")).owner == "queue"
        running.bot.behave = running.bot.echo
        assert "buttons" not in (await integration.say("x", "/cancel_handoff"))[0]
        assert (await conversation_of("x")).owner == "bot"


class TestPeople:
    async def test_agent_claims_and_answers_with_the_next_call(
        self, running: RunningDesk, integration: Integration
    ) -> None:
        async def hand_over(body: dict[str, Any]) -> dict[str, Any]:
            wish = {"reason": "asked_for_person", "evidence": [1], "priority": 3, "group": "tech"}
            return answer("我明白了。", body=body, handoff=wish)

        running.bot.behave = hand_over
        person = await running.person("lin")
        announced = await integration.say("wx-2", "转人工")
        assert len(announced) == 1 and "我明白了" in announced[0]["text"]
        conversation = await conversation_of("wx-2")
        assert (await person.claim(conversation.id)).status_code == 200
        await person.reply(conversation.id, "您好，我是小林")
        await person.reply(conversation.id, "请说")
        said = await integration.say("wx-2", "手环坏了")
        assert [item["text"] for item in said][-2:] == ["您好，我是小林", "请说"] and len(said) == 3
        assert await integration.say("wx-2", "还在吗") == []
        assert len(running.bot.turns) == 1
        assert (await person.post(f"/conversations/{conversation.id}/release")).status_code == 200
        running.bot.behave = running.bot.echo
        said = await integration.say("wx-2", "谢谢")
        assert len(said) == 2 and said[-1]["text"] == "echo 谢谢"

    async def test_an_agents_file(self, running: RunningDesk, integration: Integration) -> None:
        person = await running.person("lin")
        await integration.say("f", "hi")
        conversation = await conversation_of("f")
        assert (await person.post(f"/conversations/{conversation.id}/take-over")).status_code == 200
        sent = await running.http.post(
            f"/api/v1/conversations/{conversation.id}/messages",
            data={"client_id": "file-1"},
            files={"file": ("log.txt", b"line one\n", "text/plain")},
            headers=person.headers,
        )
        assert sent.status_code == 201, sent.text
        said = await integration.say("f", "ok")
        attachment = said[-1]["attachment"]
        assert said[-1]["text"] == "log.txt" and attachment["type"] == "text/plain"
        assert (await running.http.get(attachment["url"])).content == b"line one\n"


class TestRetries:
    async def test_same_answer_and_stored_once(self, running: RunningDesk, integration: Integration) -> None:
        first = await integration.say("r", "hi", message_id="id-1")
        assert first == await integration.say("r", "hi", message_id="id-1") and len(first) == 1
        await integration.say("r", "more", message_id="id-2")
        assert first == await integration.say("r", "hi", message_id="id-1")
        assert len(running.bot.turns) == 2
        said = await stored((await conversation_of("r")).id)
        assert [text for sender, text, _ in said if sender == "customer"] == ["hi", "more"]

    async def test_other_content(self, integration: Integration) -> None:
        await integration.say("r", "hi", message_id="id-1")
        response = await integration.call("r", "ho", message_id="id-1")
        assert (response.status_code, response.json()["error"]["code"]) == (409, "client_id_reused")
        assert len(await integration.say("other", "ho", message_id="id-1")) == 1

    async def test_a_button_pressed_twice_by_retry(self, running: RunningDesk, integration: Integration) -> None:
        async def offer(body: dict[str, Any]) -> dict[str, Any]:
            full = answer("?", body=body)
            full["messages"][0]["buttons"] = [{"title": "Yes", "payload": "/affirm"}]
            return full

        running.bot.behave = offer
        await integration.say("r", "hi")
        running.bot.behave = running.bot.echo
        first = await integration.say("r", "/affirm", message_id="press")
        assert first == await integration.say("r", "/affirm", message_id="press") and first[0]["text"] == "echo /affirm"

    async def test_without_an_answer_the_retry_gets_it(
        self, running: RunningDesk, integration: Integration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        go_on = asyncio.Event()

        async def slow(body: dict[str, Any]) -> dict[str, Any]:
            await go_on.wait()
            return answer("late", body=body)

        running.bot.behave = slow
        monkeypatch.setattr(settings, "bot_timeout", 30.0)
        with pytest.raises(httpx.ReadTimeout):
            await running.http.post(
                PATH,
                json={"sender": "r", "message": "hi", "message_id": "id-1"},
                headers={"Authorization": f"Bearer {TOKEN}"},
                timeout=0.5,
            )
        go_on.set()
        said = await integration.say("r", "hi", message_id="id-1")
        assert [item["text"] for item in said] == ["late"] and len(running.bot.turns) == 1
