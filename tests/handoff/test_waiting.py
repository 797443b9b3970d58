"""What customers say while they wait: danger moves them up and is advised on, who asks is told the wait; true waits."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from handoff.agents.models import Group
from handoff.assistant.whispers import Whispers
from handoff.caretaker import read_the_unread
from handoff.conversations.models import Message
from handoff.desk import desk
from handoff.queue.leaving import wants_to_leave
from handoff.queue.models import Handoff
from handoff.queue.pace import STILL_SECONDS, Pace
from handoff.settings import settings
from tests.handoff.conftest import Customer, Person, RunningDesk
from tests.handoff.servers import answer
from tests.handoff.wires import customer_auth, wired

ADVICE = {"zh": "请马上停用它、拔掉电源，不要碰。", "en": "Stop using it now, cut the power, don't touch it."}
LIFE = {"zh": "您不是一个人，可以拨打 12356。", "en": "You are not alone; call a crisis line."}
WHY = {"score": 1.0, "signals": [{"name": "safety", "reason": "safety", "weight": 1.0, "evidence": [1]}]}
SMOKE = {"reason": "safety", "priority": 1, "group": "care", "advice": ADVICE, "explanation": WHY}
DESPAIR = SMOKE | {"advice": LIFE}
ANGRY = {"reason": "emotion", "priority": 2, "group": "care"}
CALLS = {
    "the plug is smoking now": SMOKE,
    "插座冒烟了": SMOKE,
    "还在冒烟": SMOKE,
    "算了我不想活了": DESPAIR,
    "一群骗子": ANGRY,
    "我要起诉你们": {"reason": "policy_topic", "priority": 2, "group": "care"},
    "人工": {"reason": "asked_for_person", "priority": 3, "group": "care"},
}


@pytest.fixture(autouse=True)
def calls(running: RunningDesk) -> None:
    """The bot's assessment of what these tests say."""
    running.bot.calls = CALLS


def notices(page: dict[str, Any]) -> list[str]:
    """Return what the desk itself told the customer."""
    return [message["text"] for message in page["messages"] if message["sender"] == "system"]


async def read_by_bot(customer: Customer) -> None:
    """Wait until everything typed is understood."""
    unread = select(Message.id).where(
        Message.conversation_id == customer.id, Message.sender == "customer", Message.nlu.is_(None)
    )
    for _ in range(500):
        async with desk.database.read() as session:
            if await session.scalar(unread.where(Message.payload.is_(None)).limit(1)) is None:
                return
        await asyncio.sleep(0.02)
    raise AssertionError("a message was not understood")


async def say(customer: Customer, *words: str) -> dict[str, Any]:
    """Say something while waiting and return the page once the bot has read it."""
    for one in words:
        await customer.send(one)
    await read_by_bot(customer)
    return await customer.read()


async def in_line(running: RunningDesk, count: int, language: str = "zh") -> list[Customer]:
    """Return customers who wait for the group `tech`, in order."""
    customers = [await running.customer(language=language) for _ in range(count)]
    for customer in customers:
        await customer.ask_for_person()
    async with desk.database.write() as session:
        await session.execute(update(Handoff).values(group_name="tech"))
    return customers


async def handoff_of(customer: Customer) -> Handoff:
    """Return the only handoff of a conversation."""
    async with desk.database.read() as session:
        return (await session.scalars(select(Handoff).where(Handoff.conversation_id == customer.id))).one()


async def events(person: Person, customer: Customer) -> list[tuple[str, str, str]]:
    """Return the audit as (from, to, reason)."""
    rows = (await person.get(f"/conversations/{customer.id}/events")).json()["items"]
    return [(row["from"], row["to"], row["reason"]) for row in rows]


