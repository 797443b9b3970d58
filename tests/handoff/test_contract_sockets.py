"""Socket.IO: replay, order, acknowledgements, places that move, and the same refusals as over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handoff.agents.service import Agents
from handoff.desk import desk
from handoff.settings import settings
from tests.handoff.conftest import RunningDesk
from tests.handoff.servers import answer
from tests.handoff.wires import Wire, customer_auth, eventually, wired


def seqs(wire: Wire) -> list[int]:
    """Return the numbers of the messages heard, in order."""
    return [message["seq"] for message in wire.all("message")]


class TestCustomers:
    async def test_send_reply_and_replay(self, running: RunningDesk) -> None:
        customer = await running.customer()
        async with wired(running.url, "/jieli", customer_auth(customer)) as wire:
            await wire.until(lambda: wire.all("owner") == [{"owner": "bot"}] and wire.all("queue") == [None])
            assert await wire.send(client_id="a", text="你好") == {"seq": 1}
            assert await wire.send(client_id="a", text="你好") == {"seq": 1}
            await wire.until(lambda: seqs(wire) == [1, 2])
            assert {"sender": "bot", "on": True} in wire.all("typing")
            assert (wire.all("message")[0]["client_id"], wire.all("message")[1]["text"]) == ("a", "echo 你好")
        await customer.send("断线时的话")
        await customer.until(4)
        async with wired(running.url, "/jieli", customer_auth(customer, after=2)) as again:
            await again.until(lambda: seqs(again) == [3, 4])

    async def test_two_windows_hear_everything_once_and_in_order(self, running: RunningDesk) -> None:
        customer = await running.customer()
        async with wired(running.url, "/jieli", customer_auth(customer)) as one:
            async with wired(running.url, "/jieli", customer_auth(customer)) as two:
                await asyncio.gather(
                    *[customer.send(f"第 {number} 句", client_id=f"n{number}") for number in range(10)]
                )
                await customer.until(11)
                await two.until(lambda: len(seqs(two)) >= 11)
            await customer.send("一个窗口关了")
            await customer.until(13)
            await eventually(lambda: not desk.turns.is_running(customer.id))
            last = (await customer.read())["messages"][-1]["seq"]
            await one.until(lambda: last in seqs(one))
            assert seqs(one) == list(range(1, last + 1)) and seqs(two) == sorted(set(seqs(two)))

    async def test_reconnecting_all_the_time_loses_nothing(self, running: RunningDesk) -> None:
        customer = await running.customer()
        heard: list[int] = []

        async def talk() -> None:
            for number in range(8):
                await customer.send(f"第 {number} 句")
                await asyncio.sleep(0.05)

        talking = asyncio.create_task(talk())
        for _ in range(4):
            async with wired(running.url, "/jieli", customer_auth(customer, after=max(heard, default=0))) as wire:
                await asyncio.sleep(0.15)
                heard += seqs(wire)
        await talking
        await eventually(lambda: not desk.turns.is_running(customer.id))
        total = (await customer.read())["messages"][-1]["seq"]
        async with wired(running.url, "/jieli", customer_auth(customer, after=max(heard, default=0))) as wire:
            await wire.until(lambda: max([*heard, *seqs(wire)]) == total)
            heard += seqs(wire)
        assert heard == list(range(1, total + 1))

    async def test_place_in_line_moves(self, running: RunningDesk) -> None:
        first, second = await running.customer(), await running.customer()
        await first.ask_for_person()
        async with wired(running.url, "/jieli", customer_auth(second)) as wire:
            await second.ask_for_person()
            await wire.until(lambda: {"owner": "queue"} in wire.all("owner"))
            await wire.until(lambda: (wire.all("queue")[-1] or {}).get("position") == 2)
            await running.http.delete(f"{first.path}/handoff", headers=first.headers)
            await wire.until(lambda: (wire.all("queue")[-1] or {}).get("position") == 1)
            person = await running.person("lin")
            assert (await person.claim(second.id)).status_code == 200
            await wire.until(lambda: wire.all("owner")[-1] == {"owner": person.owner} and wire.all("queue")[-1] is None)
            await person.post(f"/conversations/{second.id}/typing")
            await wire.until(lambda: {"sender": "agent", "on": True} in wire.all("typing"))

    async def test_refused_connections(self, running: RunningDesk) -> None:
        customer, other = await running.customer(language="en"), await running.customer()
        cases: list[tuple[Any, str]] = [
            (None, "unauthenticated"),
            ("rubbish", "unauthenticated"),
            ({"conversation": customer.id, "token": "ct_wrong"}, "unauthenticated"),
            ({"conversation": other.id, "token": customer.token}, "forbidden"),
            ({"conversation": customer.id, "token": customer.token, "after": -1}, "invalid"),
            ({"conversation": customer.id, "token": customer.token, "after": "x"}, "invalid"),
        ]
        for auth, code in cases:
            async with wired(running.url, "/jieli", auth) as wire:
                assert wire.client.namespaces == {} and wire.refusal_code == code

    async def test_refused_messages(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "limit_messages", 2)
        customer = await running.customer(language="en")
        async with wired(running.url, "/jieli", customer_auth(customer)) as wire:
            for data, code in (
                ({"client_id": "x"}, "text_or_payload"),
                ({"client_id": "x", "text": " "}, "invalid"),
                ({"text": "x"}, "invalid"),
                ({"client_id": "x", "payload": "/track_order"}, "stale_button"),
            ):
                assert (await wire.send(**data))["error"]["code"] == code
            await wire.send(client_id="a", text="one")
            assert (await wire.send(client_id="a", text="two"))["error"]["code"] == "client_id_reused"
            refused = (await wire.send(client_id="b", text="three"))["error"]
            assert refused["code"] == "too_many_requests" and refused["details"]["retry_after"] > 0
            assert refused["message"].startswith("That was too fast")

    @pytest.mark.parametrize(
        "data",
        [
            {"client_id": "a\ud800", "text": "x"},
            {"client_id": "x", "text": "长" * 70_000},
            {"client_id": "x", "text": "a" * 70_000},
            {"client_id": "x", "payload": "/x\ud800"},
            {"client_id": "x", "text": b"\x00\x01"},
            {"client_id": b"\x00", "text": "x"},
            b"\x00",
            "x",
            None,
        ],
        ids=["half id", "long zh", "long en", "half payload", "binary text", "binary id", "binary", "word", "nothing"],
    )
    async def test_whatever_is_sent_is_acknowledged(self, running: RunningDesk, data: Any) -> None:
        customer = await running.customer()
        async with wired(running.url, "/jieli", customer_auth(customer)) as wire:
            refused = await wire.client.call("send", data, namespace="/jieli", timeout=5)
            assert refused["error"]["code"] in {"invalid", "text_or_payload", "stale_button"}
            assert (await wire.send(client_id="after", text="还在")) == {"seq": 1}

    async def test_half_of_a_letter_does_not_lose_the_rest(self, running: RunningDesk) -> None:
        customer = await running.customer()
        async with wired(running.url, "/jieli", customer_auth(customer)) as wire:
            assert (await wire.send(client_id="x", text="a\ud800")) == {"seq": 1}
            await wire.until(lambda: [one["text"] for one in wire.all("message")][:1] == ["a"])

    async def test_no_place_in_line_is_one_argument(self, running: RunningDesk) -> None:
        customer, heard = await running.customer(), []
        async with wired(running.url, "/jieli", customer_auth(customer)) as wire:

            async def record(*arguments: Any) -> None:
                heard.append(arguments)

            wire.client.on("queue", record, namespace="/jieli")
            await customer.ask_for_person()
            await eventually(lambda: bool(heard) and bool(heard[-1]) and heard[-1][0] is not None)
            await running.http.delete(f"{customer.path}/handoff", headers=customer.headers)
            await eventually(lambda: not heard[-1] or heard[-1][0] is None)
        assert heard[-1] == (None,)

    async def test_typing_holds_the_turn_back(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "turn_typing_pause", 30.0)
        customer = await running.customer()
        async with wired(running.url, "/jieli", customer_auth(customer)) as wire:
            await wire.type(on=True)
            await asyncio.sleep(0.2)
            await wire.send(client_id="a", text="我的")
            await asyncio.sleep(0.4)
            assert running.bot.turns == []
            await wire.send(client_id="b", text="手环")
            await wire.type(on=False)
            await wire.until(lambda: len(seqs(wire)) == 3)
        assert [message["text"] for message in running.bot.turns[0]["messages"]] == ["我的", "手环"]


class TestAgents:
    async def test_what_the_owner_hears_and_says(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        async with wired(running.url, "/agents", {"token": person.token}) as wire:
            await wire.until(lambda: wire.all("queue") == [{"items": []}])
            sent = (await customer.send("在吗")).json()["seq"]
            await wire.until(lambda: seqs(wire) == [sent])
            message = wire.all("message")[0]
            assert (message["conversation_id"], message["sender"], message["text"]) == (customer.id, "customer", "在吗")
            assert "nlu" in message
            await running.http.post(f"{customer.path}/typing", headers=customer.headers)
            await wire.until(lambda: any(item["sender"] == "customer" for item in wire.all("typing")))
            assert await wire.send(conversation=customer.id, client_id="a", text="在的") == {"seq": sent + 1}
            assert await wire.send(conversation=customer.id, client_id="a", text="在的") == {"seq": sent + 1}
            for data, code in (
                ({"conversation": customer.id, "client_id": "b", "text": ""}, "invalid"),
                ({"conversation": "c_unknown", "client_id": "b", "text": "x"}, "not_found"),
                ({"client_id": "b", "text": "x"}, "not_found"),
            ):
                assert (await wire.send(**data))["error"]["code"] == code
            await person.post(f"/conversations/{customer.id}/release")
            await wire.until(lambda: any(item["owner"] == "bot" for item in wire.all("owner")))
            refused = await wire.send(conversation=customer.id, client_id="c", text="还有一句")
            assert refused["error"]["code"] == "not_owner"

    async def test_line_and_presence(self, running: RunningDesk) -> None:
        person, colleague = await running.person("lin"), await running.person("mei")
        customer = await running.customer()
        async with wired(running.url, "/agents", {"token": person.token, "language": "en"}) as wire:
            await wire.until(lambda: bool(wire.all("queue")))
            await customer.ask_for_person()
            await wire.until(lambda: len(wire.all("queue")[-1]["items"]) == 1)
            item = wire.all("queue")[-1]["items"][0]
            assert (item["conversation_id"], item["reason_text"]) == (customer.id, "Asked for a person")
            await colleague.presence("break")
            await wire.until(lambda: {"agent": colleague.id, "status": "break"} in wire.all("presence"))
            await colleague.presence("online")
            assert (await colleague.claim(customer.id)).status_code == 200
            await wire.until(lambda: wire.all("queue")[-1]["items"] == [])

    async def test_a_socket_event_is_a_sign_of_life(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        async with wired(running.url, "/agents", {"token": person.token}) as wire:
            await wire.until(lambda: bool(wire.all("queue")))
            async with desk.database.write() as session:
                agent = await Agents(session).by_name("lin")
                assert agent is not None
                agent.last_seen_at = None
            await wire.type(conversation=customer.id)
            await asyncio.sleep(0.3)
            async with desk.database.read() as session:
                agent = await Agents(session).by_name("lin")
            assert agent is not None and agent.last_seen_at is not None

    async def test_a_listener_that_fails_silences_nobody(self, running: RunningDesk) -> None:
        heard: list[str] = []

        async def fails(event: dict[str, Any]) -> None:
            raise RuntimeError("a bug of ours")

        async def slow(event: dict[str, Any]) -> None:
            await asyncio.sleep(0.05)
            heard.append(event["kind"])

        desk.hub.listen(fails)
        stop = desk.hub.listen(slow)
        running.bot.behave = lambda body: _soon(answer("好", body=body))
        customer = await running.customer()
        await customer.send("你好")
        await customer.until(2)
        await eventually(lambda: heard.count("message") == 2)
        stop()
        await customer.send("再见")
        await customer.until(4)
        assert heard.count("message") == 2


async def _soon(value: dict[str, Any]) -> dict[str, Any]:
    return value
