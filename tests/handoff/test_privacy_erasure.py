"""Erasing a customer beside a serving desk, giving their data out, and keeping nothing longer than allowed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import func, select, update

from handoff.attachments.models import Attachment
from handoff.clock import now
from handoff.conversations.models import Conversation, Message, OwnershipEvent, Rating
from handoff.customers.models import Customer, UsedToken
from handoff.database import DATABASE_AWAY, Database
from handoff.desk import desk
from handoff.models import TABLES
from handoff.privacy.erasure import announce_erasures, scrub, tell_bots
from handoff.privacy.models import Erasure
from handoff.privacy.retention import keep_no_longer
from handoff.privacy.search import find_customers
from handoff.settings import settings
from tests.handoff.conftest import Customer as Talk
from tests.handoff.conftest import RunningDesk
from tests.handoff.servers import answer, free_port, serving, understood
from tests.handoff.wires import Wire

ROOT = Path(__file__).parents[2]
PHONE = "13812345678"
MARK = "Wangxiaoming-unmistakable"
WORDS = f"我是{MARK}，电话138 1234 5678，订单LM2611030042"


class ForgetfulBot:
    """A second bot, which only remembers what it was told to forget."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []
        self.status = 200
        self.app = FastAPI()
        self.app.post("/webhooks/desk/forget")(self._forget)

    async def _forget(self, request: Request) -> Any:
        from fastapi.responses import JSONResponse

        if self.status == 200:
            self.forgotten.append((await request.json())["conversation"])
        return JSONResponse({}, self.status)


async def knows_it_all(body: dict[str, Any]) -> dict[str, Any]:
    """A turn that leaves something in every table."""
    seq = body["messages"][0]["seq"]
    return answer(
        f"好的{MARK}",
        body=body,
        facts=[{"name": "order_number", "value": "LM2611030042", "quote": "LM2611030042", "seq": seq}],
        tried=[{"text": "restart", "quote": WORDS[:20], "seq": seq}],
        nlu=[understood(label="angry") for _ in body["messages"]],
        promises=[
            {
                "kind": "bug_report",
                "reference": "BR-7",
                "text": {"zh": MARK, "en": MARK},
                "due_at": (now() + timedelta(hours=1)).isoformat(),
            }
        ],
        handoff={"reason": "asked_for_person", "group": "care"},
    )


async def full_story(running: RunningDesk, external_id: str | None = None) -> tuple[Talk, Any]:
    """A conversation that has left traces everywhere, owned by an agent."""
    body: dict[str, Any] = {"context": {"page": f"https://example.com/{MARK}"}}
    if external_id:
        claims = {"sub": external_id, "name": MARK, "exp": now() + timedelta(minutes=5), "jti": f"j-{external_id}"}
        body["customer_token"] = jwt.encode(claims, settings.identity_secret, "HS256")
    customer = await running.customer(**body)
    running.bot.behave = knows_it_all
    await customer.send(WORDS)
    await customer.until(owner="queue")
    person = running.people.get("lin") or await running.person("lin")
    await person.claim(customer.id)
    files = {"file": (f"{MARK}.txt", MARK.encode(), "text/plain")}
    sent = await running.http.post(
        f"{customer.path}/messages", data={"client_id": "file"}, files=files, headers=customer.headers
    )
    assert sent.status_code == 201
    await person.post(f"/conversations/{customer.id}/notes", {"text": MARK})
    return customer, person


async def run_jieli(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own, with the running desk's settings."""
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url.replace("+aiosqlite", "").replace("+psycopg", ""),
        "JIELI_VAR": str(settings.jieli_var),
        "BOT_URLS": ",".join(settings.bot_urls),
        "BOT_TOKEN": settings.bot_token,
        "JIELI_ENV_FILE": "none",
        "SECRET_KEY": settings.secret_key,
    }
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", "from handoff.cli import app; app()", *words],
        cwd=ROOT,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
    )


async def traces(mark: str) -> list[str]:
    """Tables in which any column of any row holds `mark`."""
    found = []
    async with desk.database.read() as session:
        for table in TABLES:
            rows = (await session.execute(select(table))).mappings()
            if any(mark in json.dumps(dict(row), default=str, ensure_ascii=False) for row in rows):
                found.append(table.name)
    return found


def bytes_on_disk() -> bytes:
    files = [path for path in settings.jieli_var.rglob("*") if path.is_file() and "log" not in path.parts]
    return b"".join(path.read_bytes() for path in files)


