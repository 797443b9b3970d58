"""Turns: what the bot is asked, and what becomes of its answers, good, late, wrong and none."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi.responses import JSONResponse, Response
from sqlalchemy import select

from handoff.assistant.turns import Turns
from handoff.conversations.models import Note
from handoff.conversations.service import Conversations, Said
from handoff.desk import desk
from handoff.promises.models import Promise
from handoff.repair import answer_what_is_owed
from handoff.settings import settings
from tests.handoff.conftest import Customer, RunningDesk
from tests.handoff.servers import answer, understood
from tests.handoff.wires import eventually

DONE = [{"name": "cancel_order", "text": {"zh": "已取消订单 LM2611030042", "en": "Cancelled order LM2611030042"}}]


def texts(page: dict[str, Any], sender: str) -> list[str]:
    """Return what one side said."""
    return [message["text"] for message in page["messages"] if message["sender"] == sender]


async def notes(customer: Customer) -> list[str]:
    """Return the internal notes of the conversation."""
    async with desk.database.read() as session:
        return list(await session.scalars(select(Note.text).where(Note.conversation_id == customer.id)))


class TestOneThoughtOneAnswer:
    async def test_three_pieces_make_one_turn(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "turn_pause", 0.6)
        customer = await running.customer()
        for piece in ("我的手环", "步数一直是 0", "怎么办"):
            await customer.send(piece)
        page = await customer.until(4)
        assert texts(page, "bot") == ["echo 我的手环+步数一直是 0+怎么办"]
        assert [message["seq"] for message in running.bot.turns[0]["messages"]] == [1, 2, 3]

    async def test_waits_while_the_customer_types_but_not_for_ever(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settings, "turn_typing_pause", 30.0)
        monkeypatch.setattr(settings, "turn_typing_limit", 1.5)
        customer = await running.customer()
        await running.http.post(f"{customer.path}/typing", headers=customer.headers)
        await customer.send("我想")
        await asyncio.sleep(0.5)
        assert running.bot.turns == []
        await customer.send("退货")
        assert texts(await customer.until(3), "bot") == ["echo 我想+退货"]

    async def test_what_comes_during_a_turn_is_the_next_turn(self, running: RunningDesk) -> None:
        customer = await running.customer()
        busy, go_on = asyncio.Event(), asyncio.Event()

        async def slow(body: dict[str, Any]) -> dict[str, Any]:
            busy.set()
            await go_on.wait()
            return await running.bot.echo(body)

        running.bot.behave = slow
        await customer.send("一")
        await busy.wait()
        await customer.send("二")
        await customer.send("三")
        go_on.set()
        page = await customer.until(5)
        assert texts(page, "bot") == ["echo 一", "echo 二+三"]
        assert [turn["turn_id"] for turn in running.bot.turns] == [f"{customer.id}:1:1", f"{customer.id}:1:3"]

    async def test_a_message_after_the_last_look_is_not_forgotten(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A kick that comes while the worker is about to end must start another turn, not wait for the caretaker."""
        customer = await running.customer()
        look = Turns._next
        looked = asyncio.Event()

        async def slow_to_end(self: Turns, conversation_id: str) -> Any:
            turn = await look(self, conversation_id)
            if turn is None and not looked.is_set():
                looked.set()
                await asyncio.sleep(0.5)
            return turn

        monkeypatch.setattr(Turns, "_next", slow_to_end)
        await customer.send("一")
        await asyncio.wait_for(looked.wait(), 10)
        await customer.send("二")
        assert texts(await customer.until(4, seconds=8), "bot") == ["echo 一", "echo 二"]

    async def test_what_is_sent_to_the_bot(self, running: RunningDesk) -> None:
        customer = await running.customer(language="en", context={"os": "ios", "app_version": "5.2.1"})
        await customer.send("/restart please")
        await customer.until(2)
        body = running.bot.turns[0]
        assert body["conversation"] == customer.id and body["language"] == "en"
        assert body["messages"] == [{"seq": 1, "text": "/restart please"}]
        assert {fact["name"]: fact["value"] for fact in body["facts"]} == {"os": "ios", "app_version": "5.2.1"}
        assert body["customer"] is None and body["customer_token"] is None


