"""Stored conversations read again with other settings: which handoffs appear, vanish or move."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bot.conftest import ROOT


def message(seq: int, sender: str, text: str, **more: Any) -> dict[str, Any]:
    """One stored message; it was said in minute `seq`."""
    return {"seq": seq, "sender": sender, "text": text, "created_at": f"2026-11-20T08:{seq:02d}:00Z", **more}


def change(minute: float, source: str, target: str, by: str, reason: str) -> dict[str, Any]:
    """One change of owner."""
    moment = f"2026-11-20T08:{int(minute):02d}:{int(minute % 1 * 60):02d}Z"
    return {"from_owner": source, "to_owner": target, "by": by, "reason": reason, "created_at": moment}


def handoff(minute: float, reason: str, name: str) -> dict[str, Any]:
    """The handoff that a change of owner made, with the sign that weighed most."""
    moment = f"2026-11-20T08:{int(minute):02d}:{int(minute % 1 * 60):02d}Z"
    signals = [{"name": name, "reason": reason, "weight": 1.0, "evidence": [1]}]
    return {"reason": reason, "created_at": moment, "explanation": {"score": 1.0, "signals": signals}}


ANGRY = {
    "id": "angry",
    "messages": [
        message(1, "customer", "你们太过分了，骗子，我非常生气"),
        message(2, "system", "已为您转人工"),
        message(3, "customer", "转人工"),
        message(4, "agent", "您好"),
        message(5, "customer", "手环怎么换表盘"),
        message(6, "bot", "长按表盘。"),
    ],
    "handoffs": [handoff(1.5, "emotion", "angry")],
    "events": [
        change(1.5, "bot", "queue", "bot", "emotion"),
        change(3.5, "queue", "agent:a", "agent:a", "claimed"),
        change(4.5, "agent:a", "bot", "agent:a", "released"),
    ],
}
STUCK = {
    "id": "stuck",
    "messages": [
        message(1, "customer", "the lamp won't connect"),
        message(2, "bot", "Please restart it."),
        message(3, "customer", "didn't help"),
        message(4, "bot", "Please move it closer."),
        message(5, "customer", "still not working"),
        message(6, "bot", "Please reset it."),
    ],
    "handoffs": [],
    "events": [],
}
SHOP_DOWN = {
    "id": "shop-down",
    "messages": [message(1, "customer", "查订单")],
    "handoffs": [{**handoff(1.5, "bot_error", "none"), "explanation": None}],
    "events": [change(1.5, "bot", "queue", "bot", "bot_error")],
}


@pytest.fixture
def replayed(model: Path, tmp_path: Path) -> Any:
    """What is printed for these conversations with other settings."""
    export = tmp_path / "export.json"
    content = [{"customer": {"id": "c"}, "conversations": [ANGRY, STUCK, SHOP_DOWN]}]
    export.write_text(json.dumps(content), encoding="utf-8")

    def run(*settings: str, file: Path = export) -> tuple[int, str]:
        words = [word for setting in settings for word in ("--set", setting)]
        command = [sys.executable, "-W", "ignore", "-m", "bot.evaluation", "stored", str(file), "--model", str(model)]
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "ACTIONS_PORT": "1",
            "JIELI_VAR": str(tmp_path),
            "BOT_TRACKERS": str(tmp_path / "trackers.db"),
        }
        done = subprocess.run([*command, *words], cwd=ROOT, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return run


def test_the_settings_as_they_are_change_nothing(replayed: Any) -> None:
    code, printed = replayed()
    assert code == 0, printed
    assert "4 stretches with the bot, 2 ended in a handoff of the bot's." in printed
    assert "Nothing would change." in printed


def test_handoffs_appear_and_vanish(replayed: Any) -> None:
    code, printed = replayed(
        "weights.unsolved=0.6",
        "weights.angry=0",
        "weights.abusive=0",
        "weights.displeased=0",
        "weights.bitter=0",
        "weights.complaint=0",
        "weights.despair=0",
        "weights.policy_topic=0",
    )
    assert code == 0, printed
    assert "vanishes angry: at message 1 for emotion" in printed
    assert "appears  stuck: at message 5 for repeated_failure" in printed
    assert "shop-down" not in printed, "what an action decided does not depend on weights"
    assert "2 changed." in printed


@pytest.mark.parametrize("setting", ["weights.angre=1", "offer=1", "weights.angry=much"])
def test_a_setting_nobody_knows(replayed: Any, setting: str) -> None:
    code, printed = replayed(setting)
    assert code == 1 and setting.split("=")[0] in printed
    assert "Traceback" not in printed


def test_a_file_that_is_no_export(replayed: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}", encoding="utf-8")
    code, printed = replayed(file=other)
    assert code == 1 and "jieli export" in printed and "Traceback" not in printed
