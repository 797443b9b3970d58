"""Nothing that a customer writes is in the bot's, the action server's or the shop's log, even at the debug level."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bot.conftest import BotStack, Door, Process, free_port

PHONE = "13812345678"
ORDER = "LM2611030042"


def sentences(mark: str) -> list[str]:
    """What a customer might write, each with a mark that occurs nowhere else."""
    return [
        f"我的快递到哪了 {mark}",
        ORDER,
        "5678",
        f'/track_order{{"order_number": "{mark}"}}',
        f"手环2步数一直是0 {mark},电话{PHONE}",
        f"{{{mark}}} {{slot}} %s",
        f"转人工 {mark}",
    ]


@pytest.fixture
def talkative_bot(bot_stack: BotStack, rasa_server: Callable[..., Process], tmp_path: Path) -> object:
    """Starts Rasa servers that log at the debug level; ends them after the test."""
    started: list[Process] = []

    def start(**changes: str) -> tuple[Door, Path]:
        port, log = free_port(), tmp_path / "rasa.log"
        door = Door(f"http://127.0.0.1:{port}/webhooks/desk")
        trackers = str(tmp_path / "trackers.db")
        environment = {**bot_stack.environment, "BOT_TRACKERS": trackers, "LOG_LEVEL": "DEBUG", **changes}
        process = rasa_server(environment, port, log)
        started.append(process)
        process.start(lambda: door.call("parse", {"messages": [{"seq": 1, "text": "hi"}]}).status_code == 200)
        return door, log

    yield start
    for process in started:
        process.stop()


def test_a_talk_leaves_no_word_in_any_log(bot_stack: BotStack, talkative_bot: Callable[..., tuple[Door, Path]]) -> None:
    mark = uuid.uuid4().hex
    door, log = talkative_bot()
    for number, text in enumerate(sentences(mark)):
        door.talk(f"logs-{mark}-{number % 2}", text)
        door.parse(text)
    door.call("turn", {"conversation": mark, "turn_id": mark, "messages": [{"seq": 1, "text": mark, "odd": PHONE}]})
    logs = [log, bot_stack.folder / "actions.log", bot_stack.folder / "shop.log"]
    for path in logs:
        written = path.read_text(errors="replace").replace(f"logs-{mark}", "")
        assert mark not in written and PHONE not in written and ORDER not in written, path.name
    assert "door is open" in log.read_text()


def test_a_failing_turn_leaves_none_either(talkative_bot: Callable[..., tuple[Door, Path]]) -> None:
    mark = uuid.uuid4().hex
    door, log = talkative_bot(ACTIONS_PORT=str(free_port()))
    said = {"seq": 1, "text": f"我的快递到哪了 {mark} {PHONE}"}
    answer = door.call("turn", {"conversation": "failing", "turn_id": "1", "messages": [said]})
    assert answer.status_code == 502 and mark not in answer.text
    written = log.read_text(errors="replace")
    assert "failed" in written and mark not in written and PHONE not in written
