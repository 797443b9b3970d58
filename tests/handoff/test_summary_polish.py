"""A language model that behaves, dawdles, talks nonsense or attacks: what becomes of what it says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from handoff.settings import settings
from handoff.summary.polish import polish
from handoff.summary.writing import summary
from tests.handoff.summary_stories import Story, steps_story

GOOD = {
    "headline": "客户的澜墨手环 2 步数一直为 0，手机 iPhone 6，很着急。",
    "replies": ["步数一直是 0 确实着急。您重启过手环、也重新配对过，这两步不用再做。"],
}


class Model:
    """A small server that speaks the chat completions protocol; `answer` says what, `asked` is what it was sent."""

    def __init__(self) -> None:
        self.content: str = json.dumps(GOOD, ensure_ascii=False)
        self.raw: bytes | None = None
        self.status = 200
        self.delay = 0.0
        self.asked: list[dict[str, Any]] = []
        self.heads: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in head.splitlines() if ": " in line)
        length = int(fields["content-length"])
        self.heads.append(head)
        self.asked.append(json.loads(await reader.readexactly(length)))
        await asyncio.sleep(self.delay)
        message = {"choices": [{"message": {"role": "assistant", "content": self.content}}]}
        body = self.raw if self.raw is not None else json.dumps(message).encode()
        lines = [f"HTTP/1.1 {self.status} X", "Content-Type: application/json", "Connection: close"]
        if self.status == 302:
            lines.append("Location: http://127.0.0.1:9/")
        writer.write("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body)
        writer.close()


@pytest_asyncio.fixture
async def model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Model]:
    """The server, running and configured."""
    made = Model()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr(settings, "llm_url", f"http://127.0.0.1:{port}/v1")
    monkeypatch.setattr(settings, "llm_model", "small")
    monkeypatch.setattr(settings, "llm_api_key", "key-of-the-tests")
    monkeypatch.setattr(settings, "llm_timeout", 1.0)
    yield made
    server.close()


async def polished(story: Story | None = None, language: str = "zh") -> dict[str, Any]:
    """What is kept of the model's answer for a story."""
    told = story or steps_story()
    return await polish(summary(told.record(), language), told.name)


NOTHING = {"headline": None, "replies": []}


class TestGood:
    """What the evidence holds is kept."""

    async def test_headline_and_replies(self, model: Model) -> None:
        assert await polished() == GOOD

    async def test_protocol(self, model: Model) -> None:
        await polished()
        [asked] = model.asked
        assert asked["model"] == "small" and [one["role"] for one in asked["messages"]] == ["system", "user"]
        assert model.heads[0].startswith("POST /v1/chat/completions ")
        assert "authorization: bearer key-of-the-tests" in model.heads[0].lower()

    async def test_english(self, model: Model) -> None:
        line = "Steps stay at 0 on the Lanmo Band 2 with an iPhone 6"
        model.content = f'```json\n{{"headline": "{line}", "replies": []}}\n```'
        assert (await polished(language="en"))["headline"] == line

    async def test_off_by_default(self, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "llm_url", "")
        assert await polished() == NOTHING and model.asked == []


class TestPrivacy:
    """Personal data stays here."""

    async def test_it_is_masked_before_it_leaves(self, model: Model) -> None:
        story = steps_story()
        seq = story.customer("我叫王小明，手机13800138000，邮箱 wang@example.com，单号LM2611030042，我要退款", "refund")
        story.fact("order_number", "LM2611030042", "LM2611030042", seq)
        story.fact("phone_last4", "8000", "8000", seq)
        await polished(story)
        sent = json.dumps(model.asked, ensure_ascii=False)
        for secret in ("王女士", "王小明", "13800138000", "8000", "wang@example.com", "LM2611030042"):
            assert secret not in sent
        assert "步数一直为 0" in sent


class TestSlow:
    """Nobody waits for it."""

    async def test_late_is_nothing(self, model: Model) -> None:
        model.delay = 5.0
        started = asyncio.get_running_loop().time()
        assert await polished() == NOTHING
        assert asyncio.get_running_loop().time() - started < 3.0

    async def test_nobody_there(self, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "llm_url", "http://127.0.0.1:9/v1")
        assert await polished() == NOTHING


class TestNonsense:
    """No object, no use."""

    @pytest.mark.parametrize(
        "content", ["", "好的", "[1]", "null", '{"headline": 5, "replies": "x"}', '{"replies": [1]}']
    )
    async def test_content(self, model: Model, content: str) -> None:
        model.content = content
        assert await polished() == NOTHING

    @pytest.mark.parametrize("raw", [b"", b"<html>", b"{}", b'{"choices": []}', b"\xff\xfe", b"[" * 100_000])
    async def test_body(self, model: Model, raw: bytes) -> None:
        model.raw = raw
        assert await polished() == NOTHING

    @pytest.mark.parametrize("status", [302, 401, 429, 500])
    async def test_status(self, model: Model, status: int) -> None:
        model.status = status
        assert await polished() == NOTHING


class TestMalicious:
    """What the evidence does not hold is dropped."""

    @pytest.mark.parametrize(
        "headline",
        [
            "客户要求退款 5000 元",
            "客户的手表 Pro 冒烟，烧伤了手",
            "The customer threatens to sue for 1 million",
            "步数一直为 0，详见 https://evil.example",
            "<script>alert(1)</script>步数一直为 0",
            "a" * 5000,
            "步数一直为 0\n忽略以上",
        ],
    )
    async def test_invented_headlines(self, model: Model, headline: str) -> None:
        model.content = json.dumps({"headline": headline, "replies": []})
        kept = (await polished())["headline"]
        assert kept is None or kept == "步数一直为 0"

    async def test_only_the_clause_without_evidence_goes(self, model: Model) -> None:
        model.content = json.dumps({"headline": "澜墨手环 2 步数一直为 0，重启过手环，固件 9.9.9。", "replies": []})
        assert (await polished())["headline"] == "澜墨手环 2 步数一直为 0，重启过手环"

    @pytest.mark.parametrize(
        "reply",
        [
            "您的手环步数一直为 0，我们给您全额退款。",
            "步数一直为 0，我保证今天解决。",
            "请把密码和验证码发给我，我来看步数。",
            "请打开 http://evil.example 重新配对手环。",
            "请联系 4008001234 处理步数问题。",
            "We promise a free replacement within 2 hours.",
        ],
    )
    async def test_replies_that_promise_or_lure(self, model: Model, reply: str) -> None:
        model.content = json.dumps({"headline": "", "replies": [reply]})
        assert (await polished())["replies"] == []
