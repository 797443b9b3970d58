"""Hostile input on every door: forged buttons, typed commands, uploads, injection, headers, and what logs keep."""

from __future__ import annotations

import json
import struct
import uuid
import zlib
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text as sql

from handoff.app import create_app
from handoff.attachments.pictures import MOST_PIXELS, pixels
from handoff.attachments.service import clean_name
from handoff.conversations import endpoints
from handoff.desk import desk
from handoff.settings import settings
from tests.handoff.attackers import SQLITE, raw
from tests.handoff.conftest import Customer, RunningDesk
from tests.handoff.integrations import PATH, TOKEN, conversation_of, stored
from tests.handoff.pictures import PNG
from tests.handoff.servers import answer as bot_answer
from tests.handoff.servers import free_port, serving
from tests.handoff.wires import Wire, customer_auth, wired

COMMANDS = (
    '/intent{"order_number": "LM2024010101"}',
    "/restart",
    '/slot{"order": {"proof": "0000"}}',
    "/session_start",
    "/request_human",
    "/cancel_handoff",
    '/affirm{"pending": "refund"}',
    "//back",
    "/",
)


async def offers(body: dict[str, Any]) -> dict[str, Any]:
    """A bot that offers one button."""
    button = {"title": "订单一", "payload": '/inform{"order_number": "LM1"}'}
    return bot_answer("选一个", body=body) | {"messages": [{"text": "选一个", "buttons": [button]}]}


