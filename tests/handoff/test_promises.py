"""Promises: R&D's answers reach the customer, overdue ones reach a person, and each is settled exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select, update

from examples.shop.app import create_app as create_shop
from examples.shop.settings import Settings as ShopSettings
from handoff.clock import iso, now
from handoff.conversations.models import Note, OwnershipEvent
from handoff.desk import desk
from handoff.promises.models import Promise
from handoff.promises.service import tend
from handoff.queue.models import Handoff
from handoff.settings import settings
from tests.handoff.conftest import Customer, Person, RunningDesk
from tests.handoff.servers import answer, free_port, serving

TOKEN = "shop-token-of-the-tests"
ANSWER = {"zh": "1.0.0.45 已修好,请更新。", "en": "Fixed in 1.0.0.45, please update."}


class RealShop:
    """The shop, serving, and R&D behind it."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def file(self) -> str:
        """A customer's bug report; returns its id."""
        body = {"device_model": "band-2", "symptom": "步数一直为 0", "description": "走了也是 0", "conversation": "c"}
        filed = await self._http.post("/bug-reports", json=body, headers={"Idempotency-Key": iso(now()) or ""})
        assert filed.status_code == 201, filed.text
        return str(filed.json()["id"])

    async def answer(self, reference: str) -> None:
        """R&D answers."""
        answered = await self._http.post(
            f"/bug-reports/{reference}/answer", json={"answer": ANSWER, "fixed_in": "1.0.0.45"}
        )
        assert answered.status_code == 200, answered.text


@pytest_asyncio.fixture
async def shop(running: RunningDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RealShop]:
    """The example shop itself, on a free port."""
    app = create_shop(ShopSettings(database=tmp_path / "shop.db", api_token=TOKEN))
    async with serving(app, free_port()) as url:
        monkeypatch.setattr(settings, "shop_api_url", url)
        monkeypatch.setattr(settings, "shop_api_token", TOKEN)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http:
            yield RealShop(http)


async def promised(running: RunningDesk, reference: str, due_in: timedelta, **body: Any) -> Customer:
    """A customer to whom the bot has promised R&D's answer."""

    async def behave(turn: dict[str, Any]) -> dict[str, Any]:
        promise = {
            "kind": "bug_report",
            "reference": reference,
            "due_at": iso(now() + timedelta(hours=9)),
            "text": {"zh": "研发明天 18:00 前答复您。", "en": "R&D answers by 18:00 tomorrow."},
        }
        return answer("已经报给研发,明天 18:00 前答复您。", body=turn, promises=[promise])

    running.bot.behave = behave
    customer = await running.customer(**body)
    await customer.send("步数一直是0")
    await customer.until(2)
    running.bot.behave = running.bot.echo
    await fall_due(customer, due_in)
    return customer


async def fall_due(customer: Customer, due_in: timedelta) -> None:
    """Let time pass until the promise is due in `due_in`."""
    async with desk.database.write() as session:
        await session.execute(
            update(Promise).where(Promise.conversation_id == customer.id).values(due_at=now() + due_in)
        )


async def states(customer: Customer) -> list[str]:
    """The states of the conversation's promises."""
    async with desk.database.read() as session:
        return list(
            await session.scalars(
                select(Promise.state).where(Promise.conversation_id == customer.id).order_by(Promise.id)
            )
        )


async def notes(customer: Customer) -> list[Note]:
    """The internal notes."""
    async with desk.database.read() as session:
        return list(await session.scalars(select(Note).where(Note.conversation_id == customer.id)))


async def words(customer: Customer) -> list[str]:
    """Everything in the conversation."""
    return [message["text"] for message in (await customer.read())["messages"]]


async def claimed(running: RunningDesk, customer: Customer) -> Person:
    """A person takes the conversation."""
    person = await running.person("lin")
    assert (await customer.ask_for_person()).status_code == 202
    assert (await person.claim(customer.id)).status_code == 200
    return person


