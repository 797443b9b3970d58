"""Who sees personal data where: lists are masked, the conversation shows, logs and metrics know nothing."""

from __future__ import annotations

import io
import json
import logging
import uuid
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import IntegrityError

from handoff.console import insight, rows
from handoff.conversations import endpoints
from handoff.conversations.service import Conversations
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.logs import configure
from handoff.principals import AgentCaller, identify
from handoff.privacy.logs import hide_in_handlers, traceback_of, words_of
from tests.handoff.conftest import RunningDesk
from tests.handoff.servers import answer

PHONE = "13812345678"
IDENTITY = "11010519491231002X"
EMAIL = "zhang.wei@example.com"
ADDRESS = "北京市朝阳区建国路88号3栋501室"
SECRETS = (PHONE, IDENTITY, EMAIL, ADDRESS)
WORDS = f"我的手环坏了,电话{PHONE},身份证{IDENTITY},邮箱{EMAIL},寄到{ADDRESS}"


def shows(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


async def wishes_a_person(body: dict[str, Any]) -> dict[str, Any]:
    return answer("好的", body=body, handoff={"reason": "asked_for_person", "group": "care"})


async def test_lists_are_masked_and_the_conversation_shows(running: RunningDesk) -> None:
    customer, agent, boss = await running.customer(), await running.person("lin"), await running.person("bo", "admin")
    running.bot.behave = wishes_a_person
    await customer.send(WORDS)
    await customer.until(owner="queue")
    for person in (agent, boss):
        line = await person.get("/queue")
        assert line.json()["items"][0]["conversation_id"] == customer.id and not shows(line.text)
        assert not shows((await person.get("/conversations")).text)
        assert not shows((await person.get("/conversations", q=PHONE)).text)
        assert set(shows((await person.get(f"/conversations/{customer.id}/messages")).text)) == set(SECRETS)
    await agent.claim(customer.id)
    await customer.send(WORDS + "!")
    listed = await agent.get("/conversations", owner="me")
    assert listed.json()["items"][0]["id"] == customer.id and not shows(listed.text)


async def test_the_consoles_lists_are_masked(running: RunningDesk) -> None:
    customer, person = await running.customer(), await running.person("lin")
    await customer.send(WORDS)
    await customer.until(2)
    await customer.ask_for_person()
    caller = await identify(person.token)
    assert isinstance(caller, AgentCaller)
    async with desk.database.read() as session:
        line = await rows.waiting_rows(session)
    assert line and not shows(json.dumps(line, ensure_ascii=False))
    await person.claim(customer.id)
    await customer.send(WORDS + "!")
    async with desk.database.read() as session:
        own = await rows.held_rows(session, [caller.agent.owner_key])
    assert "〔电话〕" in own[0]["text"] and not shows(json.dumps(own, ensure_ascii=False))


async def test_a_designer_reads_masked_phrases_and_no_conversation(running: RunningDesk) -> None:
    customer, designer = await running.customer(), await running.person("dora", "designer")

    async def lost(body: dict[str, Any]) -> dict[str, Any]:
        heard = {
            "intent": "out_of_scope",
            "confidence": 0.2,
            "language": "zh",
            "emotion": {"label": "calm", "score": 1},
        }
        return answer("没听懂", body=body, nlu=[heard])

    running.bot.behave = lost
    await customer.send(WORDS)
    await customer.until(2)
    paths = ["", "/messages", "/notes", "/events", "/summary", "/promises"]
    answers = [await designer.get(f"/conversations/{customer.id}{path}") for path in paths]
    answers += [await designer.get("/conversations"), await designer.get("/queue"), await designer.get("/agents")]
    assert [found.status_code for found in answers] == [403] * 8 + [200]
    assert not any(shows(found.text) or customer.id in found.text for found in answers)
    caller = await identify(designer.token)
    assert isinstance(caller, AgentCaller)
    review = json.dumps(await insight.review(caller, 7, "zh"), ensure_ascii=False)
    assert "我的手环坏了" in review and not shows(review) and customer.id not in review


async def test_errors_quote_no_personal_data(running: RunningDesk) -> None:
    customer = await running.customer()
    body = {"client_id": "x", "text": "hi", PHONE: 1, "payload": "/x"}
    found = await running.http.post(f"{customer.path}/messages", json=body, headers=customer.headers)
    assert found.status_code == 422 and PHONE not in found.text
    details = {"fields": [{"field": PHONE, "problem": f"not {EMAIL}"}], "count": int(PHONE)}
    assert not shows(json.dumps(ApiError(422, "invalid", details).body("en")))


@pytest.fixture
def written() -> Any:
    """Everything that the desk's logs and the libraries' loggers write, down to debug."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    configure()
    hide_in_handlers()
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=stream), cache_logger_on_first_use=False)
    yield stream
    logging.getLogger().removeHandler(handler)
    configure()


async def test_nothing_that_customers_write_is_in_logs_or_metrics(
    running: RunningDesk, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = "一句很平常的话 " + uuid.uuid4().hex
    customer, person = await running.with_agent()
    other = await running.customer()

    async def nonsense(body: dict[str, Any]) -> dict[str, Any]:
        return {"messages": body["messages"], "handoff": {"reason": plain}}

    running.bot.behave = nonsense
    await other.send(plain + WORDS)
    await other.until(owner="queue")
    files = {"file": (f"{PHONE}{plain}.txt", plain.encode(), "text/plain")}
    sent = await running.http.post(
        f"{customer.path}/messages", data={"client_id": "f", "text": WORDS}, files=files, headers=customer.headers
    )
    assert sent.status_code == 201
    await person.post(f"/conversations/{customer.id}/notes", {"text": plain + WORDS})

    async def fails(*args: Any, **more: Any) -> None:
        raise ValueError(f"cannot store {plain} {WORDS}")

    with monkeypatch.context() as broken:
        broken.setattr(endpoints, "receive_plain", fails)
        assert (await customer.send(plain + WORDS)).status_code == 500
    metrics = (await running.http.get("/metrics")).text
    log = written.getvalue()
    assert "request_failed" in log and "bot_failed" in log
    assert plain not in log and not shows(log)
    assert plain not in metrics and not shows(metrics) and customer.id not in metrics


async def test_a_failing_statement_quotes_no_row(running: RunningDesk, written: io.StringIO) -> None:
    customer = await running.customer()
    await customer.send(WORDS)
    with pytest.raises(IntegrityError) as caught:
        async with desk.database.write() as session:
            conversation = await Conversations(session).get(customer.id, lock=True)
            conversation.last_seq = 0
            conversation.context = {"page": WORDS}
            await Conversations(session).append(conversation, "customer", WORDS, sender_name=WORDS)  # type: ignore[arg-type]
    structlog.get_logger("test").error("failed", exc_info=caught.value)
    logging.getLogger("library").error("failed with %s", WORDS, exc_info=caught.value)
    log = written.getvalue()
    assert "IntegrityError" in log and "failed with" in log and not shows(log)


def test_an_errors_words_stay_where_they_quote_nobody() -> None:
    assert words_of(OSError(28, "No space left on device")) == "OSError: [Errno 28] No space left on device"
    assert words_of(RuntimeError(f"call {PHONE}")) == "RuntimeError: call [phone]"
    assert words_of(ValueError("typed text")) == words_of(ValueError("other")) == "ValueError"
    assert words_of(KeyError("typed text")) == "KeyError"
    try:
        try:
            int("typed text")
        except ValueError as error:
            raise RuntimeError("outer") from error
    except RuntimeError as error:
        shown = traceback_of(error)
    assert "outer" in shown and "ValueError" in shown and "literal for int" not in shown and __file__ in shown
