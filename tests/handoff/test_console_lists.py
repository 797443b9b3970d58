"""The console's shared lists: what pages are told, and nothing more."""

from __future__ import annotations

from typing import Any

import pytest

from handoff.console.lists import Sight, difference, renewed
from handoff.console.overview import found
from handoff.console.rows import display_name, held_rows
from handoff.desk import desk
from handoff.principals import AgentCaller, identify
from tests.handoff.conftest import Person, RunningDesk


def row(id: str, group: str = "care", **more: object) -> dict[str, object]:
    return {"conversation_id": id, "group": group, **more}


class TestRenewed:
    def test_rows_that_did_not_change_stay_the_same_object(self) -> None:
        before = {"a": row("a"), "b": row("b")}
        after = renewed(before, [row("a"), row("b", text="new")])
        assert after["a"] is before["a"]
        assert after["b"] == row("b", text="new")

    def test_a_list_that_did_not_change_stays_the_same_object(self) -> None:
        before = {"a": row("a")}
        assert renewed(before, [row("a")]) is before


class TestDifference:
    def test_a_page_that_shows_nothing_gets_all(self) -> None:
        assert difference(None, {"a": row("a")}) == {"all": [row("a")]}

    def test_only_changed_rows_and_the_names_of_gone_ones_travel(self) -> None:
        same = row("a")
        before = {"a": same, "b": row("b"), "c": row("c")}
        after = {"a": same, "b": row("b", text="new"), "d": row("d")}
        assert difference(before, after) == {"set": [row("b", text="new"), row("d")], "gone": ["c"]}


class TestSight:
    def test_agents_see_their_groups(self) -> None:
        rows = {"a": row("a", "care"), "b": row("b", "tech"), "c": row("c", "orders")}
        assert set(Sight(frozenset({"care", "orders"})).cut(rows)) == {"a", "c"}

    def test_who_is_in_no_group_sees_nothing(self) -> None:
        assert Sight(frozenset()).cut({"a": row("a")}) == {}

    def test_overseers_see_everything(self) -> None:
        assert set(Sight(None).cut({"a": row("a", "care"), "b": row("b", "tech")})) == {"a", "b"}


class TestHeldRows:
    async def test_who_waits_is_counted_from_the_first_message_without_an_answer(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        await person.reply(customer.id, "您好")
        await customer.send("第一句")
        first = (await held(person))["waiting_since"]
        await customer.send("second line")
        row = await held(person)
        assert row["waiting_since"] == first is not None
        await person.reply(customer.id, "在看")
        assert (await held(person))["waiting_since"] is None

    async def test_only_the_customers_own_messages_are_unread(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        await person.reply(customer.id, "您好")
        assert (await held(person))["unread"] == 0
        await person.post(f"/conversations/{customer.id}/resolve", {"outcome": "solved"})
        await customer.send("还有一句")  # opens the conversation again, with a line of the desk's own before it
        assert (await held(person))["unread"] == 1

    async def test_a_file_is_named(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        files = {"file": ("13812345678.log", b"a line", "text/plain")}
        body = {"client_id": "file-1"}
        await customer.http.post(f"{customer.path}/messages", data=body, files=files, headers=customer.headers)
        row = await held(person)
        assert row["text"] == "" and row["attachment"] == {"name": "〔电话〕.log", "type": "text/plain"}


@pytest.mark.parametrize("word", ["", "访客 ", "访客", "Visitor ", "visitor "])
async def test_supervisors_find_the_name_that_they_see(running: RunningDesk, word: str) -> None:
    customer, boss = await running.customer(), await running.person("bo", "supervisor")
    other = await running.customer()
    caller = await identify(boss.token)
    assert isinstance(caller, AgentCaller)
    shown = display_name(None, customer.id, "en").removeprefix("Visitor ")
    for tag in (shown, shown.lower()):
        ids = [item["id"] for item in (await found(caller, {"q": word + tag}, "en"))["items"]]
        assert customer.id in ids and other.id not in ids


async def held(person: Person) -> dict[str, Any]:
    async with desk.database.read() as session:
        return (await held_rows(session, [person.owner]))[0]
