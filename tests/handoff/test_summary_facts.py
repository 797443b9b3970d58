"""Facts in the database: each once, each with evidence, and the summary as people at work get it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from handoff.assistant.client import BotFact, Tried
from handoff.conversations.models import Conversation, Sender
from handoff.conversations.service import Conversations, Said
from handoff.customers.models import Customer
from handoff.customers.service import Customers
from handoff.desk import desk
from handoff.locales import LANGUAGES
from handoff.summary.models import Fact, TriedStep
from handoff.summary.service import Summaries
from tests.handoff.conftest import RunningDesk
from tests.handoff.servers import answer, understood


class Talk:
    """One conversation in the database of the running desk."""

    def __init__(self, id: str) -> None:
        self.id = id

    async def says(self, words: str, payload: str | None = None) -> int:
        """The customer says something; no bot is asked."""
        async with desk.database.write() as session:
            conversation = await Conversations(session).get(self.id, lock=True)
            said = Said(f"m{conversation.last_seq}", words, payload)
            message = await Conversations(session).append(
                conversation, Sender.CUSTOMER, words, sender_name="王女士", said=said
            )
            return message.seq

    async def bot_says(self, words: str) -> int:
        """The bot says something."""
        async with desk.database.write() as session:
            conversation = await Conversations(session).get(self.id, lock=True)
            return (await Conversations(session).append(conversation, Sender.BOT, words, sender_name="小墨")).seq

    async def learn(self, *facts: tuple[str, str, str, int], tried: tuple[tuple[str, str, int], ...] = ()) -> None:
        """The bot understood facts (name, value, quote, seq) and tried steps (code, quote, seq)."""
        async with desk.database.write() as session:
            conversation = await Conversations(session).get(self.id, lock=True)
            await Summaries(session).learn(
                conversation,
                [BotFact(name=name, value=value, quote=quote, seq=seq) for name, value, quote, seq in facts],
                [Tried(text=code, quote=quote, seq=seq) for code, quote, seq in tried],
            )

    async def context(self, **context: str) -> None:
        """The site tells the surroundings."""
        async with desk.database.write() as session:
            conversation = await Conversations(session).get(self.id, lock=True)
            await Summaries(session).learn_context(conversation, context)

    async def known(self) -> dict[str, str]:
        """The latest value of every fact."""
        async with desk.database.read() as session:
            facts = await Summaries(session).known_facts(await Conversations(session).get(self.id))
        assert len({fact["name"] for fact in facts}) == len(facts)
        return {fact["name"]: fact["value"] for fact in facts}

    async def summary(self, language: str = "zh") -> dict[str, Any]:
        """The context summary."""
        async with desk.database.read() as session:
            return await Summaries(session).summary(await Conversations(session).get(self.id), language)

    async def rows(self, table: type[Fact] | type[TriedStep]) -> list[Any]:
        """What is stored."""
        async with desk.database.read() as session:
            return list(await session.scalars(select(table).where(table.conversation_id == self.id).order_by(table.id)))


@pytest_asyncio.fixture
async def talk(running: RunningDesk) -> AsyncIterator[Talk]:
    """An empty conversation."""
    async with desk.database.write() as session:
        conversation, _ = await Conversations(session).start(await Customers(session).anonymous(), "zh", {})
    yield Talk(conversation.id)


class TestLearn:
    """Summaries.learn"""

    async def test_each_fact_is_stored_once(self, talk: Talk) -> None:
        seq = await talk.says("手环2,iPhone 6")
        for _ in range(2):
            await talk.learn(("device_model", "band-2", "手环2", seq), ("phone_model", "iPhone 6", "iPhone 6", seq))
        again = await talk.says("就是手环2")
        await talk.learn(("device_model", "band-2", "手环2", again))
        assert [(row.name, row.value, row.source_seq) for row in await talk.rows(Fact)] == [
            ("device_model", "band-2", seq),
            ("phone_model", "iPhone 6", seq),
        ]

    async def test_changed_value_is_the_newest_and_keeps_its_history(self, talk: Talk) -> None:
        for words in ("固件1.0.0.39", "不对,1.0.0.45", "看错了,还是1.0.0.39"):
            seq = await talk.says(words)
            await talk.learn(("firmware_version", words[-8:], words[-8:], seq))
        assert await talk.known() == {"firmware_version": "1.0.0.39"}
        [fact] = (await talk.summary())["facts"]
        assert [row["value"] for row in fact["history"]] == ["1.0.0.39", "1.0.0.45"]

    async def test_a_late_understanding_of_an_old_message_does_not_replace_a_newer_word(self, talk: Talk) -> None:
        old, new = await talk.says("固件1.0.0.39"), await talk.says("更新到1.0.0.45了")
        await talk.learn(("firmware_version", "1.0.0.45", "1.0.0.45", new))
        await talk.learn(("firmware_version", "1.0.0.39", "1.0.0.39", old))
        assert await talk.known() == {"firmware_version": "1.0.0.45"}

    @pytest.mark.parametrize(
        ("name", "value", "quote", "offset"),
        [
            ("device_model", "band-2", "手表", 0),
            ("device_model", "band-2", "手环2", 5),
            ("device_model", "band-2", "手环2", 1),
            ("favourite_colour", "band-2", "手环2", 0),
            ("device_model", " ", "手环2", 0),
            ("device_model", "band-2", "", 0),
        ],
    )
    async def test_without_evidence_nothing_is_learned(
        self, talk: Talk, name: str, value: str, quote: str, offset: int
    ) -> None:
        seq = await talk.says("我的手环2坏了")
        await talk.bot_says("您的手环2怎么了?")
        await talk.learn((name, value, quote, seq + offset), ("product", "band", "手环", seq))
        assert await talk.known() == {"product": "band"}

    async def test_a_quote_in_the_models_letters_becomes_the_customers_own(self, talk: Talk) -> None:
        seq = await talk.says("单号ＬＭ２６１１０３００４２，谢谢")
        await talk.learn(("order_number", "LM2611030042", "lm2611030042", seq))
        assert [(row.value, row.quote) for row in await talk.rows(Fact)] == [
            ("LM2611030042", "ＬＭ２６１１０３００４２")
        ]

    async def test_a_pressed_button_is_quoted_by_its_title(self, talk: Talk) -> None:
        seq = await talk.says("苹果手机", payload='/inform{"os": "ios"}')
        await talk.learn(("os", "ios", '/inform{"os": "ios"}', seq), ("os_version", "17", "17", seq))
        assert [(row.name, row.quote) for row in await talk.rows(Fact)] == [("os", "苹果手机")]

    async def test_each_step_is_stored_once_with_its_first_words(self, talk: Talk) -> None:
        first, second = await talk.says("重启过了"), await talk.says("说了重启过了,也重装了")
        await talk.learn(tried=(("restart_device", "重启过了", first),))
        await talk.learn(
            tried=(
                ("restart_device", "重启过了", second),
                ("reinstall_app", "重装了", second),
                ("wait", "等了", second),
            )
        )
        assert [(row.text, row.source_seq) for row in await talk.rows(TriedStep)] == [
            ("restart_device", first),
            ("reinstall_app", second),
        ]


class TestLearnContext:
    """Summaries.learn_context"""

    async def test_context_is_known_and_marked_as_such(self, talk: Talk) -> None:
        await talk.context(
            os="iOS",
            os_version="17.4",
            phone_model="iPhone",
            device_model="Band-2",
            firmware_version="1.0.0.39",
            app_version="5.1.0",
            page="https://shop.example/x",
            browser="Safari",
        )
        assert await talk.known() == {
            "os": "ios",
            "os_version": "17.4",
            "phone_model": "iPhone",
            "device_model": "band-2",
            "firmware_version": "1.0.0.39",
            "app_version": "5.1.0",
        }
        assert all(fact["source"] == {"context": True} for fact in (await talk.summary())["facts"])

    async def test_the_customers_word_counts_more(self, talk: Talk) -> None:
        await talk.context(os="ios")
        seq = await talk.says("我用安卓手机")
        await talk.learn(("os", "android", "安卓", seq))
        await talk.context(os="ios")
        assert await talk.known() == {"os": "android"}

    async def test_a_computers_system_is_no_phones(self, talk: Talk) -> None:
        await talk.context(os="Windows", os_version="11", app_version="5.2.1")
        assert await talk.known() == {"app_version": "5.2.1"}


class TestBriefing:
    """Summaries.briefing"""

    async def test_both_languages_before_any_handoff(self, talk: Talk) -> None:
        await talk.says("手环充不进电")
        async with desk.database.read() as session:
            briefing = await Summaries(session).briefing(await Conversations(session).get(talk.id))
        assert set(briefing.headline) == set(LANGUAGES) and all(
            "手环充不进电" in line for line in briefing.headline.values()
        )
        assert briefing.emotion == {"label": "calm", "score": 0.0, "course": []}

    async def test_two_hundred_messages_take_less_than_300_ms(self, talk: Talk) -> None:
        async with desk.database.write() as session:
            conversation = await Conversations(session).get(talk.id, lock=True)
            for number in range(100):
                await Conversations(session).append(
                    conversation, Sender.CUSTOMER, f"{number} 手环步数不动,我要退款", sender_name="王女士"
                )
                await Conversations(session).append(
                    conversation, Sender.BOT, f"第 {number} 步:走 30 步再看。", sender_name="小墨"
                )
        taken = []
        for _ in range(4):
            started = time.perf_counter()
            await talk.summary()
            taken.append(time.perf_counter() - started)
        assert min(taken) < 0.3


class TestEndpoint:
    """GET /v1/conversations/{id}/summary"""

    async def handed_over(self, running: RunningDesk) -> Any:
        """A customer in the tech queue after one understood message."""

        async def behave(body: dict[str, Any]) -> dict[str, Any]:
            seq = body["messages"][0]["seq"]
            return answer(
                "我明白,步数不动确实着急。",
                nlu=[understood("device_problem/steps_zero", "angry", 0.9)],
                facts=[
                    {"name": "device_model", "value": "band-2", "quote": "手环2", "seq": seq},
                    {"name": "symptom", "value": "步数一直为 0", "quote": "步数是0", "seq": seq},
                ],
                tried=[{"text": "restart_device", "quote": "重启过了", "seq": seq}],
                handoff={"reason": "emotion", "evidence": [seq], "priority": 2, "group": "tech"},
            )

        running.bot.behave = behave
        customer = await running.customer(context={"os": "iOS", "firmware_version": "1.0.0.39"})
        await customer.send("手环2步数是0,重启过了也没用,退货!")
        await customer.until(owner="queue")
        return customer

    async def test_the_agent_reads_it_before_a_word(self, running: RunningDesk) -> None:
        customer = await self.handed_over(running)
        person = await running.person("lin", groups=("tech",))
        [handoff] = await person.queue()
        assert "步数一直为 0" in handoff["summary_line"] and "退货" in handoff["summary_line"]
        assert handoff["emotion"]["label"] == "angry" and handoff["emotion"]["course"][0]["seq"] == 1
        written = (await person.get(f"/conversations/{customer.id}/summary")).json()
        assert written["language"] == "zh" and written["reason"] == "emotion" and written["reason_text"] == "情绪激动"
        facts = {fact["name"]: fact for fact in written["facts"]}
        assert facts["device_model"]["quote"] == "手环2" and facts["device_model"]["source"] == {"seq": 1}
        assert facts["os"]["value"] == "ios" and facts["firmware_version"]["source"] == {"context": True}
        assert written["tried"][0] == {
            "text": "重启过设备",
            "code": "restart_device",
            "quote": "重启过了也没用",
            "seq": 1,
        }
        assert [hope["text"] for hope in written["hopes"]] == ["退货"]
        assert any(step["source"].get("known_issue") == "steps-zero-ios" for step in written["next_steps"])

    async def test_it_follows_what_is_said_while_waiting(self, running: RunningDesk) -> None:
        customer = await self.handed_over(running)
        person = await running.person("lin", groups=("tech",))
        [before] = await person.queue()
        await customer.send("算了不退货了,直接退款!")
        for _ in range(100):
            [waiting] = await person.queue()
            if waiting["summary_line"] != before["summary_line"]:
                break
            await asyncio.sleep(0.1)
        assert "退款" in waiting["summary_line"] and len(waiting["emotion"]["course"]) == 2

    async def test_language_of_the_reader_or_else_of_the_customer(self, running: RunningDesk) -> None:
        customer = await self.handed_over(running)
        person = await running.person("lin", groups=("tech",))
        path = f"/conversations/{customer.id}/summary"
        english = (await person.get(path, language="en")).json()
        assert english["language"] == "en" and english["tried"][0]["text"] == "Restarted the device"
        assert english["hopes"][0]["quote"] == (await person.get(path)).json()["hopes"][0]["quote"] == "退货"
        assert (await person.get(path, language="fr")).status_code == 422

    @pytest.mark.parametrize(
        ("role", "groups", "status"),
        [
            ("agent", ("tech",), 200),
            ("agent", ("orders",), 403),
            ("designer", ("tech",), 403),
            ("supervisor", ("care",), 200),
            ("admin", ("care",), 200),
        ],
    )
    async def test_who_may_read_it(self, running: RunningDesk, role: str, groups: tuple[str, ...], status: int) -> None:
        customer = await self.handed_over(running)
        person = await running.person("lin", role, groups)
        assert (await person.get(f"/conversations/{customer.id}/summary")).status_code == status

    async def test_not_for_customers_strangers_and_unknown_conversations(self, running: RunningDesk) -> None:
        customer = await self.handed_over(running)
        path = f"{customer.path}/summary"
        assert (await running.http.get(path, headers=customer.headers)).status_code == 403
        assert (await running.http.get(path)).status_code == 401
        person = await running.person("lin", groups=("tech",))
        assert (await person.get("/conversations/c_unknown/summary")).status_code == 404

    async def test_a_broken_bot_leaves_a_summary_of_raw_words(self, running: RunningDesk) -> None:
        async def broken(body: dict[str, Any]) -> dict[str, Any]:
            raise RuntimeError

        running.bot.behave, running.bot.hears = broken, False
        customer = await running.customer()
        await customer.send("快递三天没动了")
        await customer.until(owner="queue")
        person = await running.person("lin")
        written = (await person.get(f"/conversations/{customer.id}/summary")).json()
        assert (
            "快递三天没动了" in written["problem"] and written["reason"] == "bot_error" and written["problem_seq"] == 1
        )
        assert written["emotion"] == {"label": "calm", "score": 0.0, "course": []}


class TestWrong:
    """POST /v1/conversations/{id}/summary/wrong"""

    async def told(self, running: RunningDesk) -> tuple[Any, Any, str]:
        """A customer in the tech queue, the agent who reads, and the path of the summary."""
        customer = await TestEndpoint().handed_over(running)
        person = await running.person("lin", groups=("tech",))
        return customer, person, f"/conversations/{customer.id}/summary"

    async def test_a_fact_gets_its_right_value_and_the_bot_knows_it(self, running: RunningDesk) -> None:
        customer, person, path = await self.told(running)
        line = {"part": "facts", "name": "device_model", "seq": 1, "said": "band-2", "value": "band-3"}
        answer = await person.post(f"{path}/wrong", line)
        assert answer.status_code == 201
        facts = {fact["name"]: fact for fact in (await person.get(path)).json()["facts"]}
        assert facts["device_model"]["value"] == "band-3" and facts["device_model"]["source"] == {"lookup": "agent"}
        assert facts["device_model"]["history"] == []
        assert (await Talk(customer.id).known())["device_model"] == "band-3"

    async def test_any_line_can_be_struck(self, running: RunningDesk) -> None:
        _, person, path = await self.told(running)
        before = (await person.get(path)).json()
        for part in ("hopes", "tried"):
            line = before[part][0]
            body = {"part": part, "seq": line["seq"], "said": line["quote"]}
            assert (await person.post(f"{path}/wrong", body)).status_code == 201
            assert line not in (await person.get(path)).json()[part]
            assert (await person.post(f"{path}/wrong", body)).status_code == 404

    @pytest.mark.parametrize("language", ["zh", "en"])
    async def test_what_the_desk_put_together_can_be_struck(self, running: RunningDesk, language: str) -> None:
        _, person, path = await self.told(running)
        for part in ("story", "next_steps"):
            read = f"{path}?language={language}"
            line = (await person.get(read)).json()[part][0]
            seq = line["seqs"][0] if part == "story" else line.get("seq", line.get("source", {}).get("seq"))
            body = {"part": part, "seq": seq, "said": line["text"]}
            assert (await person.post(f"{path}/wrong", body)).status_code == 201
            assert line["text"] not in [one["text"] for one in (await person.get(read)).json()[part]]
            assert (await person.post(f"{path}/wrong", body)).status_code == 404
            other = (await person.get(path)).json()[part]
            assert len(other) == len((await person.get(read)).json()[part])

    async def test_a_wrong_problem_gives_way_to_the_next_and_a_wrong_headline_to_plain_words(
        self, running: RunningDesk
    ) -> None:
        _, person, path = await self.told(running)
        before = (await person.get(path)).json()
        body = {"part": "headline", "said": before["headline"]}
        assert (await person.post(f"{path}/wrong", body)).status_code == 201
        plain = (await person.get(path)).json()["headline"]
        assert plain != before["headline"] and before["problem_quote"] in plain
        body = {"part": "problem", "seq": before["problem_seq"], "said": before["problem_quote"]}
        assert (await person.post(f"{path}/wrong", body)).status_code == 201
        assert (await person.get(path)).json()["problem_seq"] != before["problem_seq"]

    async def test_designers_read_it_without_the_customer(self, running: RunningDesk) -> None:
        _, person, path = await self.told(running)
        line = {"part": "facts", "name": "device_model", "seq": 1, "said": "band-2", "value": "band-3"}
        await person.post(f"{path}/wrong", line)
        designer = await running.person("mei", "designer", ())
        [kept] = (await designer.get("/summary/corrections")).json()["items"]
        assert (kept["claimed"], kept["value"], kept["quote"]) == ("band-2", "band-3", "手环2")
        assert (await person.get("/summary/corrections")).status_code == 403

    async def test_a_struck_headline_does_not_name_the_customer(self, running: RunningDesk) -> None:
        customer, person, path = await self.told(running)
        async with desk.database.write() as session:
            conversation = await session.get_one(Conversation, customer.id)
            (await session.get_one(Customer, conversation.customer_id)).name = "欧阳若兰"
        headline = (await person.get(path)).json()["headline"]
        assert "欧阳若兰" in headline
        await person.post(f"{path}/wrong", {"part": "headline", "said": headline})
        designer = await running.person("mei", "designer", ())
        [kept] = (await designer.get("/summary/corrections")).json()["items"]
        assert kept["part"] == "headline" and "欧阳若兰" not in kept["claimed"]


class TestClosing:
    """GET /v1/conversations/{id}/summary/closing"""

    async def test_problem_and_solution(self, running: RunningDesk) -> None:
        customer = await TestEndpoint().handed_over(running)
        person = await running.person("lin", groups=("tech",))
        assert (await person.claim(customer.id)).status_code == 200
        await person.reply(customer.id, "给您登记了退货。明天 12:00 前给您取件时间。")
        note = (await person.get(f"/conversations/{customer.id}/summary/closing")).json()["note"]
        assert note.splitlines()[0].startswith("问题：步数一直为 0")
        assert "处理：客服回答" in note and "登记了退货" in note
        assert note.splitlines()[-1] == "待兑现：明天 12:00 前给您取件时间。"


async def test_conversations_do_not_mix(running: RunningDesk, talk: Talk) -> None:
    seq = await talk.says("我的手环2")
    await talk.learn(("device_model", "band-2", "手环2", seq))
    async with desk.database.write() as session:
        other, _ = await Conversations(session).start(await Customers(session).anonymous(), None, {})
        assert isinstance(other, Conversation)
    assert await Talk(other.id).known() == {} and (await Talk(other.id).summary())["facts"] == []
