"""The bot forgets a conversation: its history, memory and answers, down to the bytes in its files."""

import asyncio
import sqlite3
import uuid
from pathlib import Path

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SlotSet, UserUttered

from bot.trackers import SnapshotTrackerStore
from tests.bot.conftest import BotStack


def bytes_of(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def rows_of(path: Path, conversation: str) -> int:
    with sqlite3.connect(path) as database:
        return sum(
            database.execute(f"SELECT COUNT(*) FROM {table} WHERE conversation = ?", (conversation,)).fetchone()[0]
            for table in ("trackers", "tracker_events", "turn_answers")
        )


@pytest.mark.parametrize("seed", range(8))
def test_no_byte_stays_in_the_files(tmp_path: Path, seed: int) -> None:
    async def talk() -> None:
        store = SnapshotTrackerStore(
            Domain.from_yaml("version: '3.1'\nslots: {order_number: {type: text, mappings: []}}"), path=str(path)
        )
        trackers = {name: store.init_tracker(name) for name in ("kept", "gone")}
        for turn in range(60):
            for name, tracker in trackers.items():
                words = f"{name}-{seed} " * (1 + (turn * 7 + seed) % 40)
                events = [UserUttered(words), SlotSet("order_number", f"{name}-{seed}-{turn}")]
                tracker.update_with_events([*events, ActionExecuted("action_listen")], store.domain)
                await store.save_turn(tracker, f"{turn}", {"messages": [{"text": words}]})
        await store.forget("gone")
        await store.forget("gone")
        assert await store.retrieve("gone") is None and await store.retrieve("kept") is not None
        store.close()

    path = tmp_path / "trackers.db"
    asyncio.run(talk())
    left = bytes_of(path)
    assert f"kept-{seed}".encode() in left
    assert f"gone-{seed}".encode() not in left


def test_the_door_forgets_and_begins_anew(bot_stack: BotStack, conversation: str) -> None:
    mark = f"LM26{uuid.uuid4().int % 10**8:08}"
    trackers = Path(bot_stack.environment["BOT_TRACKERS"])
    bot_stack.talk(conversation, "我的快递到哪了")
    bot_stack.talk(conversation, mark)
    assert rows_of(trackers, conversation) > 0
    for _ in range(2):
        answer = bot_stack.call("forget", {"conversation": conversation})
        assert (answer.status_code, answer.json()) == (200, {})
    assert rows_of(trackers, conversation) == 0
    assert mark.encode() not in bytes_of(trackers)
    assert bot_stack.talk(conversation, "你好")["nlu"][0]["intent"] == "greet"


@pytest.mark.parametrize(
    ("body", "token", "status"),
    [({}, None, 422), ({"conversation": ""}, None, 422), ({"conversation": "x"}, "no", 401)],
)
def test_a_wrong_call_is_refused(bot_stack: BotStack, body: dict[str, str], token: str | None, status: int) -> None:
    answer = bot_stack.call("forget", body, token=token)
    assert answer.status_code == status and set(answer.json()["error"]) == {"code", "message", "details"}
