"""Sockets and connections in an attacker's hands: malformed packets, silence, and clients that do not read."""

from __future__ import annotations

import asyncio
import json

import pytest
import websockets

from handoff import gate, server
from handoff.realtime import guard
from handoff.settings import settings
from tests.handoff.attackers import SQLITE, engine, raw
from tests.handoff.conftest import Customer, RunningDesk
from tests.handoff.wires import customer_auth, eventually, wired

pytestmark = SQLITE
MALFORMED = {
    "no packet": "4",
    "unknown kind": "49",
    "letters": "4x",
    "ten digits of parts": '459999999999-/jieli,["send"]',
    "binary data": b"\x00\xff" * 100,
    "broken JSON": '42/jieli,["send",',
    "deep JSON": "42/jieli," + "[" * 20_000,
    "an object for an event": '42/jieli,{"send":1}',
    "a word for an event": '42/jieli,"send"',
    "a number for a name": "42/jieli,[1]",
    "an empty event": "42/jieli,[]",
    "the reserved name connect": '42/jieli,["connect",{},{}]',
    "the reserved name disconnect": '42/jieli,["disconnect"]',
    "an endless number": "42/jieli," + "1" * 5000,
    "a refusal": "44/jieli,{}",
}


@pytest.fixture
async def customer(running: RunningDesk) -> Customer:
    return await running.customer()


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_packet_ends_its_connection_and_nothing_else(
    capfd: pytest.CaptureFixture[str], running: RunningDesk, customer: Customer, name: str
) -> None:
    async with wired(running.url, "/jieli", customer_auth(customer)) as honest, engine(running.url) as attacker:
        await attacker.join("/jieli", customer_auth(customer))
        await attacker.say(MALFORMED[name])
        assert await attacker.is_dropped()
        assert "seq" in await honest.send(client_id="a", text="还在")
    assert "Traceback" not in capfd.readouterr().err


async def test_binary_parts_are_refused_and_kept_nowhere(running: RunningDesk, customer: Customer) -> None:
    async with engine(running.url) as attacker:
        await attacker.join("/jieli", customer_auth(customer))
        await attacker.say('452-/jieli,7["send",{"_placeholder":true,"num":0}]', b"\x00", b"\xff" * 1000)
        await attacker.say('42/jieli,8["send",{"client_id":"a","text":"还在"}]')
        answers = {}
        async with asyncio.timeout(5):
            while len(answers) < 2:
                packet = str(await attacker.socket.recv())
                if packet.startswith("43/jieli,"):
                    answers[packet[9]] = json.loads(packet[10:])
        assert answers["7"][0]["error"]["code"] == "invalid" and answers["8"] == [{"seq": 1}]
        await attacker.say('451-/jieli,9["send",{"_placeholder":true,"num":0}]', '42/jieli,["typing"]')
        assert await attacker.is_dropped()


async def test_odd_but_harmless_packets_store_nothing(
    capfd: pytest.CaptureFixture[str], running: RunningDesk, customer: Customer
) -> None:
    async with engine(running.url) as attacker:
        await attacker.join("/jieli", customer_auth(customer))
        await attacker.say(
            '42/jieli,["send"]',
            '42/jieli,["send",null,1,2,3]',
            '42/jieli,["send",{"client_id":{"a":1},"text":["x"]}]',
            '42/jieli,["typing"]',
            '42/jieli,["typing",[]]',
            '42/jieli,["__init__",{}]',
            '42/jieli,["trigger_event","x"]',
            '43/jieli,12["never asked"]',
            '42/agents,["send",{"conversation":"x"}]',
            "41/agents,",
            "40/" + "x" * 1000 + ",",
        )
        await attacker.say('42/jieli,7["send",{"client_id":"a","text":"好","text":"重复的键"}]')
        async with asyncio.timeout(5):
            while not (packet := str(await attacker.socket.recv())).startswith("43/jieli,7"):
                pass
        assert json.loads(packet.removeprefix("43/jieli,7")) == [{"seq": 1}]
    assert next(message["text"] for message in (await customer.read())["messages"]) == "重复的键"
    assert "Traceback" not in capfd.readouterr().err


async def test_packets_before_joining_are_not_heard(running: RunningDesk, customer: Customer) -> None:
    async with engine(running.url) as attacker:
        await attacker.say('42/jieli,1["send",{"client_id":"a","text":"x"}]')
        await attacker.say('42/agents,2["send",{"conversation":"x","client_id":"a","text":"x"}]')
        await attacker.say('42["user_uttered",{"message":"x"}]')
        await asyncio.sleep(0.3)
    assert (await customer.read())["messages"] == []