class TestRestart:
    async def test_unanswered_messages_are_answered_once_after_the_start(self, running: RunningDesk) -> None:
        customer = await running.customer()
        async with desk.database.write() as session:
            for number, words in enumerate(("还在吗", "订单到哪了")):
                await Conversations(session).receive(customer.id, Said(f"c{number}", words))
            session.info["after_commit"].clear()  # the desk dies between storing and doing
        await asyncio.sleep(0.3)
        assert running.bot.turns == []
        await asyncio.gather(answer_what_is_owed(), answer_what_is_owed())
        page = await customer.until(3)
        await answer_what_is_owed()
        await asyncio.sleep(0.3)
        assert texts(await customer.read(), "bot") == texts(page, "bot") == ["echo 还在吗+订单到哪了"]
        assert [turn["turn_id"] for turn in running.bot.turns] == [f"{customer.id}:1:2"]

    async def test_a_crash_after_the_answer_asks_under_the_same_turn_id(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        customer = await running.customer()

        async def power_cut(self: Turns, turn: Any, reply: Any) -> None:
            raise asyncio.CancelledError

        with monkeypatch.context() as patched:
            patched.setattr(Turns, "_store", power_cut)
            await customer.send("订单到哪了")
            await eventually(lambda: bool(running.bot.turns) and not desk.turns.is_running(customer.id))
        assert texts(await customer.read(), "bot") == []
        await answer_what_is_owed()
        assert texts(await customer.until(2), "bot") == ["echo 订单到哪了"]
        assert len({turn["turn_id"] for turn in running.bot.turns}) == 1 and len(running.bot.turns) == 2

    async def test_stopping_waits_for_the_running_turn(self, running: RunningDesk) -> None:
        customer = await running.customer()

        async def slow(body: dict[str, Any]) -> dict[str, Any]:
            await asyncio.sleep(0.5)
            return await running.bot.echo(body)

        running.bot.behave = slow
        await customer.send("一")
        await eventually(lambda: bool(running.bot.turns))
        await desk.turns.stop()
        assert texts(await customer.read(), "bot") == ["echo 一"]
        await customer.send("二")
        await asyncio.sleep(0.3)
        assert len(running.bot.turns) == 1


BROKEN: dict[str, Any] = {
    "error": JSONResponse({"error": {"code": "action_failed"}}, 502),
    "not json": Response("oops"),
    "html": Response("<html>", media_type="text/html"),
    "empty": answer(),
    "no fields": {},
    "blank text": answer("  "),
    "button without a payload": answer("好", messages=[{"text": "好", "buttons": [{"title": "是"}]}]),
    "unknown reason": answer("好", handoff={"reason": "boredom"}),
    "priority 9": answer("好", handoff={"reason": "emotion", "priority": 9}),
    "nlu of the wrong shape": answer("好", nlu=[{"intent": "greet"}]),
    "a promise without a zone": answer(
        "好", promises=[{"kind": "bug_report", "text": {"zh": "好", "en": "ok"}, "due_at": "2026-11-23T10:00:00"}]
    ),
}


class TestABrokenBotIsAHandoff:
    async def test_every_kind_of_wrong_answer(self, running: RunningDesk) -> None:
        async def broken(body: dict[str, Any]) -> Any:
            return BROKEN[body["messages"][0]["text"]]

        running.bot.behave = broken
        customers = {kind: await running.customer(language="zh") for kind in BROKEN}
        await asyncio.gather(*[customer.send(kind) for kind, customer in customers.items()])
        for kind, customer in customers.items():
            page = await customer.until(2, owner="queue", seconds=30)
            assert texts(page, "bot") == [], kind
            assert "抱歉，我这边出了点故障" in page["messages"][1]["text"], kind
        person = await running.person("lin")
        assert {item["reason"] for item in await person.queue()} == {"bot_error"}

    async def test_an_unreachable_bot(self, running: RunningDesk) -> None:
        desk.bot._urls = ["http://127.0.0.1:9"]
        customer = await running.customer(language="en")
        await customer.send("Where is my parcel?")
        page = await customer.until(2, owner="queue")
        assert "something failed on my side" in page["messages"][1]["text"]

    async def test_another_bot_takes_over(self, running: RunningDesk) -> None:
        desk.bot._urls = ["http://127.0.0.1:9", *desk.bot._urls]
        customers = [await running.customer() for _ in range(4)]
        for customer in customers:
            await customer.send("你好")
        for customer in customers:
            assert texts(await customer.until(2), "bot") == ["echo 你好"]

    async def test_a_late_answer_is_dropped_and_its_deeds_become_a_note(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settings, "bot_timeout", 0.4)

        async def late(body: dict[str, Any]) -> dict[str, Any]:
            await asyncio.sleep(1.2)
            return answer("已为您取消", body=body, done=DONE)

        running.bot.behave = late
        customer = await running.customer()
        started = asyncio.get_running_loop().time()
        await customer.send("取消订单")
        await customer.until(2, owner="queue")
        assert asyncio.get_running_loop().time() - started < 5
        await eventually(lambda: not desk.turns._background)
        assert await notes(customer) == [" / ".join(DONE[0]["text"].values())]
        assert texts(await customer.read(), "bot") == []

    async def test_a_crash_of_our_own_storing_is_a_handoff_too(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(*_arguments: Any) -> None:
            raise RuntimeError("a bug of ours")

        monkeypatch.setattr(Turns, "_store_promises", crash)
        customer = await running.customer()
        await customer.send("你好")
        page = await customer.until(2, owner="queue")
        assert texts(page, "bot") == []
        person = await running.person("lin")
        assert [item["reason"] for item in await person.queue()] == ["bot_error"]


class TestAnswers:
    async def test_handoff_with_acknowledgement_is_one_announcement(self, running: RunningDesk) -> None:
        async def hand_over(body: dict[str, Any]) -> dict[str, Any]:
            wish = {"reason": "emotion", "evidence": [1, 99], "priority": 2, "group": "tech"}
            nlu = [understood("complain", "angry", 0.9)]
            return answer("数据丢了确实让人难受。", body=body, handoff=wish, nlu=nlu, done=DONE)

        running.bot.behave = hand_over
        customer = await running.customer()
        await customer.send("做了半天的数据都没了！")
        page = await customer.until(2, owner="queue")
        assert texts(page, "bot") == [] and len(page["messages"]) == 2
        words = page["messages"][1]["text"]
        parts = [words.index(part) for part in ("现在由人工客服来接手", "数据丢了确实让人难受。", "您排在第 1 位")]
        assert parts == sorted(parts)
        assert page["queue"] == {"position": 1, "wait_seconds": None, "opens_at": None}
        person = await running.person("lin")
        (item,) = await person.queue()
        assert (item["reason"], item["group"], item["priority"], item["emotion"]["label"]) == (
            "emotion",
            "tech",
            2,
            "angry",
        )
        assert await notes(customer) == [" / ".join(DONE[0]["text"].values())]

    async def test_an_unknown_group_falls_back(self, running: RunningDesk) -> None:
        async def hand_over(body: dict[str, Any]) -> dict[str, Any]:
            return answer(body=body, handoff={"reason": "complex", "group": "moon"})

        running.bot.behave = hand_over
        customer = await running.customer()
        await customer.send("好几件事")
        await customer.until(2, owner="queue")
        person = await running.person("lin", groups=("care",))
        assert [item["group"] for item in await person.queue()] == ["care"]

    async def test_promises_are_kept_in_the_ledger(self, running: RunningDesk) -> None:
        promised = {
            "kind": "bug_report",
            "reference": "BR-1001",
            "text": {"zh": "研发回复", "en": "R&D answers"},
            "due_at": "2099-01-05T10:00:00Z",
        }

        async def promise(body: dict[str, Any]) -> dict[str, Any]:
            return answer("已上报研发", body=body, promises=[promised])

        running.bot.behave = promise
        customer = await running.customer()
        await customer.send("步数一直为 0")
        await customer.until(2)
        async with desk.database.read() as session:
            (stored,) = list(await session.scalars(select(Promise)))
        assert (stored.reference, stored.seq, stored.due_at.year) == ("BR-1001", 2, 2099)

    async def test_agents_see_what_the_bot_understood(self, running: RunningDesk) -> None:
        async def understand(body: dict[str, Any]) -> dict[str, Any]:
            return answer("好的", body=body, nlu=[understood("track_order", "anxious", 0.7)])

        running.bot.behave = understand
        customer, person = await running.with_agent()
        rows = (await person.get(f"/conversations/{customer.id}/messages")).json()["messages"]
        assert rows[0]["nlu"]["intent"] == "track_order" and rows[0]["nlu"]["emotion"]["label"] == "anxious"
        assert all("nlu" not in row for row in (await customer.read())["messages"])

    async def test_given_facts_are_read_as_the_topic_they_belong_to(self, running: RunningDesk) -> None:
        meant = iter(["inform", "track_order/where", "greet", "inform/order_number"])

        async def understand(body: dict[str, Any]) -> dict[str, Any]:
            return answer("好的", body=body, nlu=[understood(next(meant)) for _ in body["messages"]])

        running.bot.behave = understand
        customer, boss = await running.customer(), await running.person("boss", role="supervisor")
        for number, words in enumerate(("LM2611030042", "我的快递到哪了", "你好", "LM2611030042"), 1):
            await customer.send(words)
            await customer.until(2 * number)
        rows = (await boss.get(f"/conversations/{customer.id}/messages")).json()["messages"]
        heard = [row["nlu"] for row in rows if row["sender"] == "customer"]
        assert heard[0] is None
        assert [one["intent"] for one in heard[1:]] == ["track_order/where", "greet", "track_order/where"]
        assert set(heard[3]) == {"intent", "confidence", "language", "emotion"}

    async def test_whispers_never_speak(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        asked = len(running.bot.turns)
        sent = (await customer.send("什么时候能好")).json()["seq"]
        for _ in range(100):
            rows = (await person.get(f"/conversations/{customer.id}/messages", after=sent - 1)).json()["messages"]
            if rows[0]["nlu"]:
                break
            await asyncio.sleep(0.05)
        assert rows[0]["nlu"]["emotion"]["label"] == "anxious"
        assert len(rows) == 1 and len(running.bot.turns) == asked

    async def test_memory_is_reset_after_release_before_the_next_turn(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        assert running.bot.resets == []
        assert (await person.post(f"/conversations/{customer.id}/release")).status_code == 200
        await customer.send("再问一个")
        await customer.until(6)
        await customer.send("还有一个")
        await customer.until(8)
        assert running.bot.resets == [{"conversation": customer.id, "keep_facts": True}]

class TestGivingUpTheWait:
    """What the customer said around a wait that nobody answered becomes a turn of the bot, once."""

    @staticmethod
    async def give_up(running: RunningDesk, customer: Customer) -> None:
        gone = await running.http.delete(f"{customer.path}/handoff", headers=customer.headers)
        assert gone.status_code == 200 and gone.json()["owner"] == "bot"

    @pytest.mark.parametrize("words", ["我的手环3固件升级卡在50%不动了怎么办", "My band is stuck at 50% of the update"])
    async def test_words_in_line_are_answered(self, running: RunningDesk, words: str) -> None:
        customer = await running.customer()
        await customer.send("你好")
        await customer.until(2)
        await customer.ask_for_person()
        await customer.send(words)
        await customer.send("刚刚又重启了一次")
        await self.give_up(running, customer)
        page = await customer.until(7)
        assert texts(page, "bot") == ["echo 你好", f"echo {words}+刚刚又重启了一次"]
        assert page["messages"][-1]["sender"] == "bot" and page["owner"] == "bot"
        await asyncio.sleep(0.3)
        assert len(running.bot.turns) == 2

    async def test_the_button_of_the_line_does_the_same(self, running: RunningDesk) -> None:
        customer = await running.customer()
        await customer.ask_for_person()
        await customer.send("手环充不进电")
        assert (await customer.send(payload="/cancel_handoff")).status_code == 201
        assert texts(await customer.until(5, owner="bot"), "bot") == ["echo 手环充不进电"]

    async def test_a_turn_that_the_wait_cut_off_is_asked_again(self, running: RunningDesk) -> None:
        go_on = asyncio.Event()

        async def slowly(body: dict[str, Any]) -> dict[str, Any]:
            await go_on.wait()
            return await running.bot.echo(body)

        running.bot.behave = slowly
        customer = await running.customer()
        await customer.send("查一下我的订单")
        await eventually(lambda: running.bot.turns)
        await customer.ask_for_person()
        await self.give_up(running, customer)
        go_on.set()
        assert texts(await customer.until(4), "bot") == ["echo 查一下我的订单"]
        assert len({turn["turn_id"] for turn in running.bot.turns}) == 2

    async def test_nothing_to_answer_asks_nothing(self, running: RunningDesk) -> None:
        customer = await running.customer()
        await customer.send("你好")
        await customer.until(2)
        await customer.ask_for_person()
        await self.give_up(running, customer)
        await customer.ask_for_person()
        await customer.send(payload="/cancel_handoff")
        await asyncio.sleep(0.3)
        assert len(running.bot.turns) == 1
        async with desk.database.read() as session:
            conversation = await Conversations(session).get(customer.id)
        assert conversation.answered_seq == conversation.last_customer_seq

    async def test_what_the_bot_answered_with_the_handoff_is_not_asked_again(self, running: RunningDesk) -> None:
        async def hand_over(body: dict[str, Any]) -> dict[str, Any]:
            return answer("马上转人工", body=body, handoff={"reason": "asked_for_person"})

        running.bot.behave = hand_over
        customer = await running.customer()
        await customer.send("转人工")
        await customer.until(2, owner="queue")
        running.bot.behave = running.bot.echo
        await self.give_up(running, customer)
        await asyncio.sleep(0.3)
        assert len(running.bot.turns) == 1

    async def test_what_a_person_could_answer_stays_theirs(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        await customer.send("您好，我的手环坏了")
        assert (await person.presence("break")).status_code == 200
        await customer.until(owner="queue")
        await customer.send("还在吗，屏幕不亮")
        await self.give_up(running, customer)
        page = await customer.until(9)
        assert texts(page, "bot") == ["echo 你好", "echo 还在吗，屏幕不亮"]

    async def test_no_bot_word_after_a_new_handoff(self, running: RunningDesk) -> None:
        async def slowly(body: dict[str, Any]) -> dict[str, Any]:
            await asyncio.sleep(0.4)
            return await running.bot.echo(body)

        running.bot.behave = slowly
        customer = await running.customer()
        await customer.ask_for_person()
        await customer.send("手环充不进电")
        await self.give_up(running, customer)
        await eventually(lambda: running.bot.turns)
        await customer.ask_for_person()
        await asyncio.sleep(0.7)
        page = await customer.read()
        assert texts(page, "bot") == [] and page["owner"] == "queue"
        running.bot.behave = running.bot.echo
        await self.give_up(running, customer)
        assert texts(await customer.until(6), "bot") == ["echo 手环充不进电"]

    @pytest.mark.parametrize(("language", "title"), [("zh", "转人工"), ("en", "Talk to a person")])
    async def test_who_left_the_line_is_offered_a_person_not_put_back(
        self, running: RunningDesk, language: str, title: str
    ) -> None:
        async def hand_over(body: dict[str, Any]) -> dict[str, Any]:
            return answer("马上转人工", body=body, handoff={"reason": "emotion"})

        running.bot.behave = hand_over
        customer = await running.customer(language=language)
        await customer.ask_for_person()
        await customer.send("等了半天没人理我！")
        await self.give_up(running, customer)
        page = await customer.until(4)
        assert page["owner"] == "bot" and page["messages"][-1]["sender"] == "bot"
        assert page["messages"][-1]["buttons"] == [{"title": title, "payload": "/request_human"}]
        await customer.send("气死我了")
        await customer.until(owner="queue")

    async def test_danger_goes_to_a_person_all_the_same(self, running: RunningDesk) -> None:
        async def hand_over(body: dict[str, Any]) -> dict[str, Any]:
            return answer("请先断电", body=body, handoff={"reason": "safety"})

        running.bot.behave = hand_over
        customer = await running.customer()
        await customer.ask_for_person()
        await customer.send("充电器冒烟了")
        await self.give_up(running, customer)
        await customer.until(4, owner="queue")

    async def test_calls_for_a_person_are_left_out(self, running: RunningDesk) -> None:
        running.bot.meant = {"人呢？": "request_human"}
        customer, boss = await running.customer(), await running.person("boss", role="supervisor")
        await customer.ask_for_person()
        await customer.send("人呢？")
        await customer.send("手环充不进电")
        for _ in range(100):
            rows = (await boss.get(f"/conversations/{customer.id}/messages")).json()["messages"]
            if all(row["nlu"] for row in rows if row["sender"] == "customer"):
                break
            await asyncio.sleep(0.05)
        await self.give_up(running, customer)
        assert texts(await customer.until(6), "bot") == ["echo 手环充不进电"]