async def until(done: Any, seconds: float = 30) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not await done():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def test_a_customer_is_forgotten_while_the_desk_serves(running: RunningDesk) -> None:
    second = ForgetfulBot()
    running.bot.app.post("/webhooks/desk/forget")(second._forget)
    customer, person = await full_story(running, "shop-4711")
    running.bot.behave = running.bot.echo
    other = await running.customer()
    await other.send("别人的话")
    async with desk.database.read() as session:
        attachment = (await session.scalars(select(Attachment))).one()
    socket, agent_socket = Wire("/jieli"), Wire("/agents")
    auth = {"conversation": customer.id, "token": customer.token, "after": 0}
    assert await socket.connect(running.url, auth)
    assert await agent_socket.connect(running.url, {"token": person.token})
    assert {"messages", "attachments", "customers", "conversations", "notes", "promises"} <= set(await traces(MARK))

    unreadable = settings.jieli_var / "trackers.db.broken-1"
    unreadable.write_text(MARK, encoding="utf-8")
    refused = await run_jieli("forget", "shop-4711", stdin="n\n")
    assert refused.returncode == 1 and "shop-4711" in refused.stdout and await traces(MARK)
    done = await run_jieli("forget", "shop-4711", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "LM2611030042" in done.stdout and "BR-7" in done.stdout and MARK in done.stdout.splitlines()[0]
    assert second.forgotten == [customer.id] and not unreadable.exists()
    assert await traces(MARK) == [] and await traces("LM2611030042") == [] and await traces("shop-4711") == []
    assert not (settings.attachments_folder / attachment.id[-2:] / attachment.id).exists()
    if desk.database.is_sqlite:
        left = bytes_on_disk()
        assert MARK.encode() not in left and b"138 1234 5678" not in left and "别人的话".encode() in left
    assert (await customer.send("还在吗")).status_code == 401
    events = (
        await (running.people.get("boss") or await running.person("boss", "admin")).get(
            f"/conversations/{customer.id}/events"
        )
    ).json()["items"]
    assert events[-1]["to"] == "closed" and events[-1]["reason"] == "erased" and not any(e["note"] for e in events)
    await asyncio.wait_for(socket.gone.wait(), 30)

    async def agent_knows() -> bool:
        told = [data for name, data in agent_socket.heard if name == "owner"]
        return any(data["conversation_id"] == customer.id and data["owner"] == "closed" for data in told)

    await until(agent_knows)
    assert (await other.read())["messages"]
    again = await run_jieli("forget", "shop-4711", "--yes")
    assert again.returncode == 1 and "Nobody found" in again.stderr
    await agent_socket.client.disconnect()


async def test_found_by_phone_and_mail_however_spelled(running: RunningDesk) -> None:
    spelled, mailed, other = await running.customer(), await running.customer(), await running.customer()
    await spelled.send("电话１３８-1234-五六七八")
    await mailed.send("发到Zhang.Wei@Example.com")
    await other.send("电话13900000000，zhang@example.com")
    async with desk.database.read() as session:

        async def who(words: str) -> list[str]:
            customers = {one.id for one in await find_customers(session, words)}
            query = select(Conversation.id).where(Conversation.customer_id.in_(customers))
            return list(await session.scalars(query))

        assert await who(PHONE) == [spelled.id]
        assert await who("zhang.wei@example.com") == [mailed.id]
        assert await who(other.id) == [other.id]
        assert await who("不存在") == await who("12") == []


async def test_nothing_is_stored_once_a_conversation_is_erased(running: RunningDesk) -> None:
    release = asyncio.Event()

    async def slow(body: dict[str, Any]) -> dict[str, Any]:
        await release.wait()
        return await knows_it_all(body)

    customer = await running.customer()
    running.bot.behave = slow
    await customer.send(WORDS)
    await until(lambda: asyncio.sleep(0, bool(running.bot.turns)))
    async with desk.database.write() as session:
        from handoff.privacy.erasure import erase_conversation

        await erase_conversation(session, customer.id, by="operator")
    release.set()
    await until(lambda: asyncio.sleep(0, not desk.turns._running))
    await asyncio.sleep(0.3)
    assert await traces(MARK) == []
    async with desk.database.read() as session:
        conversation = await session.get_one(Conversation, customer.id)
        messages = await session.scalar(select(func.count()).select_from(Message))
    assert (conversation.last_seq, messages, conversation.owner) == (0, 0, "closed")


async def test_bots_that_are_away_are_told_later(running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    second = ForgetfulBot()
    second.status = 503
    customer = await running.customer()
    await customer.send(WORDS)
    await customer.until(2)
    async with serving(second.app, free_port()) as url:
        monkeypatch.setattr(desk.bot, "_urls", [url])
        async with desk.database.write() as session:
            from handoff.privacy.erasure import erase_conversation

            await erase_conversation(session, customer.id, by="operator")
        assert await tell_bots() == 1
        second.status = 200
        assert await tell_bots() == 0 and second.forgotten == [customer.id]
        await tell_bots()
        assert second.forgotten == [customer.id], "the second time comes only after a while"
        await announce_erasures()
        async with desk.database.write() as session:
            await session.execute(update(Erasure).values(requested_at=now() - timedelta(minutes=2)))
        await tell_bots()
    assert second.forgotten == [customer.id] * 2
    async with desk.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Erasure)) == 0