class TestAnswered:
    """R&D has answered."""

    async def test_nothing_happens_before(self, running: RunningDesk, shop: RealShop) -> None:
        customer = await promised(running, await shop.file(), timedelta(hours=9))
        await tend()
        assert await states(customer) == ["open"] and len(await words(customer)) == 2

    @pytest.mark.parametrize("language", ["zh", "en"])
    async def test_customer_is_told_once_in_their_language(
        self, running: RunningDesk, shop: RealShop, language: str
    ) -> None:
        reference = await shop.file()
        customer = await promised(running, reference, timedelta(hours=9), language=language)
        await shop.answer(reference)
        await tend()
        await tend()
        page = await customer.read()
        assert page["owner"] == "bot" and len(page["messages"]) == 3
        assert page["messages"][2]["sender"] == "system"
        assert ANSWER[language] in page["messages"][2]["text"] and reference in page["messages"][2]["text"]
        assert await states(customer) == ["kept"]

    async def test_closed_conversation_is_told_and_stays_closed(self, running: RunningDesk, shop: RealShop) -> None:
        reference = await shop.file()
        customer = await promised(running, reference, timedelta(hours=9))
        person = await claimed(running, customer)
        await person.post(f"/conversations/{customer.id}/resolve", {"outcome": "solved"})
        await shop.answer(reference)
        await tend()
        page = await customer.read()
        assert page["owner"] == "closed" and ANSWER["zh"] in page["messages"][-1]["text"]

    async def test_waiting_and_agents_customers_are_told(self, running: RunningDesk, shop: RealShop) -> None:
        references = [await shop.file(), await shop.file()]
        waiting, served = [await promised(running, reference, timedelta(hours=9)) for reference in references]
        person = await claimed(running, served)
        await waiting.ask_for_person()
        for reference in references:
            await shop.answer(reference)
        await tend()
        for customer, owner in ((waiting, "queue"), (served, person.owner)):
            page = await customer.read()
            assert page["owner"] == owner and ANSWER["zh"] in page["messages"][-1]["text"]

    async def test_answered_at_the_last_moment_is_not_broken(self, running: RunningDesk, shop: RealShop) -> None:
        reference = await shop.file()
        customer = await promised(running, reference, timedelta(seconds=-1))
        await shop.answer(reference)
        await tend()
        assert await states(customer) == ["kept"] and (await customer.read())["owner"] == "bot"

    async def test_late_answer_is_still_told_with_an_apology(self, running: RunningDesk, shop: RealShop) -> None:
        reference = await shop.file()
        customer = await promised(running, reference, timedelta(seconds=-1))
        await tend()
        assert await states(customer) == ["broken"]
        await shop.answer(reference)
        await tend()
        await tend()
        told = [text for text in await words(customer) if ANSWER["zh"] in text]
        assert len(told) == 1 and "抱歉" in told[0]
        assert await states(customer) == ["late"] and (await customer.read())["owner"] == "queue"

    async def test_unknown_report_does_not_stop_the_others(self, running: RunningDesk, shop: RealShop) -> None:
        reference = await shop.file()
        lost = await promised(running, "BR-999999", timedelta(hours=1))
        customer = await promised(running, reference, timedelta(hours=9))
        await shop.answer(reference)
        await tend()
        assert await states(lost) == ["open"] and await states(customer) == ["kept"]

    async def test_shop_down_loses_nothing(
        self, running: RunningDesk, shop: RealShop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reference = await shop.file()
        customer = await promised(running, reference, timedelta(hours=9))
        overdue = await promised(running, await shop.file(), timedelta(seconds=-1))
        await shop.answer(reference)
        url = settings.shop_api_url
        monkeypatch.setattr(settings, "shop_api_url", f"http://127.0.0.1:{free_port()}")
        await tend()
        assert await states(customer) == ["open"] and await states(overdue) == ["broken"]
        monkeypatch.setattr(settings, "shop_api_url", url)
        await tend()
        assert await states(customer) == ["kept"]


class TestOverdue:
    """The time has passed and nobody has answered."""

    async def test_bot_conversation_goes_to_the_queue_and_the_customer_is_told(
        self, running: RunningDesk, shop: RealShop
    ) -> None:
        customer = await promised(running, await shop.file(), timedelta(seconds=-1))
        await tend()
        await tend()
        page = await customer.read()
        assert page["owner"] == "queue" and page["queue"]["position"] == 1
        assert "没有按时" in page["messages"][-1]["text"] and len(page["messages"]) == 3
        async with desk.database.read() as session:
            [handoff] = await session.scalars(select(Handoff).where(Handoff.conversation_id == customer.id))
        assert (handoff.reason, handoff.priority, handoff.evidence) == ("broken_promise", 2, [2])
        assert await states(customer) == ["broken"]

    async def test_closed_conversation_opens_again(self, running: RunningDesk, shop: RealShop) -> None:
        customer = await promised(running, await shop.file(), timedelta(hours=9))
        person = await claimed(running, customer)
        await person.post(f"/conversations/{customer.id}/resolve", {"outcome": "solved"})
        await fall_due(customer, timedelta(seconds=-1))
        await tend()
        assert (await customer.read())["owner"] == "queue"
        async with desk.database.read() as session:
            changes = list(
                await session.scalars(
                    select(OwnershipEvent.to_owner)
                    .where(OwnershipEvent.conversation_id == customer.id)
                    .order_by(OwnershipEvent.version)
                )
            )
        assert changes[-3:] == ["closed", "bot", "queue"]

    async def test_agents_conversation_stays_with_a_note(self, running: RunningDesk, shop: RealShop) -> None:
        customer = await promised(running, await shop.file(), timedelta(hours=9))
        person = await claimed(running, customer)
        before = await words(customer)
        await fall_due(customer, timedelta(seconds=-1))
        await tend()
        await tend()
        assert (await customer.read())["owner"] == person.owner and await words(customer) == before
        [note] = await notes(customer)
        assert "研发明天 18:00 前答复您。" in note.text and "R&D answers by 18:00 tomorrow." in note.text

    async def test_waiting_conversation_moves_forward(self, running: RunningDesk, shop: RealShop) -> None:
        other = await running.customer()
        await other.send("你好")
        await other.until(2)
        customer = await promised(running, await shop.file(), timedelta(hours=9))
        await other.ask_for_person()
        await customer.ask_for_person()
        assert (await customer.read())["queue"]["position"] == 2
        await fall_due(customer, timedelta(seconds=-1))
        await tend()
        assert (await customer.read())["queue"]["position"] == 1
        assert len(await notes(customer)) == 1

    async def test_a_more_urgent_handoff_keeps_its_priority(self, running: RunningDesk, shop: RealShop) -> None:
        customer = await promised(running, await shop.file(), timedelta(hours=9))
        await customer.ask_for_person()
        async with desk.database.write() as session:
            await session.execute(update(Handoff).where(Handoff.conversation_id == customer.id).values(priority=1))
        await fall_due(customer, timedelta(seconds=-1))
        await tend()
        async with desk.database.read() as session:
            assert await session.scalar(select(Handoff.priority).where(Handoff.conversation_id == customer.id)) == 1

    async def test_without_a_shop_promises_still_fall_due(
        self, running: RunningDesk, shop: RealShop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        customer = await promised(running, await shop.file(), timedelta(seconds=-1))
        monkeypatch.setattr(settings, "shop_api_url", "")
        await tend()
        assert await states(customer) == ["broken"]


class TestOnce:
    """Several desks tend at the same time."""

    async def test_many_rounds_at_once_settle_each_promise_once(self, running: RunningDesk, shop: RealShop) -> None:
        answered, overdue = [], []
        for number in range(6):
            reference = await shop.file()
            customer = await promised(running, reference, timedelta(seconds=-1))
            (answered if number % 2 else overdue).append(customer)
            if number % 2:
                await shop.answer(reference)
        await asyncio.gather(*(tend() for _ in range(6)))
        for customer in answered:
            assert sum(ANSWER["zh"] in text for text in await words(customer)) == 1
            assert await states(customer) == ["kept"] and (await customer.read())["owner"] == "bot"
        for customer in overdue:
            assert sum("没有按时" in text for text in await words(customer)) == 1
            assert await states(customer) == ["broken"] and (await customer.read())["owner"] == "queue"

    async def test_a_round_cut_off_before_its_commit_is_done_again(
        self, running: RunningDesk, shop: RealShop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        customer = await promised(running, await shop.file(), timedelta(seconds=-1))
        with monkeypatch.context() as broken:
            broken.setattr("handoff.queue.service.announce", _power_cut)
            await tend()
        assert await states(customer) == ["open"] and (await customer.read())["owner"] == "bot"
        await tend()
        assert await states(customer) == ["broken"] and (await customer.read())["owner"] == "queue"


def _power_cut(*_: object) -> str:
    raise ConnectionError


class TestEndpoints:
    """What people at work promise."""

    def body(self, **changes: Any) -> dict[str, Any]:
        """A promise due in two hours."""
        return {"text": "今天下班前把退款进度告诉您", "due_at": iso(datetime.now(UTC) + timedelta(hours=2))} | changes

    async def test_the_customer_reads_it_and_the_summary_links_to_it(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        given = await person.post(f"/conversations/{customer.id}/promises", self.body())
        assert given.status_code == 201 and given.json()["state"] == "open" and given.json()["kind"] == "agent"
        message = (await customer.read())["messages"][-1]
        assert message["seq"] == given.json()["seq"] and message["sender"] == "system"
        assert "lin" in message["text"] and "退款进度" in message["text"]
        listed = (await person.get(f"/conversations/{customer.id}/promises")).json()["promises"]
        assert listed == [given.json()]
        [promise] = (await person.get(f"/conversations/{customer.id}/summary")).json()["promises"]
        assert promise["seq"] == message["seq"] and promise["due_at"] == given.json()["due_at"]

    async def test_words_already_said_are_not_said_again(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        said = await person.reply(customer.id, "好的,今天下班前把退款进度告诉您,放心。")
        given = await person.post(f"/conversations/{customer.id}/promises", self.body())
        assert given.json()["seq"] == said.json()["seq"] == (await customer.read())["messages"][-1]["seq"]

    async def test_kept_in_time_is_never_broken(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        path = f"/conversations/{customer.id}/promises"
        promise = (await person.post(path, self.body())).json()
        for _ in range(2):
            kept = await person.post(f"{path}/{promise['id']}/kept")
            assert kept.status_code == 200 and kept.json()["state"] == "kept"
        await fall_due(customer, timedelta(seconds=-1))
        await tend()
        assert await states(customer) == ["kept"] and await notes(customer) == []

    async def test_forgotten_is_noted_and_stays_broken(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        path = f"/conversations/{customer.id}/promises"
        promise = (await person.post(path, self.body())).json()
        await fall_due(customer, timedelta(seconds=-1))
        await tend()
        assert len(await notes(customer)) == 1
        assert (await person.post(f"{path}/{promise['id']}/kept")).json()["state"] == "broken"

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"due_at": "2020-01-01T00:00:00Z"}, 422),
            ({"due_at": "0001-01-01T00:00:00+23:00"}, 422),
            ({"due_at": "9999-12-31T23:59:59Z"}, 422),
            ({"due_at": "9999-12-31T23:59:59-23:00"}, 422),
            ({"due_at": iso(now() + timedelta(days=367))}, 422),
            ({"text": "\u200b\u3164"}, 422),
            ({"due_at": "2099-01-01T00:00:00"}, 422),
            ({"due_at": "tomorrow"}, 422),
            ({"text": "  "}, 422),
            ({"text": "好" * 501}, 422),
            ({"due_at": None}, 422),
        ],
    )
    async def test_bad_promises(self, running: RunningDesk, changes: dict[str, Any], status: int) -> None:
        customer, person = await running.with_agent()
        answered = await person.post(f"/conversations/{customer.id}/promises", self.body(**changes))
        assert answered.status_code == status and answered.json()["error"]["message"]
        assert await states(customer) == []

    @pytest.mark.parametrize(
        ("role", "groups", "read", "write"),
        [
            ("agent", ("tech",), 403, 403),
            ("designer", ("care",), 403, 403),
            ("supervisor", ("orders",), 200, 409),
            ("admin", ("orders",), 200, 409),
        ],
    )
    async def test_rights_of_others(
        self, running: RunningDesk, role: str, groups: tuple[str, ...], read: int, write: int
    ) -> None:
        customer, _ = await running.with_agent()
        other = await running.person("other", role, groups)
        path = f"/conversations/{customer.id}/promises"
        assert (await other.get(path)).status_code == read
        assert (await other.post(path, self.body())).status_code == write

    async def test_who_sees_but_does_not_own_is_told_so(self, running: RunningDesk) -> None:
        customer = await running.customer()
        await customer.send("你好")
        await customer.until(2)
        await customer.ask_for_person()
        person = await running.person("lin")
        answered = await person.post(f"/conversations/{customer.id}/promises", self.body())
        assert answered.status_code == 409 and answered.json()["error"]["code"] == "not_owner"

    async def test_closed_other_and_unknown(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        boss = await running.person("boss", "supervisor")
        path = f"/conversations/{customer.id}/promises"
        promise = (await person.post(path, self.body())).json()
        elsewhere = await running.customer()
        assert (await boss.post(f"/conversations/{elsewhere.id}/promises/{promise['id']}/kept")).status_code == 404
        assert (await boss.post(f"{path}/{2**40}/kept")).status_code == 404
        assert (await running.http.get(f"/api/v1{path}", headers=customer.headers)).status_code == 403
        await person.post(f"/conversations/{customer.id}/resolve", {"outcome": "solved"})
        closed = await boss.post(path, self.body())
        assert closed.status_code == 409 and closed.json()["error"]["code"] == "closed"
