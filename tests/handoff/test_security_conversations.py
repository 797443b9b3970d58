"""Other people's conversations: ids guessed, tokens swapped, ended or revoked, files fetched; what agents may see."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from handoff.attachments import service as files
from handoff.attachments.models import Attachment
from handoff.clock import now
from handoff.conversations.models import Conversation
from handoff.desk import desk
from handoff.identifiers import new_id, new_token
from handoff.settings import settings
from tests.handoff.attackers import SQLITE
from tests.handoff.conftest import Customer, RunningDesk
from tests.handoff.pictures import PNG
from tests.handoff.wires import customer_auth, wired

pytestmark = SQLITE
CALLS = {
    "GET messages": None,
    "POST messages": {"client_id": "x", "text": "x"},
    "POST typing": None,
    "POST read": {"seq": 1},
    "POST rating": {"score": 1},
    "POST language": {"language": "en"},
    "POST handoff": None,
    "DELETE handoff": None,
    "DELETE token": None,
    "GET summary": None,
    "GET summary/polished": None,
    "GET summary/closing": None,
    "POST summary/wrong": {"part": "hopes", "seq": 1, "said": "x"},
    "GET notes": None,
    "GET events": None,
    "GET promises": None,
    "POST notes": {"text": "x"},
    "POST take-over": None,
    "POST resolve": {"outcome": "spam"},
    "POST transfer": {"group": "care", "note": "x"},
    "POST release": None,
    "POST promises": {"text": "x", "due_at": "2099-01-01T00:00:00Z"},
}


async def statuses(running: RunningDesk, id: str, token: str) -> set[int]:
    """Call everything there is about a conversation."""
    found = set()
    for call, body in CALLS.items():
        method, _, rest = call.partition(" ")
        answer = await running.http.request(
            method, f"/api/v1/conversations/{id}/{rest}", json=body, headers={"Authorization": f"Bearer {token}"}
        )
        found.add(answer.status_code)
    found.add(
        (
            await running.http.get(f"/api/v1/conversations/{id}", headers={"Authorization": f"Bearer {token}"})
        ).status_code
    )
    return found


async def test_a_token_opens_its_own_conversation_only(running: RunningDesk) -> None:
    victim, attacker = await running.customer(), await running.customer()
    await victim.send("我的订单 LM2024010101")
    await victim.until(2)
    guessed = [victim.id, "c_" + "A" * 22, victim.id.swapcase(), victim.id + "%00", "..", "%2e%2e%2f" + victim.id, "0"]
    answers = [await statuses(running, id, attacker.token) for id in guessed]
    assert answers[0] == {403}, "a conversation that exists"
    assert answers[1] == {403}, "one that does not: no difference"
    assert all(found <= {403, 404, 405} for found in answers)
    assert (await victim.read())["owner"] == "bot" and len((await victim.read())["messages"]) == 2


async def test_no_token_that_is_not_good_opens_anything(running: RunningDesk) -> None:
    customer = await running.customer()
    ended, revoked = await running.customer(), await running.customer()
    async with desk.database.write() as session:
        past = now() - timedelta(seconds=1)
        await session.execute(update(Conversation).where(Conversation.id == ended.id).values(token_expires_at=past))
    await running.http.delete(f"{revoked.path}/token", headers=revoked.headers)
    for id, token in (
        (ended.id, ended.token),
        (revoked.id, revoked.token),
        (customer.id, "ct_"),
        (customer.id, customer.token[:-1]),
        (customer.id, customer.token + "A"),
        (customer.id, customer.token.upper()),
        (customer.id, "at_" + customer.token.removeprefix("ct_")),
        (customer.id, "' OR '1'='1"),
        (customer.id, "ct_' OR 1=1 --"),
        (customer.id, "ct_%"),
        (customer.id, "null"),
    ):
        assert await statuses(running, id, token) == {401}, token
        async with wired(running.url, "/jieli", {"conversation": id, "token": token, "after": 0}) as wire:
            assert wire.refusal_code == "unauthenticated"


@pytest.mark.parametrize("after", [2**53 + 1, 10**400, -(2**63), 1.5, True, "0", [0], {"$gt": 0}])
async def test_after_is_a_number_of_this_conversation(running: RunningDesk, after: object) -> None:
    customer = await running.customer()
    async with wired(running.url, "/jieli", {**customer_auth(customer), "after": after}) as wire:
        assert wire.client.namespaces == {}
    answer = await running.http.get(f"{customer.path}/messages", params={"after": str(after)}, headers=customer.headers)
    assert answer.status_code in {200, 422} and (answer.status_code == 422 or answer.json()["messages"] == [])


async def test_a_socket_stays_in_its_own_conversation(running: RunningDesk) -> None:
    """What it sends names no other, and nothing of the others reaches it."""
    victim, attacker = await running.customer(), await running.customer()
    async with (
        wired(running.url, "/jieli", customer_auth(victim)) as theirs,
        wired(running.url, "/jieli", customer_auth(attacker)) as mine,
    ):
        await mine.send(client_id="a", text="谁的?", conversation=victim.id, conversation_id=victim.id)
        await mine.type(conversation=victim.id, on=True)
        await theirs.send(client_id="b", text="秘密")
        await theirs.until(lambda: len(theirs.all("message")) >= 2)
        await asyncio.sleep(0.3)
        assert "秘密" not in str(mine.heard) and "谁的" not in str(theirs.heard)
        assert not any(item["sender"] == "customer" for item in theirs.all("typing"))


async def test_a_long_poll_ends_with_its_token(running: RunningDesk) -> None:
    customer, person = await running.with_agent()
    last = (await customer.read())["messages"][-1]["seq"]
    waiting = asyncio.create_task(
        running.http.get(f"{customer.path}/messages", params={"after": last, "wait": 20}, headers=customer.headers)
    )
    await asyncio.sleep(0.3)
    await running.http.delete(f"{customer.path}/token", headers=customer.headers)
    await person.reply(customer.id, "只给您看")
    answer = await asyncio.wait_for(waiting, 8)
    assert answer.status_code == 401 and "只给您看" not in answer.text


async def test_an_agents_long_poll_ends_with_login_and_rights(running: RunningDesk) -> None:
    customer, person = await running.with_agent()
    boss = await running.person("boss", "supervisor")
    last = (await customer.read())["messages"][-1]["seq"]
    path, params = f"/api/v1/conversations/{customer.id}/messages", {"after": last, "wait": 20}
    poll = asyncio.create_task(running.http.get(path, params=params, headers=person.headers))
    await asyncio.sleep(0.3)
    await boss.post(f"/conversations/{customer.id}/take-over")
    first = await asyncio.wait_for(poll, 8)
    assert first.status_code in {200, 403}
    last = (await customer.read())["messages"][-1]["seq"]
    poll = asyncio.create_task(running.http.get(path, params={"after": last, "wait": 20}, headers=boss.headers))
    await asyncio.sleep(0.3)
    await running.http.post("/api/v1/agents/logout", headers=boss.headers)
    await customer.send("后来说的")
    assert (await asyncio.wait_for(poll, 8)).status_code == 401


async def test_ids_and_tokens_cannot_be_guessed(running: RunningDesk) -> None:
    ids, tokens = {new_id("c") for _ in range(1000)}, {new_token("ct_") for _ in range(1000)}
    assert len(ids) == len(tokens) == 1000
    assert min(len(id.partition("_")[2]) for id in ids) * 6 >= 128
    assert min(len(token) - 3 for token in tokens) * 6 >= 256
    customer = await running.customer()
    async with desk.database.read() as session:
        kept = await session.get_one(Conversation, customer.id)
        assert customer.token not in str(vars(kept)) and re.fullmatch("[0-9a-f]{64}", kept.token_hash)


class TestFiles:
    async def sent(self, running: RunningDesk, customer: Customer) -> str:
        answer = await running.http.post(
            f"{customer.path}/messages",
            data={"client_id": "file"},
            files={"file": ("photo.png", PNG, "image/png")},
            headers=customer.headers,
        )
        assert answer.status_code == 201
        return str((await customer.read())["messages"][0]["attachment"]["url"])

    async def test_only_the_signed_address_opens_a_file(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mine, theirs = await running.customer(), await running.customer()
        url, other = await self.sent(running, mine), await self.sent(running, theirs)
        assert (await running.http.get(url)).status_code == 200
        path, _, query = url.partition("?")
        expires, signature = (part.partition("=")[2] for part in query.split("&"))
        other_path, _, other_query = other.partition("?")
        later = int(expires) + 3600
        for forged in (
            path,
            f"{path}?expires={later}&signature={signature}",
            f"{path}?expires=-1&signature={signature}",
            f"{path}?expires={expires}&signature={signature[:-1]}0",
            f"{path}?expires={expires}&signature=",
            f"{path}?expires={expires}&signature=%00",
            f"{path}?expires={10**30}&signature={signature}",
            f"{other_path}?{query}" if other_query.split("signature=")[1] != signature else path,
            f"{path}?expires={expires}&signature=" + "é" * 64,
        ):
            answer = await running.http.get(forged)
            assert answer.status_code in {403, 422}, forged
            assert set(answer.json()["error"]) == {"code", "message", "details"}
        with monkeypatch.context() as patched:
            patched.setattr(files.time, "time", lambda: float(later))
            assert (await running.http.get(url)).status_code == 403
        assert time.time() < int(expires) <= time.time() + settings.attachment_link_seconds

    async def test_a_file_is_served_safely_and_not_kept(self, running: RunningDesk) -> None:
        customer = await running.customer()
        url = await self.sent(running, customer)
        renamed = re.sub(r"/photo\.png", "/evil.html", url)
        for one in (url, renamed):
            answer = await running.http.get(one)
            headers = answer.headers
            assert headers["content-type"] == "image/png" and "photo.png" in headers["content-disposition"]
            assert headers["x-content-type-options"] == "nosniff" and "sandbox" in headers["content-security-policy"]
            assert headers["cache-control"] == "no-store"

    async def test_a_deleted_file_is_gone_for_who_kept_its_address(self, running: RunningDesk) -> None:
        customer = await running.customer()
        url = await self.sent(running, customer)
        async with desk.database.read() as session:
            file = await session.get(Attachment, url.split("/")[4])
        assert file is not None
        files.path_of(file).unlink()
        assert (await running.http.get(url)).status_code == 404

    async def test_no_path_leads_out_of_the_folder(self, running: RunningDesk) -> None:
        for place in ("..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/desk.db", "%252e%252e%252f", "..\\..\\desk.db", "f_%00"):
            for path in (
                f"/api/v1/attachments/{place}/x?expires=9999999999&signature=0",
                f"/api/v1/attachments/f_x/{place}?expires=9999999999&signature=0",
                f"/api/v1/conversations/{place}/messages",
                f"/demo/{place}",
                f"/_nicegui/{place}",
            ):
                answer = await running.http.send(httpx.Request("GET", running.url + path))
                assert answer.status_code in {401, 403, 404, 405, 422}, (path, answer.status_code)
                assert "root:" not in answer.text and not answer.content.startswith(b"SQLite")


class TestAgents:
    async def test_what_a_foreign_agent_and_a_designer_never_see(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        await customer.send("电话 13812345678")
        await person.post(f"/conversations/{customer.id}/resolve", {"outcome": "solved"})
        stranger = await running.person("zhu", groups=("tech",))
        designer = await running.person("wen", "designer")
        for caller in (stranger, designer):
            for call in ("", "/messages", "/summary", "/notes", "/events", "/promises"):
                assert (await caller.get(f"/conversations/{customer.id}{call}")).status_code == 403
            found = await caller.get("/conversations", q="13812345678")
            assert found.status_code == 403 if caller is designer else found.json()["items"] == []

    async def test_nobody_acts_beyond_the_own_groups_and_overseers_are_flagged(self, running: RunningDesk) -> None:
        customer = await running.customer()
        await customer.send("你好")
        await customer.until(2)
        await customer.ask_for_person()
        lin, zhu = await running.person("lin"), await running.person("zhu", groups=("tech",))
        handoff = (await lin.queue())[0]["id"]
        assert (await zhu.post(f"/handoffs/{handoff}/claim")).status_code == 403
        assert (await zhu.get("/queue", group="orders")).status_code == 403
        assert (await zhu.post(f"/conversations/{customer.id}/take-over")).status_code == 403
        assert (
            await zhu.post(f"/conversations/{customer.id}/transfer", {"group": "tech", "note": "x"})
        ).status_code == 403
        for method, path in (("PUT", "/groups/orders"), ("PUT", f"/agents/{lin.id}/presence")):
            body = {"title_zh": "x", "title_en": "x", "status": "offline"}
            answer = await running.http.request(method, f"/api/v1{path}", json=body, headers=zhu.headers)
            assert answer.status_code in {403, 404, 405}
        assert (await lin.claim(customer.id)).status_code == 200
        boss = await running.person("boss", "supervisor", groups=())
        assert (await boss.post(f"/conversations/{customer.id}/take-over")).status_code == 200
        events = (await boss.get(f"/conversations/{customer.id}/events")).json()["items"]
        assert events[-1]["flagged"] is True and events[-1]["by"] == boss.owner
