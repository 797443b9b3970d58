"""Why a conversation was handed over: stored with the handoff, logged, and read by the agent in both languages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from handoff.desk import desk
from handoff.locales import section
from handoff.queue.models import Handoff, Reason
from handoff.replay import stored
from tests.handoff.conftest import RunningDesk
from tests.handoff.servers import answer

SIGNALS = [
    {"name": "bitter", "reason": "emotion", "weight": 0.6, "evidence": [2]},
    {"name": "unsolved", "reason": "repeated_failure", "weight": 0.7, "evidence": [1, 2]},
]
WISH = {
    "reason": "repeated_failure",
    "evidence": [1, 2],
    "priority": 2,
    "group": "tech",
    "explanation": {"score": 1.3, "signals": SIGNALS},
}


def handing_over(wish: dict[str, Any]) -> Any:
    """Return a bot that hands over at once."""

    async def hand_over(body: dict[str, Any]) -> dict[str, Any]:
        return answer("我请同事来。", body=body, handoff=wish)

    return hand_over


class TestExplained:
    async def test_stored_logged_and_read_in_both_languages(self, running: RunningDesk) -> None:
        running.bot.behave = handing_over(WISH)
        customer, agent = await running.customer(), await running.person("lin")
        with capture_logs() as lines:
            await customer.send("还是不行，你们真行")
            await customer.until(owner="queue")
        line = next(one for one in lines if one["event"] == "handed_over")
        assert (line["score"], line["signals"]) == (1.3, {"bitter": 0.6, "unsolved": 0.7})
        assert line["conversation"] == customer.id and line["reason"] == "repeated_failure" and line["by"] == "bot"
        assert "真行" not in json.dumps(line, ensure_ascii=False)
        for language, first in (("zh", "说反话、心冷"), ("en", "Sarcastic or bitter")):
            summary = (await agent.get(f"/conversations/{customer.id}/summary", language=language)).json()
            assert summary["why"]["score"] == 1.3
            assert summary["why"]["signals"][0] == {"name": "bitter", "text": first, "weight": 0.6, "seqs": [2]}

    async def test_nothing_to_explain_when_the_customer_pressed_the_button(self, running: RunningDesk) -> None:
        customer, agent = await running.customer(), await running.person("lin")
        await customer.send("你好")
        await customer.until(2)
        await customer.ask_for_person()
        summary = (await agent.get(f"/conversations/{customer.id}/summary", language="zh")).json()
        assert summary["reason"] == "asked_for_person" and summary["why"] is None

    async def test_a_signal_that_the_desk_does_not_know_is_told_by_its_reason(self, running: RunningDesk) -> None:
        signal = {"name": "a_new_one", "reason": "complex", "weight": 1.0, "evidence": [1]}
        running.bot.behave = handing_over({"reason": "complex", "explanation": {"score": 1.0, "signals": [signal]}})
        customer, agent = await running.customer(), await running.person("lin")
        await customer.send("三件事")
        await customer.until(owner="queue")
        summary = (await agent.get(f"/conversations/{customer.id}/summary", language="en")).json()
        assert summary["why"]["signals"][0]["text"] == "Complex case"

    @pytest.mark.parametrize("broken", [{"score": "high"}, {"score": 1, "signals": [{"name": "x"}]}])
    async def test_an_explanation_of_the_wrong_shape_is_a_broken_bot(
        self, running: RunningDesk, broken: dict[str, Any]
    ) -> None:
        running.bot.behave = handing_over({"reason": "complex", "explanation": broken})
        customer = await running.customer()
        await customer.send("你好")
        await customer.until(owner="queue")
        async with desk.database.read() as session:
            handoff = await session.scalar(select(Handoff).where(Handoff.conversation_id == customer.id))
        assert handoff is not None and handoff.reason == Reason.BOT_ERROR and handoff.explanation is None


async def test_what_is_replayed_holds_words_changes_and_explanations(running: RunningDesk) -> None:
    running.bot.behave = handing_over(WISH)
    customer = await running.customer()
    await customer.send("还是不行")
    await customer.until(owner="queue")
    content = json.loads(await stored(desk.database))
    told = next(one for row in content for one in row["conversations"] if one["id"] == customer.id)
    assert told["handoffs"][0]["explanation"]["signals"] == SIGNALS
    assert [(event["to_owner"], event["by"]) for event in told["events"]][-1] == ("queue", "bot")
    assert [message["text"] for message in told["messages"] if message["sender"] == "customer"] == ["还是不行"]


def test_every_signal_of_the_settings_has_words() -> None:
    import yaml

    from handoff.runner.environment import ROOT

    config = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf8"))
    weights = next(one for one in config["policies"] if one["name"].endswith("HandoffPolicy"))["weights"]
    assert {f"signal_{name}" for name in weights} <= set(section("queue"))
