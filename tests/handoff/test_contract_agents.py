"""The half of the contract for people at work, row by row, with every refusal."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from handoff.agents import login_guard as guarding
from handoff.agents.models import Agent, AgentSession
from handoff.caretaker import hand_on_for_the_gone
from handoff.clock import now
from handoff.conversations.models import Conversation
from handoff.conversations.service import Conversations
from handoff.desk import desk
from handoff.queue.models import Reason
from handoff.queue.routing import assign_waiting
from handoff.queue.service import Queue
from handoff.settings import settings
from tests.handoff.conftest import PASSWORD, Customer, Person, RunningDesk
from tests.handoff.pictures import PNG
from tests.handoff.test_contract_customer import error, upload

LOGIN = "/api/v1/agents/login"
HANDOFF_FIELDS = {
    "id",
    "conversation_id",
    "reason",
    "reason_text",
    "priority",
    "group",
    "emotion",
    "waiting_seconds",
    "position",
    "summary_line",
    "created_at",
    "opens_at",
    "state",
}


async def waiting(running: RunningDesk) -> Customer:
    """Return a customer who waits in line."""
    customer = await running.customer(language="zh")
    await customer.ask_for_person()
    return customer


async def owners(person: Person, conversation: str) -> list[tuple[str, str, str, bool]]:
    """Return the audit as (to, by, reason, flagged)."""
    events = (await person.get(f"/conversations/{conversation}/events")).json()["items"]
    return [(event["to"], event["by"], event["reason"], event["flagged"]) for event in events]


class TestLogin:
    async def test_answer_logout_and_expiry(self, running: RunningDesk) -> None:
        person = await running.person("lin", groups=("tech", "care"), capacity=3)
        again = await running.http.post(LOGIN, json={"name": "lin", "password": PASSWORD})
        agent = again.json()["agent"]
        assert (agent["id"], agent["name"], agent["role"], agent["capacity"]) == (person.id, "lin", "agent", 3)
        assert agent["groups"] == ["care", "tech"]
        second = Person(running.http, person.id, "lin", again.json()["token"])
        assert (await second.post("/agents/logout")).status_code == 200
        error(await second.get("/queue"), 401, "unauthenticated")
        assert (await person.get("/queue")).status_code == 200
        async with desk.database.write() as session:
            await session.execute(update(AgentSession).values(expires_at=now() - timedelta(seconds=1)))
        error(await person.get("/queue"), 401, "unauthenticated")

    async def test_only_the_last_logout_ends_the_duty(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        again = await running.http.post(LOGIN, json={"name": "lin", "password": PASSWORD})
        second = Person(running.http, person.id, "lin", again.json()["token"])
        assert (await person.post("/agents/logout")).status_code == 200
        assert (await second.get("/agents/me")).json()["status"] == "online"
        assert (await second.reply(customer.id, "还在")).status_code == 201
        assert (await second.post("/agents/logout")).status_code == 200
        assert (await customer.read())["owner"] == "queue"

    async def test_guessing_is_slowed_and_nobody_is_locked_out(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await running.person("lin")
        await running.person("mei")
        wrong = {"name": "lin", "password": "guess"}
        burst = await asyncio.gather(*[running.http.post(LOGIN, json=wrong) for _ in range(12)])
        assert sorted(reply.status_code for reply in burst) == [401] * 5 + [429] * 7
        refused = next(reply for reply in burst if reply.status_code == 429)
        error(refused, 429, "too_many_logins")
        assert int(refused.headers["retry-after"]) >= 1
        error(await running.http.post(LOGIN, json={"name": "lin", "password": PASSWORD}), 429, "too_many_logins")
        assert (await running.http.post(LOGIN, json={"name": "mei", "password": PASSWORD})).status_code == 200
        async with guarding.login_guard.one_at_a_time("lin", "another address"):
            pass
        moment = guarding.time.monotonic() + 2.1
        with monkeypatch.context() as patched:
            patched.setattr(guarding.time, "monotonic", lambda: moment)
            error(await running.http.post(LOGIN, json=wrong), 401, "bad_login")
            slower = await running.http.post(LOGIN, json=wrong)
        assert int(slower.headers["retry-after"]) > int(refused.headers["retry-after"])

    async def test_what_is_refused(self, running: RunningDesk) -> None:
        for body, status in (
            ({"name": "nobody", "password": "x"}, 401),
            ({"name": "x"}, 422),
            ({"name": "", "password": ""}, 422),
        ):
            assert (await running.http.post(LOGIN, json=body)).status_code == status


class TestQueueAndClaim:
    async def test_line_in_serving_order(self, running: RunningDesk) -> None:
        first, second = await waiting(running), await waiting(running)
        person, elsewhere = await running.person("lin"), await running.person("zhu", groups=("orders",))
        items = await person.queue()
        assert [item["conversation_id"] for item in items] == [first.id, second.id]
        assert set(items[0]) == HANDOFF_FIELDS and [item["position"] for item in items] == [1, 2]
        assert {"label", "score", "course"} <= set(items[0]["emotion"])
        assert (items[0]["reason"], items[0]["reason_text"], items[0]["state"]) == (
            "asked_for_person",
            "客户要求人工",
            "waiting",
        )
        english = await running.http.get("/api/v1/queue", headers={**person.headers, "accept-language": "en"})
        assert english.json()["items"][0]["reason_text"] == "Asked for a person"
        assert await elsewhere.queue() == []
        error(await elsewhere.get("/queue", group="care"), 403, "forbidden")
        assert (await person.get("/queue", group="tech")).json()["items"] == []

    async def test_every_refusal_of_a_claim(self, running: RunningDesk) -> None:
        customer, other = await waiting(running), await waiting(running)
        lin, mei = await running.person("lin", capacity=1), await running.person("mei")
        handoff, left = [item["id"] for item in await lin.queue()]
        error(await lin.post("/handoffs/h_unknown/claim"), 404, "not_found")
        await lin.presence("break")
        error(await lin.post(f"/handoffs/{handoff}/claim"), 409, "on_break")
        await lin.presence("offline")
        error(await lin.post(f"/handoffs/{handoff}/claim"), 409, "offline")
        await lin.presence("online")
        claimed = await lin.post(f"/handoffs/{handoff}/claim")
        assert claimed.status_code == 200 and claimed.json()["id"] == customer.id
        assert claimed.json()["owner"] == lin.owner
        refused = error(await mei.post(f"/handoffs/{handoff}/claim"), 409, "already_claimed")
        assert refused["details"]["by"] == "lin" and "lin" in refused["message"]
        full = error(await lin.post(f"/handoffs/{left}/claim"), 409, "at_capacity")
        assert full["details"]["capacity"] == 1
        await running.http.delete(f"{other.path}/handoff", headers=other.headers)
        gone = await running.http.post(
            f"/api/v1/handoffs/{left}/claim", headers={**mei.headers, "accept-language": "en"}
        )
        assert "no longer in line" in error(gone, 409, "already_claimed")["message"]
        assert "lin" in (await customer.read())["messages"][-1]["text"]

    async def test_presence(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        for body in ({"status": "away"}, {}, {"status": "break", "reason": "x" * 201}):
            reply = await running.http.put("/api/v1/agents/me/presence", json=body, headers=person.headers)
            error(reply, 422, "invalid")
        assert (await person.presence("break")).json()["status"] == "break"
        (item,) = await person.queue()
        assert (item["conversation_id"], item["reason"], item["priority"]) == (customer.id, "agent_break", 2)

    async def test_who_is_passed_on_keeps_an_urgent_place(self, running: RunningDesk) -> None:
        customer, person = await running.customer(), await running.person("lin")
        async with desk.database.write() as session:
            conversation = await Conversations(session).get(customer.id, lock=True)
            await Queue(session).enqueue(conversation, Reason.SAFETY, by="bot")
        assert (await person.claim(customer.id)).status_code == 200
        await person.presence("break")
        assert [(item["reason"], item["priority"]) for item in await person.queue()] == [("agent_break", 1)]

    async def test_who_is_gone_hands_on(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        mei = await running.person("mei")
        await hand_on_for_the_gone()
        assert (await customer.read())["owner"] == person.owner
        async with desk.database.write() as session:
            long_ago = now() - timedelta(seconds=settings.agent_gone_after + 1)
            await session.execute(update(Agent).where(Agent.id == person.id).values(last_seen_at=long_ago))
        await hand_on_for_the_gone()
        (item,) = await mei.queue()
        assert (item["conversation_id"], item["reason"]) == (customer.id, "agent_gone")
        colleagues = (await mei.get("/agents")).json()["items"]
        assert {row["name"]: row["status"] for row in colleagues} == {"lin": "offline", "mei": "online"}
        assert (await mei.claim(customer.id)).status_code == 200

    async def test_automatic_routing(self, running: RunningDesk) -> None:
        customers = [await waiting(running) for _ in range(3)]
        lin, mei = await running.person("lin", capacity=1), await running.person("mei", capacity=1)
        await assign_waiting()
        states = [(await customer.read())["owner"] for customer in customers]
        assert set(states[:2]) == {lin.owner, mei.owner} and states[2] == "queue"


class TestWork:
    async def test_replies(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        mei = await running.person("mei")
        assert (await person.reply(customer.id, "您好", client_id="m1")).status_code == 201
        again = await person.reply(customer.id, "您好", client_id="m1")
        assert again.status_code == 200
        error(await person.reply(customer.id, "别的", client_id="m1"), 409, "client_id_reused")
        error(await mei.reply(customer.id, "我来"), 409, "not_owner")
        error(
            await person.post(f"/conversations/{customer.id}/messages", {"client_id": "p", "payload": "/x"}),
            422,
            "text_or_payload",
        )
        error(await person.reply("c_unknown", "您好"), 404, "not_found")
        as_customer = Customer(running.http, customer.id, person.token)
        assert (await upload(as_customer, PNG, "截图.png", text="请看")).status_code == 201
        last = (await customer.read())["messages"][-1]
        assert (last["sender"], last["sender_name"], last["text"], last["attachment"]["type"]) == (
            "agent",
            "lin",
            "请看",
            "image/png",
        )

    async def test_list_and_search(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        other = await waiting(running)
        boss = await running.person("boss", role="supervisor", groups=())
        mine = (await person.get("/conversations", owner=person.owner)).json()["items"]
        assert [row["id"] for row in mine] == [customer.id] and mine[0]["last_message"]["sender"] == "system"
        assert [row["id"] for row in (await person.get("/conversations", owner="me")).json()["items"]] == [customer.id]
        assert [row["id"] for row in (await boss.get("/conversations", owner="queue")).json()["items"]] == [other.id]
        assert [row["id"] for row in (await boss.get("/conversations", q="你好")).json()["items"]] == [customer.id]
        assert (await boss.get("/conversations", q="%")).json()["items"] == []
        assert len((await boss.get("/conversations")).json()["items"]) == 2
        assert [row["id"] for row in (await boss.get("/conversations", after=other.id)).json()["items"]] == [
            customer.id
        ]
        error(await boss.get("/conversations", after="c_unknown"), 422, "invalid")
        shown = (await person.get(f"/conversations/{customer.id}")).json()
        assert shown["handoff"]["state"] == "claimed" and shown["earlier"] == []

    async def test_take_over(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        boss = await running.person("boss", role="supervisor", groups=())
        assert (await boss.post(f"/conversations/{customer.id}/take-over")).json()["owner"] == boss.owner
        error(await person.reply(customer.id, "还是我"), 409, "not_owner")
        calm = await running.customer()
        assert (await boss.post(f"/conversations/{calm.id}/take-over")).status_code == 200
        assert (await boss.post(f"/conversations/{calm.id}/take-over")).status_code == 200
        assert (await owners(boss, customer.id))[-1] == (boss.owner, boss.owner, "supervisor", True)
        line = await waiting(running)
        assert (await person.post(f"/conversations/{line.id}/take-over")).json()["owner"] == person.owner
        assert (await owners(boss, line.id))[-1] == (person.owner, person.owner, "took_over", False)
        await boss.post(f"/conversations/{line.id}/resolve", {"outcome": "spam"})
        error(await boss.post(f"/conversations/{line.id}/take-over"), 409, "closed")
        assert await person.queue() == []

    @pytest.mark.parametrize("role", ["supervisor", "admin"])
    async def test_overseers_off_duty_step_in_but_are_given_nothing(self, running: RunningDesk, role: str) -> None:
        customer, person = await running.with_agent()
        boss = await running.person("boss", role=role, groups=())
        (path, note), other = (f"/conversations/{customer.id}", {"agent": boss.id, "note": "x"}), await waiting(running)
        handoff = (await person.queue())[0]["id"]
        for status, code in (("break", "on_break"), ("offline", "offline")):
            await boss.presence(status)
            error(await boss.post(f"/handoffs/{handoff}/claim"), 409, code)
            error(await person.post(f"{path}/transfer", note), 409, code)
        assert (await customer.read())["owner"] == person.owner
        assert (await boss.post(f"/conversations/{other.id}/take-over")).json()["owner"] == boss.owner
        await boss.presence("online")
        assert (await person.post(f"{path}/transfer", note)).json()["owner"] == boss.owner

    async def test_release_resolve_and_audit(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        path = f"/conversations/{customer.id}"
        assert (await person.post(f"{path}/release")).json()["owner"] == "bot"
        error(await person.post(f"{path}/release"), 409, "not_owner")
        assert (await person.post(f"{path}/take-over")).status_code == 200
        error(await person.post(f"{path}/resolve", {"outcome": "perhaps"}), 422, "invalid")
        assert (await person.post(f"{path}/resolve", {"outcome": "no_reply", "note": "已回访"})).json()[
            "owner"
        ] == "closed"
        boss = await running.person("boss", role="supervisor", groups=())
        error(await boss.post(f"{path}/resolve", {"outcome": "solved"}), 409, "closed")
        error(await boss.post(f"{path}/transfer", {"group": "tech", "note": "请接手"}), 409, "closed")
        assert [change[:3] for change in await owners(person, customer.id)] == [
            ("queue", "customer", "asked_for_person"),
            (person.owner, person.owner, "claimed"),
            ("bot", person.owner, "released"),
            (person.owner, person.owner, "took_over"),
            ("closed", person.owner, "no_reply"),
        ]
        notes = (await person.get(f"{path}/notes")).json()["items"]
        assert [note["text"] for note in notes] == ["已回访"]

    async def test_transfer(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        mei = await running.person("mei", groups=("tech",), capacity=1)
        path = f"/conversations/{customer.id}/transfer"
        bodies: list[tuple[dict[str, Any], int, str]] = [
            ({"note": "x"}, 422, "agent_or_group"),
            ({"agent": mei.id, "group": "tech", "note": "x"}, 422, "agent_or_group"),
            ({"group": "moon", "note": "x"}, 404, "no_such_group"),
            ({"agent": "a_nobody", "note": "x"}, 404, "no_such_agent"),
            ({"agent": person.id, "note": "x"}, 409, "already_claimed"),
            ({"group": "tech"}, 422, "invalid"),
            ({"group": "tech", "note": " \u200b "}, 422, "invalid"),
        ]
        for body, status, code in bodies:
            error(await person.post(path, body), status, code)
        for status, code, words in (("break", "on_break", "小休"), ("offline", "offline", "不在线")):
            await mei.presence(status)
            refused = error(await person.post(path, {"agent": mei.id, "note": "x"}), 409, code)
            assert refused["message"].startswith("mei") and words in refused["message"]
        await mei.presence("online")
        assert (await person.post(path, {"agent": mei.id, "note": "请看步数问题"})).json()["owner"] == mei.owner
        note = (await mei.get(f"/conversations/{customer.id}/notes")).json()["items"][0]
        assert (note["text"], note["author"]) == ("请看步数问题", person.owner)
        other = await waiting(running)
        assert (await person.claim(other.id)).status_code == 200
        full = await person.post(f"/conversations/{other.id}/transfer", {"agent": mei.id, "note": "请接手"})
        assert error(full, 409, "at_capacity")["message"].startswith("mei")
        assert (await mei.post(path, {"group": "orders", "note": "订单问题"})).json()["owner"] == "queue"
        (item,) = await person.queue()
        assert (item["group"], item["reason"], item["priority"]) == ("orders", "transferred", 2)

    async def test_a_supervisor_reassigns_who_waits(self, running: RunningDesk) -> None:
        customer = await waiting(running)
        boss, mei = await running.person("boss", role="supervisor", groups=()), await running.person("mei")
        path = f"/conversations/{customer.id}/transfer"
        assert (await boss.post(path, {"group": "tech", "note": "请接手"})).status_code == 200
        (item,) = await mei.queue()
        assert (item["group"], item["reason"], item["position"]) == ("tech", "supervisor", 1)
        assert (await boss.post(path, {"agent": mei.id, "note": "请接手"})).json()["owner"] == mei.owner
        assert await mei.queue() == [] and (await owners(boss, customer.id))[-1][3] is True

    async def test_notes_have_no_seq_and_customers_never_see_them(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        before = (await customer.read())["messages"]
        made = await person.post(f"/conversations/{customer.id}/notes", {"text": " 客户很急 "})
        assert made.status_code == 201 and made.json()["text"] == "客户很急" and "seq" not in made.json()
        error(await person.post(f"/conversations/{customer.id}/notes", {"text": "  "}), 422, "invalid")
        assert (await customer.read())["messages"] == before
        assert (await person.reply(customer.id, "好的")).json()["seq"] == len(before) + 1

    async def test_summary(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        for language in ("zh", "en"):
            told = (await person.get(f"/conversations/{customer.id}/summary", language=language)).json()
            assert told["language"] == language
            assert {
                "headline",
                "problem",
                "hopes",
                "facts",
                "tried",
                "bot_said",
                "promises",
                "emotion",
                "reason",
                "next_steps",
            } <= set(told)
        error(await person.get(f"/conversations/{customer.id}/summary", language="fr"), 422, "invalid")

    async def test_earlier_conversations_of_a_known_customer(self, running: RunningDesk) -> None:
        other = await running.customer()
        customer, person = await running.with_agent()
        boss = await running.person("boss", "supervisor")
        assert (await boss.post(f"/conversations/{other.id}/resolve", {"outcome": "solved"})).status_code == 200
        error(await person.get(f"/conversations/{other.id}/messages"), 403, "forbidden")
        async with desk.database.write() as session:
            known = (await session.get_one(Conversation, customer.id)).customer_id
            await session.execute(update(Conversation).where(Conversation.id == other.id).values(customer_id=known))
        shown = (await person.get(f"/conversations/{customer.id}")).json()
        assert [row["id"] for row in shown["earlier"]] == [other.id]
        assert (await person.get(f"/conversations/{other.id}/messages")).status_code == 200
        error(await person.post(f"/conversations/{other.id}/release"), 409, "not_owner")

    async def test_read_and_typing(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        read = await person.post(f"/conversations/{customer.id}/read", {"seq": 10**6})
        assert read.json()["agent"] == (await customer.read())["messages"][-1]["seq"]
        error(await person.post(f"/conversations/{customer.id}/read", {"seq": -1}), 422, "invalid")
        assert (await person.post(f"/conversations/{customer.id}/typing")).status_code == 202
