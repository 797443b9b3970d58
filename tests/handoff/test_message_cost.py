"""What each message costs the desk: the short way stores what the general way stores, and no table is read through."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from handoff.conversations import endpoints
from handoff.conversations.intake import receive_plain
from handoff.conversations.models import Conversation, Message
from handoff.conversations.service import Conversations, Said
from handoff.desk import desk
from handoff.errors import ApiError
from handoff.settings import settings
from handoff.sqlite import DirectCursor
from tests.handoff.conftest import RunningDesk

OF_ITS_OWN = {"id", "conversation_id", "created_at", "client_id", "content_hash", "sender_id"}
BIG_TABLES = {"messages", "conversations", "handoffs", "facts", "ownership_events", "customers", "notes", "attachments"}


def _values(row: Any) -> dict[str, Any]:
    return {column.name: getattr(row, column.key) for column in row.__table__.columns}


class TestShortWay:
    async def test_stores_what_the_general_way_stores(self, running: RunningDesk) -> None:
        short, general = await running.customer(), await running.customer()
        for customer in (short, general):
            await customer.ask_for_person()
        stored = await receive_plain(short.id, short.token, Said("one", "Where is my order LM1001?"))
        assert stored is not None
        async with desk.database.write() as session:
            await Conversations(session).receive(general.id, Said("one", "Where is my order LM1001?"))
        async with desk.database.read() as session:
            rows = [
                await session.scalar(
                    select(Message).where(Message.conversation_id == customer.id, Message.client_id == "one")
                )
                for customer in (short, general)
            ]
            talks = [await session.get_one(Conversation, customer.id) for customer in (short, general)]
        first, second = (_values(row) for row in rows)
        assert {name for name in first if first[name] != second[name]} <= OF_ITS_OWN
        assert rows[0] is not None and rows[0].content_hash == rows[1].content_hash  # type: ignore[union-attr]
        same = ("owner", "version", "last_seq", "last_customer_seq", "answered_seq", "spoken_language", "group_name")
        assert [getattr(talks[0], name) for name in same] == [getattr(talks[1], name) for name in same]
        assert rows[0].seq == talks[0].last_seq and stored.seq == talks[0].last_seq

    async def test_leaves_to_the_general_way_what_is_not_plain(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        assert (await customer.send("一次", client_id="twice")).status_code == 201
        assert await receive_plain(customer.id, customer.token, Said("twice", "一次")) is None
        again = await customer.send("一次", client_id="twice")
        assert again.status_code == 200
        assert (await customer.send("别的", client_id="twice")).status_code == 409
        body = {"outcome": "solved"}
        assert (await person.post(f"/conversations/{customer.id}/resolve", body)).status_code == 200
        assert await receive_plain(customer.id, customer.token, Said("later", "又坏了")) is None
        assert (await customer.send("又坏了")).status_code == 201
        assert (await customer.read())["owner"] != "closed"

    async def test_refuses_what_the_general_way_refuses(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        customer, stranger = await running.customer(), await running.customer()
        with pytest.raises(ApiError) as swapped:
            await receive_plain(customer.id, stranger.token, Said("a", "你好"))
        with pytest.raises(ApiError) as unknown:
            await receive_plain("c_nobody", stranger.token, Said("a", "你好"))
        assert (swapped.value.status, unknown.value.status) == (401, 404)
        async with desk.database.write() as session:
            (await Conversations(session).get(customer.id, lock=True)).token_revoked = True
        with pytest.raises(ApiError) as revoked:
            await receive_plain(customer.id, customer.token, Said("a", "你好"))
        assert revoked.value.status == 401
        monkeypatch.setattr(settings, "limit_messages", 2)
        codes = [(await stranger.send(f"第{number}句")).status_code for number in range(4)]
        assert codes == [201, 201, 429, 429]
        async with desk.database.read() as session:
            kept = await Conversations(session).page(await Conversations(session).get(stranger.id), 0)
        said = [message for message, _ in kept if message.sender == "customer"]
        assert [message.text for message in said] == ["第0句", "第1句"]

    async def test_many_at_once_are_numbered_without_gaps(self, running: RunningDesk) -> None:
        customers = [await running.customer() for _ in range(5)]
        for customer in customers:
            await customer.ask_for_person()
        answers = await asyncio.gather(
            *(
                endpoints.store(endpoints.CustomerCaller(one.id, "zh", one.token), one.id, Said(f"m{number}", "在吗"))
                for number in range(20)
                for one in customers
            )
        )
        assert all(new for _, new in answers)
        for customer in customers:
            seqs = [message["seq"] for message in (await customer.read())["messages"]]
            assert seqs == list(range(1, 22))

    async def test_one_that_fails_takes_no_other_with_it(self, running: RunningDesk) -> None:
        customer = await running.customer()
        good = [receive_plain(customer.id, customer.token, Said(f"m{number}", "在吗")) for number in range(3)]
        bad = receive_plain(customer.id, "ct_wrong", Said("bad", "在吗"))
        outcomes = await asyncio.gather(good[0], bad, *good[1:], return_exceptions=True)
        stored = "StoredMessage"
        assert [type(outcome).__name__ for outcome in outcomes] == [stored, "ApiError", stored, stored]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every statement that reaches SQLite on the desk's event loop from here on."""
    statements: set[str] = set()
    execute = DirectCursor.execute

    def note(cursor: DirectCursor, sql: str, parameters: Any = (), /) -> DirectCursor:
        statements.add(sql)
        return execute(cursor, sql, parameters)

    monkeypatch.setattr(DirectCursor, "execute", note)
    return statements


async def _scans(statement: str) -> list[str]:
    """Return the big tables that a statement reads from end to end, as SQLite plans it."""
    blank = (None,) * statement.count("?")
    async with desk.database.read() as session:
        connection = await session.connection()
        rows = await connection.run_sync(
            lambda sync: sync.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", blank).all()
        )
    words = [str(row[3]).split() for row in rows]
    return [" ".join(step) for step in words if step[0] == "SCAN" and step[1] in BIG_TABLES]


async def test_no_statement_of_a_message_reads_a_table_from_end_to_end(
    running: RunningDesk, seen: set[str]
) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("the plans of SQLite; PostgreSQL reads tables of a test's size from end to end, rightly")
    customer, person = await running.with_agent()
    bot_customer = await running.customer()
    seen.clear()
    await customer.send("手环没有步数")
    assert (await person.reply(customer.id, "我看一下")).status_code == 201
    await customer.read(after=1)
    await person.get(f"/conversations/{customer.id}/messages", after=1)
    await bot_customer.send("我的快递到哪了")
    await bot_customer.until(2)
    looked = [statement for statement in seen if statement.split()[0] in {"SELECT", "UPDATE", "DELETE", "INSERT"}]
    assert len(looked) > 10
    found = {statement: scans for statement in looked if (scans := await _scans(statement))}
    assert not found, found