async def test_a_million_name_spaces_cost_nothing(running: RunningDesk, customer: Customer) -> None:
    async with engine(running.url) as attacker:
        await attacker.join("/jieli", customer_auth(customer))
        await attacker.say(*[f"40/n{number}," for number in range(2000)])
        assert (await attacker.join("/jieli", customer_auth(customer))).startswith("44")
    assert (await running.http.get("/healthz")).status_code == 200


async def test_joining_twice_does_not_deliver_twice(running: RunningDesk, customer: Customer) -> None:
    async with engine(running.url) as attacker:
        assert (await attacker.join("/jieli", customer_auth(customer))).startswith("40")
        assert (await attacker.join("/jieli", customer_auth(customer))).startswith("44")


async def test_a_frame_over_the_limit_ends_the_connection(running: RunningDesk, customer: Customer) -> None:
    async with engine(running.url) as attacker:
        with pytest.raises(websockets.ConnectionClosed):
            await attacker.say("4" * (server.LARGEST_FRAME + 1))
            await attacker.socket.recv()
            await attacker.socket.recv()
    async with engine(running.url) as attacker:
        with pytest.raises(websockets.ConnectionClosed):
            await attacker.socket.send("4" for _ in range(server.LARGEST_FRAME + 10))
            await attacker.socket.recv()
            await attacker.socket.recv()


async def test_polling_takes_no_more_than_the_web_socket(running: RunningDesk, customer: Customer) -> None:
    path = "/socket.io/?EIO=4&transport=polling"
    opened = await running.http.get(path)
    sid = json.loads(opened.text[1:])["sid"]
    here = f"{path}&sid={sid}"
    for body in (b"\xff\xfe\x00", b"4" * 300_000, b"\x1e".join([b"3"] * 500), b'451-/jieli,["x"]'):
        answer = await running.http.post(here, content=body)
        assert answer.status_code in {200, 400, 413} and "Traceback" not in answer.text
    assert (await running.http.post(f"{path}&sid=guessed", content=b"3")).status_code == 400
    assert (await running.http.get("/socket.io/?EIO=4&transport=carrier-pigeon")).status_code == 400
    assert "access-control-allow-credentials" not in opened.headers


async def test_a_connection_that_joins_nothing_is_ended(
    running: RunningDesk, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "CONNECT_SECONDS", 0.4)
    async with engine(running.url) as idle, engine(running.url) as refused, engine(running.url) as joined:
        await joined.join("/jieli", customer_auth(customer))
        await refused.join("/jieli", {"conversation": customer.id, "token": "ct_wrong"})
        assert await idle.is_dropped(3) and await refused.is_dropped(3)
        assert not await joined.is_dropped(0.5)