class TestDanger:
    async def test_moves_up_and_is_advised_on_at_once(self, running: RunningDesk) -> None:
        boss = await running.person("boss", role="supervisor")
        first, second = await in_line(running, 2, "en")
        page = await say(second, "the plug is smoking now")
        handoff = await handoff_of(second)
        assert (handoff.reason, handoff.priority, handoff.group_name, handoff.evidence) == ("safety", 1, "care", [2])
        assert handoff.explanation == WHY | {"signals": [WHY["signals"][0] | {"evidence": [2]}]}
        assert notices(page)[1].startswith(ADVICE["en"]) and "You are number 1 in line" in notices(page)[1]
        assert (page["owner"], page["queue"]["position"]) == ("queue", 1)
        assert [item["conversation_id"] for item in await boss.queue()] == [second.id, first.id]
        assert (await events(boss, second))[-1] == ("queue", "queue", "safety")
        assert all(message["sender"] != "bot" for message in page["messages"])

    async def test_is_told_once_for_each_danger(self, running: RunningDesk) -> None:
        (customer,) = await in_line(running, 1)
        await say(customer, "插座冒烟了")
        page = await say(customer, "还在冒烟", "我能碰吗", "还在冒烟")
        assert len(notices(page)) == 2 and notices(page)[1].startswith(ADVICE["zh"])
        page = await say(customer, "算了我不想活了")
        assert notices(page)[2].startswith(LIFE["zh"]) and len(notices(page)) == 3
        assert not page["messages"][-1]["buttons"]

    async def test_what_the_bot_said_at_the_handoff_is_not_said_again(self, running: RunningDesk) -> None:
        async def hand_over(body: dict[str, Any]) -> dict[str, Any]:
            return answer(ADVICE["zh"], body=body, handoff={"reason": "safety", "priority": 1, "group": "care"})

        running.bot.behave = hand_over
        customer = await running.customer(language="zh")
        await customer.send("插座冒烟了")
        await customer.until(2, owner="queue")
        page = await say(customer, "还在冒烟", "还要等多久")
        assert [words.startswith(ADVICE["zh"]) for words in notices(page)] == [True, False]

    async def test_nothing_milder_takes_a_place_away(self, running: RunningDesk) -> None:
        boss = await running.person("boss", role="supervisor")
        (customer,) = await in_line(running, 1)
        for words, reason, priority in (
            ("人工", "asked_for_person", 3),
            ("一群骗子", "emotion", 2),
            ("我要起诉你们", "policy_topic", 2),
            ("一群骗子", "policy_topic", 2),
            ("插座冒烟了", "safety", 1),
            ("我要起诉你们", "safety", 1),
        ):
            await say(customer, words)
            handoff = await handoff_of(customer)
            assert (handoff.reason, handoff.priority) == (reason, priority), words
        reasons = [reason for *_, reason in await events(boss, customer)]
        assert reasons == ["asked_for_person", "emotion", "policy_topic", "safety"]

    async def test_stays_where_people_are_when_the_other_group_is_closed(self, running: RunningDesk) -> None:
        (customer,) = await in_line(running, 1)
        async with desk.database.write() as session:
            (await session.get_one(Group, "care")).hours = {}
        await say(customer, "插座冒烟了")
        handoff = await handoff_of(customer)
        assert (handoff.group_name, handoff.state, handoff.priority) == ("tech", "waiting", 1)

    async def test_a_ticket_is_heard_too(self, running: RunningDesk) -> None:
        async with desk.database.write() as session:
            for group in await session.scalars(select(Group)):
                group.hours = {}
        customer = await running.customer(language="zh")
        await customer.ask_for_person()
        page = await say(customer, "插座冒烟了")
        handoff = await handoff_of(customer)
        assert (handoff.reason, handoff.state) == ("safety", "ticket")
        assert notices(page)[1].startswith(ADVICE["zh"]) and "非工作时间" in notices(page)[1]

    async def test_sockets_hear_the_new_order(self, running: RunningDesk) -> None:
        boss = await running.person("boss", role="supervisor")
        first, second = await in_line(running, 2)
        async with (
            wired(running.url, "/agents", {"token": boss.token}) as agents,
            wired(running.url, "/jieli", customer_auth(first)) as behind,
            wired(running.url, "/jieli", customer_auth(second)) as moved,
        ):
            async with desk.database.write() as session:
                await session.execute(update(Handoff).values(group_name="care"))
            await behind.until(lambda: (behind.all("queue") or [None])[-1] is not None)
            await second.send("插座冒烟了")
            await behind.until(lambda: behind.all("queue")[-1]["position"] == 2)
            await moved.until(lambda: moved.all("queue")[-1]["position"] == 1)
            await moved.until(lambda: any(m["text"].startswith(ADVICE["zh"]) for m in moved.all("message")))
            await agents.until(
                lambda: agents.all("queue")[-1]["items"][0]["conversation_id"] == second.id
                and agents.all("queue")[-1]["items"][0]["reason"] == "safety"
            )

    async def test_what_was_said_before_is_told_to_the_assessment(self, running: RunningDesk) -> None:
        (customer,) = await in_line(running, 1)
        await say(customer, "我今年8岁")
        await say(customer, "妈妈不在家")
        asked = running.bot.parses[-1]
        texts = {message["seq"]: message["text"] for message in asked["messages"]}
        assert [[texts[number] for number in talk] for talk in asked["talks"]] == [["我今年8岁", "妈妈不在家"]]


    async def test_sockets_hear_that_the_line_no_longer_moves(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("handoff.realtime.customers.LOOK_AT_PLACES", 0.2)
        person = await running.person("lin", capacity=20)
        for _ in range(3):
            done = await running.customer(language="zh")
            await done.ask_for_person()
            assert (await person.claim(done.id)).status_code == 200
        customer = await running.customer(language="zh")
        await customer.ask_for_person()
        async with wired(running.url, "/jieli", customer_auth(customer)) as wire:
            await wire.until(lambda: any(place and place["wait_seconds"] for place in wire.all("queue")))
            async with desk.database.write() as session:
                for handoff in await session.scalars(select(Handoff)):
                    handoff.created_at -= timedelta(minutes=17)
                    handoff.claimed_at = handoff.claimed_at and handoff.claimed_at - timedelta(minutes=17)
            await wire.until(lambda: wire.all("queue")[-1]["wait_seconds"] is None)


class TestNothingIsLost:
    async def test_when_the_bot_is_down(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        (customer,) = await in_line(running, 1)
        running.bot.hears = False
        await customer.send("插座冒烟了")
        await asyncio.sleep(0.6)
        assert (await handoff_of(customer)).reason == "asked_for_person"
        running.bot.hears = True
        page = await say(customer, "怎么办")
        assert (await handoff_of(customer)).reason == "safety" and len(notices(page)) == 2

    async def test_what_is_said_while_the_bot_hands_over_is_read_at_once(self, running: RunningDesk) -> None:
        asked, told = asyncio.Event(), asyncio.Event()

        async def hand_over(body: dict[str, Any]) -> dict[str, Any]:
            asked.set()
            await told.wait()
            return answer("好的", body=body) | {"handoff": {"reason": "asked_for_person"}}

        running.bot.behave = hand_over
        customer = await running.customer(language="zh")
        await customer.send("转人工")
        await asyncio.wait_for(asked.wait(), 10)
        await customer.send("手环2的屏幕碎了")
        told.set()
        await read_by_bot(customer)
        assert [one["text"] for parse in running.bot.parses for one in parse["messages"]][:1] == ["手环2的屏幕碎了"]
        assert "屏幕碎了" in (await handoff_of(customer)).summary_line["zh"]

    async def test_when_the_desk_stops(self, running: RunningDesk) -> None:
        (customer,) = await in_line(running, 1)
        running.bot.hears = False
        await customer.send("插座冒烟了")
        await desk.whispers.stop()
        desk.whispers = Whispers(desk)
        running.bot.hears = True
        await read_the_unread()
        assert (await handoff_of(customer)).reason == "asked_for_person", "another desk may be asking just now"
        async with desk.database.write() as session:
            await session.execute(update(Message).values(created_at=Message.created_at))
            for message in await session.scalars(select(Message)):
                message.created_at -= timedelta(seconds=30)
        await asyncio.gather(read_the_unread(), read_the_unread())
        await read_by_bot(customer)
        await read_the_unread()
        assert (await handoff_of(customer)).priority == 1
        assert sum(words.startswith(ADVICE["zh"]) for words in notices(await customer.read())) == 1

    async def test_when_the_button_was_pressed_before_the_answer(self, running: RunningDesk) -> None:
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def slow(body: dict[str, Any]) -> dict[str, Any]:
            asked.set()
            await go_on.wait()
            return answer(ADVICE["zh"], body=body, handoff={"reason": "safety", "priority": 1, "group": "care"})

        running.bot.behave = slow
        customer = await running.customer(language="zh")
        await customer.send("插座冒烟了")
        await asked.wait()
        await customer.ask_for_person()
        go_on.set()
        page = await customer.until(3)
        assert notices(page)[1].startswith(ADVICE["zh"])
        assert (await handoff_of(customer)).reason == "safety"


class TestNoted:
    @pytest.mark.parametrize(
        ("language", "words", "noted"), [("zh", "多久能到", "接手的同事会看到"), ("en", "any news?", "will read it")]
    )
    async def test_once_a_wait_with_the_true_place(
        self, running: RunningDesk, language: str, words: str, noted: str
    ) -> None:
        _, customer = await in_line(running, 2, language)
        page = await say(customer, words)
        assert noted in notices(page)[1] and "2" in notices(page)[1]
        page = await say(customer, words, words)
        assert len(notices(page)) == 2
        (last,) = [message for message in page["messages"] if noted in message["text"]]
        assert not last["buttons"]

    async def test_what_asks_nothing_is_read_in_silence(self, running: RunningDesk) -> None:
        _, customer = await in_line(running, 2, "zh")
        before = notices(await customer.read())
        assert notices(await say(customer, "手环是黑色的", "上个月买的")) == before

    @pytest.mark.parametrize(
        ("language", "words"), [("zh", "算了不等了,你告诉我保修多久"), ("en", "I don't want to wait anymore")]
    )
    async def test_the_way_out_is_offered(self, running: RunningDesk, language: str, words: str) -> None:
        (customer,) = await in_line(running, 1, language)
        await say(customer, "在吗")
        page = await say(customer, words)
        assert [button["payload"] for button in page["messages"][-1]["buttons"]] == ["/cancel_handoff"]
        assert (await customer.send(payload="/cancel_handoff")).status_code == 201
        assert (await customer.read())["owner"] == "bot"

    async def test_nothing_is_said_to_who_is_with_a_person(self, running: RunningDesk) -> None:
        customer, _ = await running.with_agent()
        before = notices(await customer.read())
        assert notices(await say(customer, "插座冒烟了", "不等了")) == before

    @pytest.mark.parametrize("words", ["算了我不想活了", "还要等多久", "how long do I have to wait?", "等一下"])
    def test_other_words_are_no_farewell(self, words: str) -> None:
        assert not wants_to_leave(words)


class TestEstimate:
    def test_a_line_that_stands_still_has_none(self) -> None:
        assert Pace(2, 10, 4, 30, 300.0, still=STILL_SECONDS - 1).wait(1) == 30
        assert Pace(2, 10, 4, 30, 300.0, still=STILL_SECONDS + 1).wait(1) is None
        assert Pace(1, 1, 0, 30, 300.0, still=400).wait(1) is not None, "one seat is free every five minutes"

    def test_never_less_than_those_before_have_waited(self) -> None:
        pace = Pace(2, 10, 10, 5, 300.0)
        assert pace.wait(2, waited_before=90) == 90 and pace.wait(2) == 5
        assert pace.wait(2, waited_before=5 * 3600) is None

    def test_people_take_one_after_the_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pace = Pace(2, 60, 60, 1, 300.0)
        assert (pace.wait(2), pace.wait(10), pace.wait(35)) == (1, 81, 341)
        monkeypatch.setattr(settings, "routing", "auto")
        assert pace.wait(10) == 5

    async def test_nobody_at_the_desk_and_nobody_taking(self, running: RunningDesk) -> None:
        person = await running.person("lin", capacity=20)
        for _ in range(3):
            done = await running.customer(language="zh")
            await done.ask_for_person()
            assert (await person.claim(done.id)).status_code == 200
        first, second = await running.customer(language="zh"), await running.customer(language="zh")
        await first.ask_for_person()
        await second.ask_for_person()
        assert (await second.read())["queue"]["wait_seconds"] is not None
        async with desk.database.write() as session:
            for handoff in await session.scalars(select(Handoff)):
                handoff.created_at -= timedelta(minutes=17)
                if handoff.claimed_at:
                    handoff.claimed_at -= timedelta(minutes=17)
        assert (await second.read())["queue"]["wait_seconds"] is None
        await person.presence("offline")
        third = await running.customer(language="zh")
        await third.ask_for_person()
        page = await third.read()
        assert page["queue"] == {"position": 6, "wait_seconds": None, "opens_at": None}
        assert "现在没有同事在线" in notices(page)[0]