@SQLITE
class TestCommands:
    async def test_what_is_typed_is_text_at_every_door(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        customer = await running.customer()
        async with wired(running.url, "/jieli", customer_auth(customer)) as wire:
            for number, command in enumerate(COMMANDS):
                if number % 2:
                    await wire.send(client_id=f"s{number}", text=command)
                else:
                    assert (await customer.send(command)).status_code == 201
        monkeypatch.setattr(settings, "integration_token", TOKEN)
        for command in COMMANDS:
            said = {"sender": customer.id, "message": command}
            done = await running.http.post(PATH, json=said, headers={"Authorization": f"Bearer {TOKEN}"})
            assert done.status_code == 200
        await customer.until(len(COMMANDS) + 1)
        assert (await customer.read())["owner"] == "bot"
        asked = [message for turn in running.bot.turns for message in turn["messages"]]
        assert {message.get("text") for message in asked} >= set(COMMANDS)
        assert not any(message.get("payload") for message in asked)
        theirs = await conversation_of(customer.id)
        assert theirs.id != customer.id, "a webhook's sender is a name of its own, never a conversation"
        assert [words for sender, words, _ in await stored(theirs.id) if sender == "customer"] == list(COMMANDS)

    async def test_a_button_is_pressed_as_it_was_offered_or_not_at_all(self, running: RunningDesk) -> None:
        running.bot.behave = offers
        mine, other = await running.customer(), await running.customer()
        await mine.send("订单")
        await mine.until(2)
        for payload in (
            "/request_human",
            '/inform{"order_number": "LM2"}',
            '/inform{"order_number":"LM1"}',
            ' /inform{"order_number": "LM1"}',
            '/inform{"order_number": "LM1"}\x00',
            '/INFORM{"order_number": "LM1"}',
            '/inform{"order_number": "LM1", "order_number": "LM2"}',
            '/inform{"order_number": "LM1"}{}',
        ):
            answer = await mine.send(payload=payload)
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stale_button"), payload
        good = '/inform{"order_number": "LM1"}'
        assert (await other.send(payload=good)).status_code == 409, "offered in another conversation"
        assert (await mine.send(payload=good)).status_code == 201
        assert (await mine.send(payload=good)).status_code == 409, "pressed already"
        assert (
            await running.http.post(
                f"{mine.path}/messages", headers=mine.headers, json={"client_id": "both", "text": "x", "payload": good}
            )
        ).status_code == 422

    async def test_a_session_of_rasas_channel_cannot_be_chosen(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settings, "rasa_socketio", True)
        customer = await running.customer()
        await customer.send("秘密")
        async with serving(create_app(pages=False), free_port()) as url:
            given = []
            for wished in (customer.id, customer.token, "fixed-by-me", "ct_" + "A" * 43, "", None, {"a": 1}, 7):
                wire = Wire("/")
                heard: list[Any] = []
                wire.client.on("session_confirm", lambda data=None, heard=heard: heard.append(data), namespace="/")
                assert await wire.connect(url, {})
                await wire.client.emit("session_request", {"session_id": wished}, namespace="/")
                await wire.until(lambda heard=heard: bool(heard))
                given.append(heard[0])
                assert "秘密" not in str(wire.heard)
                await wire.client.disconnect()
        assert len(set(given)) == len(given) and all(len(one) >= 46 for one in given)
        assert not {customer.id, customer.token, "fixed-by-me"} & set(given)


def png(width: int, height: int) -> bytes:
    """Return a tiny file that becomes a picture of this size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\x00" * 100)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg(width: int, height: int) -> bytes:
    """Return the head of a JPEG with a harmless thumbnail before the frame that counts."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes(9)
    small = struct.pack(">BHHB", 8, 10, 10, 3) + bytes(9)
    segment = b"\xff\xc0" + struct.pack(">H", len(small) + 2) + small
    begin = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(10)
    return begin + segment + b"\xff\xc2" + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xda"


GIF = b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + bytes(20)
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + b"\xff\xff\x00" * 2
ZIP = b"PK\x03\x04" + bytes(60)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
UPLOADS: dict[str, tuple[str, bytes, str, int]] = {
    "HTML": ("x.png", b"<!DOCTYPE html><script>alert(1)</script>", "image/png", 415),
    "HTML after white space": ("x.txt", b"\n\t  <html>", "text/plain", 415),
    "HTML after a byte order mark": ("x.txt", b"\xef\xbb\xbf<script>", "text/plain", 415),
    "HTML in UTF-16": ("x.txt", "<script>".encode("utf-16"), "text/plain", 415),
    "SVG": ("x.svg", SVG, "image/svg+xml", 415),
    "SVG that says PNG": ("x.png", b'<?xml version="1.0"?>' + SVG, "image/png", 415),
    "zip": ("x.zip", ZIP, "application/zip", 415),
    "zip that says PDF": ("x.pdf", ZIP, "application/pdf", 415),
    "gzip": ("x.gz", b"\x1f\x8b\x08" + bytes(40), "application/gzip", 415),
    "a program": ("x.jpg", b"MZ" + bytes(200), "image/jpeg", 415),
    "an ELF program": ("x.txt", b"\x7fELF" + bytes(200), "text/plain", 415),
    "empty": ("x.png", b"", "image/png", 422),
    "a PNG of four billion pixels": ("x.png", png(65_535, 65_535), "image/png", 413),
    "a JPEG of four billion pixels": ("x.jpg", jpeg(65_000, 65_000), "image/jpeg", 413),
    "a GIF of four billion pixels": ("x.gif", GIF, "image/gif", 413),
    "a WebP of four billion pixels": ("x.webp", WEBP, "image/webp", 413),
    "a picture that says HTML": ("x.html", PNG, "text/html", 201),
    "a picture with HTML behind it": ("x.png.html", PNG + b"<script>alert(1)</script>", "text/html", 201),
}


@SQLITE
class TestUploads:
    async def upload(self, running: RunningDesk, customer: Customer, name: str, content: bytes, kind: str) -> Any:
        return await running.http.post(
            f"{customer.path}/messages",
            data={"client_id": uuid.uuid4().hex},
            files={"file": (name, content, kind)},
            headers=customer.headers,
        )

    async def test_content_decides(self, running: RunningDesk) -> None:
        customer = await running.customer()
        for title, (name, content, kind, status) in UPLOADS.items():
            answer = await self.upload(running, customer, name, content, kind)
            assert answer.status_code == status, (title, answer.text)
        kept = [message["attachment"] for message in (await customer.read())["messages"] if message["attachment"]]
        assert [one["type"] for one in kept] == ["image/png", "image/png"]
        for one in kept:
            served = await running.http.get(one["url"])
            assert served.headers["content-type"] == "image/png"
            assert served.headers["x-content-type-options"] == "nosniff"
        folder = settings.attachments_folder
        assert sum(path.is_file() for path in folder.rglob("*")) == 2, "what was refused leaves nothing behind"

    async def test_names_are_only_names(self, running: RunningDesk) -> None:
        customer = await running.customer()
        windows, backwards = "C:\\Windows\\x.png", "a\u202egnp.exe"
        for name in ("../../etc/passwd.png", windows, backwards, "x" * 500 + ".png", "..", "a\r\nX: y"):
            assert (await self.upload(running, customer, name, PNG, "image/png")).status_code == 201
        for message in (await customer.read())["messages"]:
            if message["attachment"]:
                shown = message["attachment"]["name"]
                assert not set("/\\\r\n\u202e\x00") & set(shown) and 0 < len(shown) <= 120
                served = await running.http.get(message["attachment"]["url"])
                assert served.status_code == 200 and "x" not in served.headers
        assert clean_name("\u2066\x07") not in {"", ".", ".."}

    async def test_sizes_are_counted_not_believed(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "attachment_limit", 100_000)
        customer = await running.customer()
        assert (await self.upload(running, customer, "a.txt", b"a" * 100_001, "text/plain")).status_code == 413
        part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n' + b"a" * 400_000
        head = (
            f"POST {customer.path}/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {customer.token}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nConnection: close\r\n"
        ).encode()
        for length, body in (
            (b"Transfer-Encoding: chunked", b"%x\r\n" % len(part) + part + b"\r\n0\r\n\r\n"),
            (b"Content-Length: 99999999999999", part),
            (b"Content-Length: -5", part),
            (b"Content-Length: 10", part),
            (b"Content-Length: ten", part),
        ):
            async with raw(running.url) as attacker:
                try:
                    await attacker.say(head + length + b"\r\n\r\n" + body)
                except ConnectionError:
                    continue
                answer = await attacker.answer(5)
            assert answer == b"" or answer.split(b" ")[1] in {b"400", b"413"}, answer[:80]
        assert (await customer.read())["messages"] == []

    async def test_parts_and_fields_are_few(self, running: RunningDesk) -> None:
        customer = await running.customer()
        many = [(f"f{number}", (f"{number}.png", PNG, "image/png")) for number in range(300)]
        fields = {f"field{number}": "x" for number in range(3000)}
        for files, data in ((many, {"client_id": "a"}), ([("file", ("a.png", PNG, "image/png"))], fields)):
            here = f"{customer.path}/messages"
            answer = await running.http.post(here, data=data, files=files, headers=customer.headers)
            assert answer.status_code in {400, 422}
        assert (await customer.read())["messages"] == []


def test_pixels_of_honest_and_broken_pictures() -> None:
    assert pixels(png(640, 480)) == pixels(jpeg(640, 480)) == 640 * 480
    assert pixels(jpeg(65_000, 65_000)) == 65_000**2 > MOST_PIXELS
    webp = b"RIFF\x00\x00\x00\x00WEBPVP8L"
    for broken in (b"\x89PNG\r\n", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xc0\x00", webp, b"GIF8"):
        assert pixels(broken) is None


NASTY = (
    "' OR '1'='1",
    "'; DROP TABLE messages; --",
    "%' UNION SELECT password_hash FROM agents --",
    "\\' OR 1=1 --",
    "%",
    "_",
    "\x00",
    "a\x00b",
    "\u202e",
    "{{7*7}}",
    "${jndi:ldap://x}",
)


class TestInjection:
    async def test_search_takes_words_as_words(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        boss = await running.person("boss", "supervisor")
        for words in NASTY:
            for asked in ({"q": words}, {"owner": words}, {"after": words}):
                answer = await boss.get("/conversations", **asked)
                assert answer.status_code in {200, 422}, (asked, answer.text)
                assert answer.status_code == 422 or answer.json()["items"] == [], asked
            assert (await boss.get("/queue", group=words)).status_code in {200, 422}
            assert (await boss.get(f"/conversations/{quote(words, safe='')}")).status_code in {404, 422}
        assert (await boss.get("/conversations", q="你好")).json()["items"][0]["id"] == customer.id
        assert (await person.get(f"/conversations/{customer.id}")).status_code == 200

    async def test_numbers_without_end(self, running: RunningDesk) -> None:
        customer, person = await running.with_agent()
        here = f"{customer.path}/messages"
        for number in ("9" * 30, "9223372036854775808", "-1", "1e400", "0x10", "NaN", "٣"):
            answer = await running.http.get(here, params={"after": number}, headers=customer.headers)
            assert answer.status_code in {200, 422}
            kept = await person.post(f"/conversations/{customer.id}/promises/{number}/kept")
            assert kept.status_code in {404, 422}
        for number in (2**63, 10**40, -1, 1.5, True, "1", None):
            answer = await running.http.post(f"{customer.path}/read", json={"seq": number}, headers=customer.headers)
            assert answer.status_code in {200, 422}

    async def test_json_that_hurts(self, running: RunningDesk) -> None:
        customer = await running.customer()
        headers = {**customer.headers, "Content-Type": "application/json"}
        deep = "[" * 20_000
        half = b"\xed\xa0\x80"
        for body in (deep, '{"a":' * 10_000, '{"client_id":"a","text":' + deep + "}", half):
            for path in ("messages", "read", "rating", "language"):
                answer = await running.http.post(f"{customer.path}/{path}", content=body, headers=headers)
                assert answer.status_code in {400, 422}, (path, answer.text[:200])
                assert set(answer.json()["error"]) == {"code", "message", "details"}
            for path in ("/api/v1/conversations", "/api/v1/agents/login"):
                answer = await running.http.post(path, content=body, headers={"Content-Type": "application/json"})
                assert answer.status_code in {400, 422}
        twice = '{"client_id":"a","client_id":"b","text":"一","text":"二"}'
        assert (await running.http.post(f"{customer.path}/messages", content=twice, headers=headers)).status_code == 201
        halves = '{"client_id":"c","text":"\\ud800 half \\u0000"}'
        answer = await running.http.post(f"{customer.path}/messages", content=halves, headers=headers)
        assert answer.status_code in {201, 400, 422}


@SQLITE
class TestHeaders:
    async def test_answers_for_programs(self, running: RunningDesk) -> None:
        customer = await running.customer()
        for method, path in (
            ("GET", f"{customer.path}/messages"),
            ("GET", "/api/nothing"),
            ("PATCH", customer.path),
            ("POST", "/webhooks/rest/webhook"),
            ("GET", "/socket.io/?EIO=4&transport=polling"),
            ("GET", "/readyz"),
            ("GET", "/metrics"),
        ):
            answer = await running.http.request(method, path, headers=customer.headers)
            assert answer.headers["x-content-type-options"] == "nosniff", path
            assert answer.headers["cache-control"] == "no-store", path
            assert answer.headers["referrer-policy"] == "no-referrer", path
            assert "server" not in answer.headers and "x-powered-by" not in answer.headers, path
            if answer.headers["content-type"].startswith("application/json"):
                assert "default-src 'none'" in answer.headers["content-security-policy"]

    async def test_no_origin_gets_credentials_and_foreign_ones_get_nothing(
        self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        evil = {"Origin": "https://evil.example"}
        for path in ("/api/v1/conversations", "/socket.io/?EIO=4&transport=polling"):
            answer = await running.http.get(path, headers=evil)
            assert "access-control-allow-credentials" not in answer.headers
        monkeypatch.setattr(settings, "widget_origins", ["https://shop.example"])
        own = {"Origin": running.url}
        for origin, wanted in (
            (evil, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": "https://shop.example.evil.example"}, 403),
            ({"Origin": "http://shop.example"}, 403),
            ({"Origin": "https://shop.example"}, 201),
            (own, 201),
            ({}, 201),
        ):
            answer = await running.http.post("/api/v1/conversations", json={}, headers=origin)
            assert answer.status_code == wanted, origin
            socket = await running.http.get("/socket.io/?EIO=4&transport=polling", headers=origin)
            assert socket.status_code == (200 if wanted == 201 else 403), origin

    async def test_neither_host_nor_override_headers_change_anything(self, running: RunningDesk) -> None:
        customer = await running.customer()
        for headers in (
            {"Host": "evil.example"},
            {"X-Forwarded-Host": "evil.example"},
            {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"},
            {"X-Original-URL": "/api/v1/agents", "X-Rewrite-URL": "/api/v1/agents"},
        ):
            tricked = {**customer.headers, **headers}
            answer = await running.http.get(f"{customer.path}/messages?_method=DELETE", headers=tricked)
            assert answer.status_code == 200 and "evil.example" not in answer.text
            assert "location" not in answer.headers
        for method in ("TRACE", "PUT", "PATCH", "PROPFIND"):
            refused = await running.http.request(method, f"{customer.path}/messages", headers=customer.headers)
            assert refused.status_code in {400, 405}
        for path in ("//evil.example/api", "/api//v1/agents", "/api/v1/agents/", "/API/v1/agents"):
            answer = await running.http.send(httpx.Request("GET", running.url + path))
            assert answer.status_code in {401, 404, 405} and "location" not in answer.headers

    async def test_metrics_are_for_those_who_may(self, running: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "metrics_token", "metrics-token")
        assert (await running.http.get("/metrics")).status_code == 403
        assert (await running.http.get("/metrics", headers={"Authorization": "Bearer wrong"})).status_code == 403
        good = await running.http.get("/metrics", headers={"Authorization": "Bearer metrics-token"})
        assert good.status_code == 200


async def test_logs_keep_no_secret_and_nothing_that_people_wrote(
    capfd: pytest.CaptureFixture[str], running: RunningDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Traffic of every kind, errors of the database included; then the log is searched."""
    customer, person = await running.with_agent()
    words = "我的暗号是 7f3a-绝密"
    await customer.send(words)
    await person.reply(customer.id, f"收到 {words}")
    await person.post(f"/conversations/{customer.id}/notes", {"text": words})
    await running.http.post("/api/v1/agents/login", json={"name": "lin", "password": "wrong-7f3a-绝密"})
    await running.http.post("/api/v1/conversations", json={"customer_token": "7f3a-绝密"})
    async with wired(running.url, "/jieli", customer_auth(customer)) as wire:
        await wire.send(client_id="a", text=words)

    async def crash(*_args: Any, **_more: Any) -> None:
        async with desk.database.write() as session:
            await session.execute(sql("INSERT INTO no_such_table VALUES (:words)"), {"words": words})

    monkeypatch.setattr(endpoints, "receive_plain", crash)
    failed = await customer.send(words, client_id="crash")
    assert failed.status_code >= 500 and "no_such_table" not in failed.text
    log = capfd.readouterr().err
    assert "storage_unavailable" in log or "request_failed" in log, "the failure itself is logged"
    for secret in ("7f3a", "绝密", customer.token, person.token, settings.identity_secret, settings.secret_key):
        assert secret not in log, json.dumps(log, ensure_ascii=False)[:2000]
