"""The customer's half of the contract, row by row, with every refusal in both languages."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from sqlalchemy import select, update

from handoff.attachments.service import clean_name
from handoff.caretaker import close_idle
from handoff.clock import now
from handoff.conversations.models import Conversation
from handoff.customers.models import Customer as CustomerRow
from handoff.desk import desk
from handoff.queue.models import Handoff
from handoff.settings import settings
from tests.handoff.conftest import PASSWORD, Customer, RunningDesk
from tests.handoff.pictures import EXE, GB_TEXT, HTML, JPEG, LOG, PDF, PNG, SVG, ZIP
from tests.handoff.servers import answer

CJK = re.compile(r"[\u4e00-\u9fff]")
API = "/api/v1"


def error(reply: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check an error's status, shape and code; returns it."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    assert set(reply.json()) == {"error"} and set(reply.json()["error"]) == {"code", "message", "details"}
    assert reply.json()["error"]["code"] == code
    return reply.json()["error"]


def signed(**claims: Any) -> str:
    """Sign a customer token as the company's site does."""
    full = {"sub": "cust-1", "name": "王小明", "exp": now() + timedelta(minutes=5), "jti": uuid.uuid4().hex} | claims
    kept = {name: value for name, value in full.items() if value is not None}
    return jwt.encode(kept, settings.identity_secret, algorithm="HS256")


async def start(running: RunningDesk, **body: Any) -> httpx.Response:
    """Open a conversation."""
    return await running.http.post(f"{API}/conversations", json=body)