async def test_a_client_that_does_not_read_is_dropped(
    running: RunningDesk, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for it never grows beyond a bound, and the others hear everything."""
    monkeypatch.setattr(guard, "MOST_WAITING_BYTES", 100_000)
    monkeypatch.setattr(server, "STALL_SECONDS", 1.0)
    sends = [customer.send("长" * 4000, client_id=f"big{number}") for number in range(20)]
    await asyncio.gather(*sends)
    last = (await customer.read())["messages"][-1]["seq"]
    async with (
        raw(running.url, room=4096) as attacker,
        wired(running.url, "/jieli", customer_auth(customer, last)) as honest,
    ):
        await attacker.say(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        await attacker.reader.readuntil(b"pingTimeout")
        try:
            for _ in range(60):  # each joins again, and asks for all the long messages
                await attacker.say(masked(f"40/jieli,{json.dumps(customer_auth(customer))}"))
                await asyncio.sleep(0.1)
                await attacker.say(masked("41/jieli,"))
        except ConnectionError:
            pass
        sockets = guard_of(running).eio.sockets
        await eventually(lambda: not sockets.keys() - {honest.client.eio.sid}, 10)
        await customer.send("还在吗", client_id="after")
        await honest.until(lambda: any(message["text"] == "还在吗" for message in honest.all("message")))


def masked(text: str) -> bytes:
    """Return a web socket text frame as a client sends it, with a mask of zeros."""
    data = text.encode()
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return b"\x81" + size + b"\x00" * 4 + data


def guard_of(running: RunningDesk) -> guard.GuardedServer:
    """Return the socket server of the desk under test."""
    return running.app.app.engineio_server  # type: ignore[attr-defined,no-any-return]


class TestSlowAndHuge:
    async def test_half_a_head_is_not_waited_for(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "HEADER_SECONDS", 0.5)
        async with raw(running.url) as silent, raw(running.url) as slow:
            await slow.say(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
            for _ in range(10):
                await asyncio.sleep(0.1)
                with_more = b"X-A: b\r\n"
                try:
                    await slow.say(with_more)
                except ConnectionError:
                    break
            assert await silent.answer(3) == b"" and await slow.answer(3) == b""

    async def test_a_kept_connection_is_not_kept_by_line_ends(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "HEADER_SECONDS", 0.5)
        async with raw(running.url) as slow:
            await slow.say(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            for _ in range(10):
                await asyncio.sleep(0.1)
                try:
                    await slow.say(b"\r\n")
                except ConnectionError:
                    break
            assert (await slow.answer(3)).count(b"HTTP/1.1 200") == 1

    async def test_half_a_body_is_not_waited_for(
        self, running: RunningDesk, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gate, "PIECE_SECONDS", 0.4)
        part = b'--x\r\nContent-Disposition: form-data; name="client_id"\r\n\r\na'
        for kind, half in ((b"application/json", b'{"client_id"'), (b"multipart/form-data; boundary=x", part)):
            head = (
                f"POST /api/v1/conversations/{customer.id}/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n"
                f"Authorization: Bearer {customer.token}\r\nConnection: close\r\n"
            ).encode()
            async with raw(running.url) as slow:
                await slow.say(head + b"Content-Type: " + kind + b"\r\n\r\n" + half)
                answer = await slow.answer(5)
            assert answer.startswith(b"HTTP/1.1 408") and b'"code":"too_slow"' in answer

    async def test_a_body_that_drips_has_an_end(
        self, running: RunningDesk, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gate, "BODY_SECONDS", 0.6)
        async with raw(running.url) as slow:
            await slow.say(
                b"POST /api/v1/conversations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                b"Content-Type: application/json\r\nConnection: close\r\n\r\n"
            )
            for _ in range(20):
                await asyncio.sleep(0.1)
                try:
                    await slow.say(b"1\r\n \r\n")
                except ConnectionError:
                    break
            assert (await slow.answer(5)).startswith(b"HTTP/1.1 408")

    async def test_a_long_poll_is_not_a_slow_body(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gate, "PIECE_SECONDS", 0.2)
        monkeypatch.setattr(gate, "BODY_SECONDS", 0.2)
        monkeypatch.setattr(server, "HEADER_SECONDS", 0.3)
        customer = await running.customer()
        assert (await customer.read(after=10, wait=1.2))["messages"] == []

    async def test_heads_have_a_size(self, running: RunningDesk) -> None:
        for head in (
            b"X-A: " + b"a" * 200_000,
            b"\r\n".join(b"X-%d: a" % number for number in range(20_000)),
        ):
            async with raw(running.url) as attacker:
                try:
                    await attacker.say(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
                except ConnectionError:
                    continue
                answer = await attacker.answer()
            assert answer == b"" or (answer.startswith(b"HTTP/1.1 400") and b'"error"' in answer)
        async with raw(running.url) as attacker:
            with pytest.raises((ConnectionError, TimeoutError)):
                for _ in range(100):  # one header without an end
                    await attacker.say(b"GET / HTTP/1.1\r\nX: " if _ == 0 else b"a" * 10_000)
                    await asyncio.sleep(0.01)
        assert (await running.http.get("/healthz")).status_code == 200

    async def test_strangers_of_one_address_cannot_take_all_connections(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settings, "limit_conversations", 5)
        here, elsewhere = address(running.url), ("127.0.0.7", 0)
        openings = [await asyncio.open_connection(*here, local_addr=elsewhere) for _ in range(15)]
        try:
            ends = [reader.at_eof() or await ended(reader) for reader, _ in openings]
            assert ends.count(True) == 5
            assert (await running.http.get("/healthz")).status_code == 200
        finally:
            for _, writer in openings:
                writer.close()


def address(url: str) -> tuple[str, int]:
    """Return host and port."""
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


async def ended(reader: asyncio.StreamReader) -> bool:
    """Tell whether the other side has hung up."""
    try:
        return await asyncio.wait_for(reader.read(1), 0.2) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False