async def test_a_log_that_still_holds_what_was_deleted_is_not_called_empty(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handoff.database.SQLITE_BUSY_SECONDS", 0.05)
    path = shutil.copy(sqlite_template, tmp_path / "desk.db")
    log = Path(f"{path}-wal")
    database = Database(f"sqlite+aiosqlite:///{path}")
    try:
        async with database.write() as session:
            session.add(Customer(id="cu_before", created_at=now()))
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM customers").fetchall()
            async with database.write() as session:
                session.add(Customer(id="cu_after", created_at=now()))
            with pytest.raises(DATABASE_AWAY):
                await scrub(database, whole=False)
            assert log.stat().st_size
        await scrub(database, whole=False)
        assert not log.stat().st_size
    finally:
        await database.close()


async def test_a_customers_data_is_given_out_without_secrets(running: RunningDesk) -> None:
    customer, _ = await full_story(running, "shop-4712")
    given = await run_jieli("export", "shop-4712")
    assert given.returncode == 0, given.stderr
    found = json.loads(given.stdout)
    assert found[0]["customer"]["external_id"] == "shop-4712"
    conversation = found[0]["conversations"][0]
    assert conversation["id"] == customer.id and WORDS in [message["text"] for message in conversation["messages"]]
    assert all(conversation[part] for part in ("facts", "tried", "notes", "promises", "handoffs", "events"))
    assert "token_hash" not in given.stdout and (await run_jieli("export", "nobody")).returncode == 1


async def test_nothing_is_kept_longer_than_allowed(running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    old, person = await full_story(running, "shop-4713")
    open_one, _ = await full_story(running, "shop-4714")
    new = await running.customer()
    await new.send("新的")
    for one in (old, new):
        if one is new:
            await new.until(owner="queue")
            await person.claim(new.id)
        assert (await person.post(f"/conversations/{one.id}/resolve", {"outcome": "solved"})).status_code == 200
    rating = {"score": 1, "comment": MARK}
    assert (await running.http.post(f"{old.path}/rating", json=rating, headers=old.headers)).status_code == 201
    long_ago = now() - timedelta(days=800)
    async with desk.database.write() as session:
        await session.execute(
            update(Conversation).where(Conversation.id.in_([old.id, open_one.id])).values(updated_at=long_ago)
        )
        await session.execute(update(Customer).values(created_at=long_ago))
        session.add(UsedToken(jti="old", expires_at=now() - timedelta(hours=1)))
    logs = settings.jieli_var / "log"
    logs.mkdir(exist_ok=True)
    unreadable = settings.jieli_var / "trackers.db.broken-1"
    for path, days in ((logs / "desk.log.3", 40), (logs / "desk.log", 0), (unreadable, 40)):
        path.write_text("{}")
        os.utime(path, (time.time() - days * 86400,) * 2)
    await keep_no_longer()
    async with desk.database.read() as session:
        kept = {row.id: row for row in await session.scalars(select(Conversation))}
        assert kept[old.id].erased_at and not kept[new.id].erased_at and not kept[open_one.id].erased_at
        score = (await session.scalars(select(Rating))).one()
        assert (score.score, score.comment) == (1, None)
        assert not await session.get(UsedToken, "old")
        names = set(await session.scalars(select(Customer.external_id).where(Customer.external_id.is_not(None))))
        assert names == {"shop-4714"}
        assert await session.scalar(
            select(func.count()).select_from(OwnershipEvent).where(OwnershipEvent.conversation_id == old.id)
        )
    assert (logs / "desk.log").exists() and not (logs / "desk.log.3").exists() and not unreadable.exists()

    async with desk.database.write() as session:
        await session.execute(
            update(Conversation).where(Conversation.id == new.id).values(last_seq=Conversation.last_seq)
        )
        await session.execute(update(Attachment).values(created_at=long_ago))
        await session.execute(
            update(Conversation).where(Conversation.id == open_one.id).values(owner="closed", updated_at=now())
        )
    await keep_no_longer()
    async with desk.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Attachment)) == 0
        texts = list(await session.scalars(select(Message.text).where(Message.conversation_id == open_one.id)))
    assert not [path for path in settings.attachments_folder.rglob("*") if path.is_file()]
    assert any("保存期" in text for text in texts)

    async with desk.database.write() as session:
        await session.execute(
            update(Conversation)
            .where(Conversation.erased_at.is_not(None))
            .values(erased_at=now() - timedelta(days=1200))
        )
        await session.execute(Erasure.__table__.delete())
    await keep_no_longer()
    async with desk.database.read() as session:
        assert await session.get(Conversation, old.id) is None

    monkeypatch.setattr(settings, "retention_days", "off")
    async with desk.database.write() as session:
        await session.execute(update(Conversation).values(updated_at=long_ago))
    await keep_no_longer()
    async with desk.database.read() as session:
        assert not (await session.get_one(Conversation, new.id)).erased_at