class TestErrors:
    async def test_shape_and_languages(self, running: RunningDesk) -> None:
        customer = await running.customer()
        zh, en = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}, {"accept-language": "de-DE,en;q=0.8"}
        cases: list[tuple[str, str, dict[str, Any], int, str]] = [
            ("GET", "/api/nowhere", {}, 404, "not_found"),
            ("GET", "/api/v1/queue/", {"headers": {}}, 404, "not_found"),
            ("GET", "/webhooks/nowhere", {}, 404, "not_found"),
            ("GET", "/api", {}, 404, "not_found"),
            ("POST", "/webhooks", {}, 404, "not_found"),
            ("PATCH", f"{API}/conversations", {}, 405, "method_not_allowed"),
            ("GET", f"{API}/agents/login", {}, 405, "method_not_allowed"),
            ("GET", f"{API}/queue", {}, 401, "unauthenticated"),
            ("GET", f"{API}/queue", {"headers": {"Authorization": "Basic eA=="}}, 401, "unauthenticated"),
            ("GET", f"{API}/queue", {"headers": {"Authorization": "Bearer at_wrong"}}, 401, "unauthenticated"),
            ("GET", f"{API}/queue", {"headers": customer.headers}, 403, "forbidden"),
            (
                "POST",
                f"{API}/conversations",
                {"content": b"{", "headers": {"content-type": "application/json"}},
                400,
                "bad_request",
            ),
            ("POST", f"{API}/conversations", {"json": {"language": "fr"}}, 422, "invalid"),
            ("POST", f"{API}/conversations", {"json": {"context": {"page": "x" * 300_000}}}, 413, "too_large"),
            (
                "POST",
                f"{customer.path}/messages",
                {"content": b"{", "headers": {**customer.headers, "content-type": "application/json"}},
                400,
                "bad_request",
            ),
            (
                "POST",
                f"{customer.path}/messages",
                {"content": b"hi", "headers": {**customer.headers, "content-type": "text/plain"}},
                415,
                "unsupported_type",
            ),
        ]
        for method, path, options, status, code in cases:
            for header, chinese in ((zh, True), (en, False)):
                headers = {**header, **options.get("headers", {})}
                reply = await running.http.request(method, path, **{**options, "headers": headers})
                assert bool(CJK.search(error(reply, status, code)["message"])) is chinese, (method, path)

    async def test_other_media_types_are_told_what_is_taken(self, running: RunningDesk) -> None:
        customer = await running.customer()
        login = {"name": "lin", "password": PASSWORD}
        for path, body in (
            (f"{API}/conversations", {"language": "zh"}),
            (f"{API}/agents/login", login),
            (f"{customer.path}/rating", {"score": 5}),
        ):
            plain = {**customer.headers, "content-type": "text/plain"}
            reply = await running.http.post(path, content=json.dumps(body), headers=plain)
            assert "application/json" in error(reply, 415, "not_json")["message"]
            error(await running.http.post(path, data=body, headers=customer.headers), 415, "not_json")
            error(await running.http.post(path, json=[], headers=customer.headers), 422, "invalid")

    async def test_allow_names_every_method_of_the_path(self, running: RunningDesk) -> None:
        customer = await running.customer()
        for path, methods in (
            (f"{customer.path}/messages", "GET, POST"),
            (f"{customer.path}/handoff", "DELETE, POST"),
            (f"{API}/agents/login", "POST"),
            (f"{API}/attachments/f_x/a.png", "GET, HEAD"),
        ):
            reply = await running.http.patch(path)
            error(reply, 405, "method_not_allowed")
            assert reply.headers["allow"] == methods

    @pytest.mark.parametrize("chinese", [True, False])
    async def test_fields_at_fault_in_the_callers_language(self, running: RunningDesk, chinese: bool) -> None:
        customer, person = await running.customer(), await running.person("boss", "supervisor")
        language = {"accept-language": "zh-CN" if chinese else "en"}
        week = {"title_zh": "x", "title_en": "x"}
        cases: list[tuple[str, str, Any, str]] = [
            ("POST", f"{API}/conversations", {"language": "fr"}, ""),
            ("POST", f"{API}/conversations", [], ""),
            ("POST", f"{customer.path}/messages", {"client_id": "x", "text": "\u200b"}, customer.token),
            ("POST", f"{customer.path}/messages", {"client_id": "x", "text": "长" * 4001}, customer.token),
            ("POST", f"{customer.path}/messages", {"text": 1}, customer.token),
            ("GET", f"{customer.path}/messages?after=-1&wait=x", None, customer.token),
            ("POST", f"{customer.path}/rating", {"score": 6}, customer.token),
            ("PUT", f"{API}/groups/care", {**week, "timezone": "Mars"}, person.token),
            ("PUT", f"{API}/groups/care", {**week, "hours": {"0": []}}, person.token),
            ("GET", f"{API}/conversations?owner=xyz", None, person.token),
            ("GET", f"{API}/conversations?after=c_none", None, person.token),
        ]
        for method, path, body, token in cases:
            headers = {**language, "Authorization": f"Bearer {token or customer.token}"}
            reply = await running.http.request(method, path, json=body, headers=headers)
            fields = error(reply, 422, "invalid")["details"]["fields"]
            assert fields and all(bool(CJK.search(one["problem"])) is chinese for one in fields), (path, fields)

    async def test_documents(self, running: RunningDesk) -> None:
        assert (await running.http.get("/api/docs")).status_code == 200
        document = (await running.http.get("/api/openapi.json")).json()
        assert "/v1/conversations/{id}/messages" in document["paths"]

    async def test_a_body_without_end_is_not_read(self, running: RunningDesk) -> None:
        customer = await running.customer()

        async def endless() -> Any:
            for _ in range(400):
                yield b"x" * 65536

        headers = {**customer.headers, "content-type": "multipart/form-data; boundary=b"}
        try:
            reply = await running.http.post(f"{customer.path}/messages", content=endless(), headers=headers)
        except httpx.WriteError:  # the server hung up in the middle, which is as good
            return
        assert reply.status_code in {400, 413}

    async def test_what_no_database_stores(self, running: RunningDesk) -> None:
        customer = await running.customer()
        raw = b'{"client_id": "n1", "text": "log\\u0000 \\ud83d end"}'
        headers = {**customer.headers, "content-type": "application/json"}
        sent = await running.http.post(f"{customer.path}/messages", content=raw, headers=headers)
        assert sent.status_code in {201, 400, 422}
        lone = await running.http.get(f"{API}/conversations/%00/messages", headers=customer.headers)
        assert lone.status_code in {403, 404, 422}
        broken = await running.http.get(f"{API}/conversations/c%0A/messages", headers=customer.headers)
        assert broken.status_code == 404 and broken.json()["error"]["code"] == "not_found"
        person = await running.person("lin")
        assert (await person.get("/conversations", q="a\x00b")).status_code in {200, 422}
        assert (await person.get("/conversations/%00")).status_code in {404, 422}
        assert (await customer.send("日志\x00完")).status_code == 201
        assert (await customer.send("x", client_id="a\x00b")).status_code in {201, 422}


class TestStart:
    async def test_answer_and_context(self, running: RunningDesk) -> None:
        begun = await start(running, language="en", context={"os": "ios", "app_version": "5.2.1", "unknown": 1})
        assert begun.status_code == 201 and set(begun.json()) == {"id", "token", "owner"}
        assert begun.json()["owner"] == "bot" and len(begun.json()["token"]) > 40

    async def test_known_customer_once(self, running: RunningDesk) -> None:
        token = signed()
        assert (await start(running, customer_token=token)).status_code == 201
        error(await start(running, customer_token=token), 401, "bad_customer_token")
        replies = await asyncio.gather(*[start(running, customer_token=signed(sub="cust-2")) for _ in range(5)])
        assert [reply.status_code for reply in replies] == [201] * 5
        same = signed(sub="cust-3")
        replies = await asyncio.gather(*[start(running, customer_token=same) for _ in range(4)])
        assert sorted(reply.status_code for reply in replies) == [201, 401, 401, 401]
        async with desk.database.read() as session:
            known = list(await session.scalars(select(CustomerRow).where(CustomerRow.external_id.is_not(None))))
        assert sorted(str(row.external_id) for row in known) == ["cust-1", "cust-2", "cust-3"]
        assert known[0].name == "王小明"

    async def test_bad_customer_tokens(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        bad = [
            "rubbish",
            jwt.encode({"sub": "c", "exp": now() + timedelta(minutes=5), "jti": "x"}, "another secret " * 3, "HS256"),
            jwt.encode({"sub": "c", "exp": now() + timedelta(minutes=5), "jti": "x"}, None, "none"),
            signed(exp=now() - timedelta(seconds=1)),
            signed(exp=now() + timedelta(minutes=11)),
            signed(exp=10**18),
            signed(exp=None),
            signed(jti=None),
            signed(sub=None),
            signed(sub="  "),
            signed(sub=7),
        ]
        for token in bad:
            error(await start(running, customer_token=token), 401, "bad_customer_token")
        good = signed()
        monkeypatch.setattr(settings, "identity_secret", "")
        error(await start(running, customer_token=good), 401, "bad_customer_token")

    async def test_limit_of_an_address(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "limit_conversations", 2)
        assert [(await start(running)).status_code for _ in range(2)] == [201, 201]
        refused = await start(running)
        error(refused, 429, "too_many_requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 60

    async def test_token_life(self, running: RunningDesk) -> None:
        customer = await running.customer()

        async def expires(moment: datetime) -> None:
            async with desk.database.write() as session:
                await session.execute(
                    update(Conversation).where(Conversation.id == customer.id).values(token_expires_at=moment)
                )

        await expires(now() + timedelta(days=3))
        await customer.read()
        async with desk.database.read() as session:
            renewed = (await session.get_one(Conversation, customer.id)).token_expires_at
        assert timedelta(days=29, hours=23) < renewed - now() <= timedelta(days=30)
        await expires(now() - timedelta(seconds=1))
        error(await customer.send("在吗"), 401, "unauthenticated")


class TestMessages:
    async def test_numbers_retries_and_reuse(self, running: RunningDesk) -> None:
        customer = await running.customer()
        first = await customer.send("  你好  ", client_id="a")
        assert (first.status_code, first.json()["seq"]) == (201, 1)
        again = await customer.send("你好", client_id="a")
        assert (again.status_code, again.json()["seq"]) == (200, 1)
        error(await customer.send("别的", client_id="a"), 409, "client_id_reused")
        page = await customer.until(2)
        assert [message["seq"] for message in page["messages"]] == [1, 2]
        message = page["messages"][0]
        assert message["text"] == "你好" and message["client_id"] == "a" and message["created_at"].endswith("Z")
        assert {"seq", "sender", "sender_name", "text", "buttons", "attachment", "created_at", "client_id"} <= set(
            message
        )
        assert (await customer.read(after=1))["messages"] == page["messages"][1:]

    async def test_what_is_refused(self, running: RunningDesk) -> None:
        customer, other = await running.customer(), await running.customer()
        for words in ("", "   ", "长" * 4001, "\u200b\u200b", " \ufeff\u2060 ", "\u3164", "\u2800 \u00ad"):
            error(await customer.send(words), 422, "invalid")
        assert (await customer.send("长" * 4000)).status_code == 201
        for body in (
            {"text": "x"},
            {"client_id": "", "text": "x"},
            {"client_id": "c" * 101, "text": "x"},
            {"client_id": 1, "text": "x"},
        ):
            error(
                await running.http.post(f"{customer.path}/messages", json=body, headers=customer.headers),
                422,
                "invalid",
            )
        for body in ({"client_id": "b"}, {"client_id": "b", "text": "x", "payload": "/x"}):
            reply = await running.http.post(f"{customer.path}/messages", json=body, headers=customer.headers)
            error(reply, 422, "text_or_payload")
        error(
            await running.http.post(
                f"{other.path}/messages", json={"client_id": "x", "text": "x"}, headers=customer.headers
            ),
            403,
            "forbidden",
        )

    async def test_limit_of_a_conversation(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "limit_messages", 2)
        customer = await running.customer()
        assert [(await customer.send(words, client_id=words)).status_code for words in ("一", "二")] == [201, 201]
        refused = await customer.send("三", client_id="三")
        error(refused, 429, "too_many_requests")
        assert int(refused.headers["retry-after"]) >= 1
        assert (await customer.send("一", client_id="一")).status_code == 200
        files = settings.attachments_folder
        assert (await upload(customer, PNG, "photo.png")).status_code == 429
        assert not [path for path in files.rglob("*") if path.is_file()]

    async def test_buttons(self, running: RunningDesk) -> None:
        offers = [
            {"title": "查订单", "payload": '/track_order{"product": "band"}'},
            {"title": "人工", "payload": "/request_human"},
        ]

        may_answer = asyncio.Event()
        may_answer.set()

        async def offer(body: dict[str, Any]) -> dict[str, Any]:
            await may_answer.wait()
            return answer(body=body, messages=[{"text": "选一个", "buttons": offers}])

        running.bot.behave = offer
        customer, other = await running.customer(), await running.customer()
        error(await customer.send(payload="/track_order"), 409, "stale_button")
        await customer.send("你好")
        await customer.until(2)
        error(await other.send(payload="/request_human"), 409, "stale_button")
        may_answer.clear()
        pressed = await customer.send(payload=offers[0]["payload"], client_id="p")
        assert pressed.status_code == 201
        assert (await customer.send(payload=offers[0]["payload"], client_id="p")).status_code == 200
        error(await customer.send(payload=offers[1]["payload"]), 409, "stale_button")
        may_answer.set()
        page = await customer.until(4)
        assert page["messages"][2]["text"] == "查订单"
        assert running.bot.turns[-1]["messages"] == [{"seq": 3, "payload": offers[0]["payload"]}]
        assert (await customer.send(payload="/request_human")).status_code == 201
        page = await customer.until(6, owner="queue")
        assert page["messages"][5]["buttons"][0]["payload"] == "/cancel_handoff"
        assert (await customer.send(payload="/cancel_handoff")).status_code == 201
        assert (await customer.read())["owner"] == "bot"

    async def test_waiting_for_news(self, running: RunningDesk) -> None:
        customer = await running.customer()
        began = time.monotonic()
        assert (await customer.read(wait=0.5))["messages"] == [] and time.monotonic() - began >= 0.45
        for _ in range(5):
            seq = (await customer.read())["messages"][-1]["seq"] if running.bot.turns else 0
            waiting = asyncio.create_task(customer.read(after=seq, wait=20))
            await asyncio.sleep(0.05)
            await customer.send("在吗")
            page = await asyncio.wait_for(waiting, 8)
            assert page["messages"][0]["seq"] == seq + 1
            await customer.until(seq + 2)
        for wait in (-1, "x"):
            reply = await running.http.get(f"{customer.path}/messages", params={"wait": wait}, headers=customer.headers)
            error(reply, 422, "invalid")
        error(await running.http.get(f"{customer.path}/messages?after=-1", headers=customer.headers), 422, "invalid")

    async def test_language_switch(self, running: RunningDesk) -> None:
        customer = await running.customer()
        switched = await running.http.post(
            f"{customer.path}/language", json={"language": "en"}, headers=customer.headers
        )
        assert switched.status_code == 200
        await customer.ask_for_person()
        assert "You are number 1 in line" in (await customer.read())["messages"][0]["text"]


async def upload(
    customer: Customer, content: bytes, name: str, client_id: str | None = None, **fields: str
) -> httpx.Response:
    """Send a file."""
    data = {"client_id": client_id or uuid.uuid4().hex} | fields
    return await customer.http.post(
        f"{customer.path}/messages", data=data, files={"file": (name, content)}, headers=customer.headers
    )


class TestAttachments:
    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    async def test_kinds_by_content(self, running: RunningDesk) -> None:
        customer = await running.customer()
        taken = {"a.png": PNG, "b.exe": JPEG, "c.pdf": PDF, "d.log": LOG, "e.txt": GB_TEXT}
        for name, content in taken.items():
            assert (await upload(customer, content, name)).status_code == 201, name
        rows = [m["attachment"] for m in (await customer.read())["messages"] if m["attachment"]]
        assert [row["type"] for row in rows] == [
            "image/png",
            "image/jpeg",
            "application/pdf",
            "text/plain",
            "text/plain",
        ]
        for row, content in zip(rows, taken.values(), strict=True):
            served = await running.http.get(row["url"])
            assert served.content == content and row["size"] == len(content)
            assert served.headers["x-content-type-options"] == "nosniff"
            kind = "inline" if row["type"].startswith("image/") else "attachment"
            assert served.headers["content-disposition"].startswith(kind)
        for name, content in {"a.svg": SVG, "b.png": HTML, "c.log": EXE, "d.txt": ZIP, "e.png": SVG}.items():
            error(await upload(customer, content, name), 415, "unsupported_type")
        error(await upload(customer, b"", "empty.txt"), 422, "empty_file")

    async def test_size_retry_and_form(self, running: RunningDesk) -> None:
        customer = await running.customer()
        limit = settings.attachment_limit
        error(await upload(customer, b"a" * (limit + 1), "big.log"), 413, "too_large")
        assert (await upload(customer, b"a" * limit, "big.log")).status_code == 201
        first = await upload(customer, PNG, "a.png", "f", text=" 看图 ")
        again = await upload(customer, PNG, "a.png", "f", text="看图")
        assert (first.status_code, again.status_code) == (201, 200) and first.json()["seq"] == again.json()["seq"]
        error(await upload(customer, JPEG, "a.png", "f", text="看图"), 409, "client_id_reused")
        assert len([path for path in settings.attachments_folder.rglob("*") if path.is_file()]) == 2
        nothing = await running.http.post(
            f"{customer.path}/messages", data={"client_id": "x"}, files={"other": PNG}, headers=customer.headers
        )
        error(nothing, 422, "invalid")
        broken = {**customer.headers, "content-type": "multipart/form-data; boundary=b"}
        error(await running.http.post(f"{customer.path}/messages", content=b"--", headers=broken), 422, "invalid")
        pressed = await running.http.post(
            f"{customer.path}/messages",
            data={"client_id": "p", "payload": "/greet"},
            files={"file": PNG},
            headers=customer.headers,
        )
        error(pressed, 422, "text_or_payload")
        two = [("file", ("a.png", PNG)), ("file", ("b.png", PNG))]
        twice = await running.http.post(
            f"{customer.path}/messages", data={"client_id": "y"}, files=two, headers=customer.headers
        )
        error(twice, 400, "bad_request")
        assert (await customer.read())["messages"][-1]["seq"] >= 2

    async def test_addresses(self, running: RunningDesk) -> None:
        customer = await running.customer()
        await upload(customer, PNG, "../../等等/\u202egnp.exe")
        row = (await customer.read())["messages"][0]["attachment"]
        assert "/" not in row["name"] and "\u202e" not in row["name"]
        url = httpx.URL(row["url"])
        assert (await running.http.get(url)).status_code == 200
        forged = url.copy_set_param("signature", "0" * 64)
        later = url.copy_set_param("expires", str(int(time.time()) + 10**6))
        for wrong in (forged, later, url.copy_set_param("expires", "1")):
            error(await running.http.get(wrong), 403, "bad_link")
        wrongs = (b"", b"expires=x", b"expires=%C2%B2&signature=x", b"expires=" + b"9" * 5000, b"signature=x")
        for query in wrongs:
            error(await running.http.get(url.copy_with(query=query)), 403, "bad_link")
        head = await running.http.head(url)
        assert (head.status_code, head.headers["content-type"], head.content) == (200, "image/png", b"")
        assert (await running.http.head(forged)).status_code == 403

    def test_names(self) -> None:
        assert clean_name("C:\\Windows\\a.log") == "a.log"
        assert clean_name("..") == clean_name(None) == clean_name("") == "file"
        assert "\n" not in clean_name("a\r\nSet-Cookie: x.png")
        assert clean_name("长" * 300 + ".png").endswith(".png") and len(clean_name("长" * 300 + ".png")) <= 120
        assert clean_name(Path("a/b").as_posix()) == "b"


class TestPerson:
    async def test_ask_and_give_up(self, running: RunningDesk) -> None:
        first, second = await running.customer(language="zh"), await running.customer(language="en")
        assert (await first.ask_for_person()).status_code == 202
        assert (await first.ask_for_person()).status_code == 200
        await second.ask_for_person()
        page = await second.read()
        assert page["queue"] == {"position": 2, "wait_seconds": None, "opens_at": None}
        assert "number 2 in line, with 1 ahead" in page["messages"][0]["text"]
        assert "Nobody is at the desk right now" in page["messages"][0]["text"]
        gone = await running.http.delete(f"{first.path}/handoff", headers=first.headers)
        assert gone.status_code == 200 and gone.json()["owner"] == "bot"
        error(await running.http.delete(f"{first.path}/handoff", headers=first.headers), 409, "not_waiting")
        assert (await second.read())["queue"]["position"] == 1
        await first.send("查订单")
        await first.until(4)

    async def test_estimate_when_known(self, running: RunningDesk) -> None:
        person = await running.person("lin", capacity=1)
        for _ in range(3):
            customer = await running.customer(language="zh")
            await customer.ask_for_person()
            assert (await person.claim(customer.id)).status_code == 200
            assert (
                await person.post(f"/conversations/{customer.id}/resolve", {"outcome": "solved"})
            ).status_code == 200
        async with desk.database.write() as session:
            for handoff in await session.scalars(select(Handoff)):
                handoff.created_at -= timedelta(seconds=30)
                handoff.ended_at = (handoff.claimed_at or now()) + timedelta(minutes=5)
        customers = [await running.customer(language="zh") for _ in range(2)]
        for customer in customers:
            await customer.ask_for_person()
        assert "预计 1 分钟内接入" in (await customers[0].read())["messages"][0]["text"]
        page = await customers[1].read()
        assert "预计等待约" in page["messages"][0]["text"] and 300 <= page["queue"]["wait_seconds"] <= 400

    async def test_with_agent_closed_and_rating(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        error(await customer.ask_for_person(), 409, "with_agent")

        async def rate(**body: Any) -> httpx.Response:
            return await running.http.post(f"{customer.path}/rating", json=body, headers=customer.headers)

        error(await rate(score=5), 409, "not_closed")
        await person.post(f"/conversations/{customer.id}/resolve", {"outcome": "solved"})
        for score in (0, 6, "5", 4.5, None):
            error(await rate(score=score), 422, "invalid")
        assert (await rate(score=5, comment="谢谢")).status_code == 201
        error(await rate(score=1), 409, "already_rated")
        assert (await customer.ask_for_person()).status_code == 202
        error(await rate(score=1), 409, "not_closed")
        assert (await person.claim(customer.id)).status_code == 200
        await person.post(f"/conversations/{customer.id}/resolve", {"outcome": "unsolved"})
        assert (await rate(score=2)).status_code == 201

    async def test_reopening(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        await person.post(f"/conversations/{customer.id}/resolve", {"outcome": "solved"})
        await customer.send("又坏了")
        assert (await customer.read())["owner"] == person.owner
        await person.post(f"/conversations/{customer.id}/resolve", {"outcome": "solved"})
        await person.presence("offline")
        await customer.send("又坏了")
        page = await customer.until(owner="bot", count=10)
        assert page["messages"][-1]["text"] == "echo 又坏了"
        assert running.bot.resets == [{"conversation": customer.id, "keep_facts": True}]

    async def test_idle_conversations_close(self, running: RunningDesk) -> None:
        customer, waiting = await running.customer(), await running.customer()
        await customer.send("你好")
        await customer.until(2)
        await waiting.ask_for_person()
        async with desk.database.write() as session:
            await session.execute(update(Conversation).values(updated_at=now() - timedelta(days=2)))
        await close_idle()
        assert (await customer.read())["owner"] == "closed" and (await waiting.read())["owner"] == "queue"
