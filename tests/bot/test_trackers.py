"""The tracker store: same conversation after a restart, flat size, answers kept, secrets not."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from rasa.core.tracker_store import FailSafeTrackerStore, InMemoryTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, SessionStarted, SlotSet, UserUttered

from bot.trackers import TURNS_BEFORE_CUT, LiveTracker, SnapshotTrackerStore, StaleTrackerError, unwrap

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = Domain.from_yaml(
    """
version: "3.1"
intents: [inform]
slots:
  order_number: {type: any, mappings: [{type: custom}]}
  os: {type: any, mappings: [{type: custom}]}
  customer_token: {type: any, mappings: [{type: custom}]}
forms: {order_form: {required_slots: [order_number]}}
responses: {utter_ask: [{text: ask}]}
"""
)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "trackers.db")


@pytest.fixture
def store(path: str) -> SnapshotTrackerStore:
    return SnapshotTrackerStore(DOMAIN, path=path)


def begin(store: SnapshotTrackerStore, conversation: str = "c") -> LiveTracker:
    tracker = store.init_tracker(conversation)
    for event in (ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")):
        tracker.update(event)
    return tracker


def turn(tracker: LiveTracker, text: str) -> None:
    tracker.update(UserUttered(text, {"name": "inform"}))
    tracker.update(ActionExecuted("utter_ask"))
    tracker.update(BotUttered(f"you said {text}"))
    tracker.update(ActionExecuted("action_listen"))


async def test_unknown_conversation(store: SnapshotTrackerStore) -> None:
    assert await store.retrieve("nobody") is None
    assert await store.retrieve_full_tracker("nobody") is None


async def test_the_same_after_a_restart(store: SnapshotTrackerStore, path: str) -> None:
    tracker = begin(store)
    tracker.update(SlotSet("os", "ios"))
    turn(tracker, "hello")
    await store.save(tracker)
    store.close()
    again = await SnapshotTrackerStore(DOMAIN, path=path).retrieve("c")
    assert again is not None
    assert again.get_slot("os") == "ios"
    assert [event.as_dict()["event"] for event in again.events] == [
        event.as_dict()["event"] for event in tracker.events
    ]


async def test_memory_outlives_the_turns_that_made_it(store: SnapshotTrackerStore) -> None:
    tracker = begin(store)
    tracker.update(SlotSet("os", "ios"))
    tracker.update(ActionExecuted("order_form"))
    tracker.update(ActiveLoop("order_form"))
    tracker.update(SlotSet("requested_slot", "order_number"))
    tracker.update(ActionExecuted("action_listen"))
    sizes = []
    for number in range(120):
        turn(tracker, f"message {number}")
        await store.save(tracker)
        reloaded = await store.retrieve("c")
        assert reloaded is not None
        tracker = reloaded
        sizes.append(len(tracker.events))
    assert tracker.get_slot("os") == "ios"
    assert tracker.get_slot("requested_slot") == "order_number"
    assert tracker.active_loop_name == "order_form"
    assert tracker.latest_message is not None and tracker.latest_message.text == "message 119"
    assert tracker.latest_action_name == "action_listen"
    assert max(sizes) < (TURNS_BEFORE_CUT + 6) * 4, "the live tracker must not grow with the conversation"
    full = await store.retrieve_full_tracker("c")
    assert full is not None
    assert sum(isinstance(event, UserUttered) for event in full.events) == 120, "the history stays whole, nothing twice"


async def test_an_answer_is_kept_with_its_turn(store: SnapshotTrackerStore, path: str) -> None:
    tracker = begin(store)
    await store.save_turn(tracker, "t1", {"messages": [{"text": "好的"}]})
    store.close()
    again = SnapshotTrackerStore(DOMAIN, path=path)
    assert await again.answer("c", "t1") == {"messages": [{"text": "好的"}]}
    assert await again.answer("c", "t2") is None
    assert await again.answer("other", "t1") is None


async def test_two_writers_one_wins(store: SnapshotTrackerStore, path: str) -> None:
    await store.save(begin(store))
    other = SnapshotTrackerStore(DOMAIN, path=path)
    mine, theirs = await store.retrieve("c"), await other.retrieve("c")
    assert mine is not None and theirs is not None
    turn(mine, "first")
    turn(theirs, "second")
    await store.save_turn(mine, "t1", {"n": 1})
    with pytest.raises(StaleTrackerError):
        await other.save_turn(theirs, "t2", {"n": 2})
    assert await store.answer("c", "t2") is None
    full = await store.retrieve_full_tracker("c")
    assert full is not None and [e.text for e in full.events if isinstance(e, UserUttered)] == ["first"]


async def test_a_secret_is_not_stored(store: SnapshotTrackerStore, path: str) -> None:
    tracker = begin(store)
    tracker.update(SlotSet("customer_token", "s3cret-token"))
    turn(tracker, "hello")
    await store.save(tracker)
    store.close()
    assert b"s3cret-token" not in b"".join(file.read_bytes() for file in Path(path).parent.iterdir())


async def test_a_killed_process_loses_nothing_it_saved(path: str) -> None:
    script = f"""
import asyncio, os, signal
from tests.bot.test_trackers import DOMAIN, begin, turn
from bot.trackers import SnapshotTrackerStore
async def main():
    store = SnapshotTrackerStore(DOMAIN, path={path!r})
    tracker = begin(store)
    turn(tracker, "before the kill")
    await store.save_turn(tracker, "t1", {{"n": 1}})
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    killed = await asyncio.to_thread(subprocess.run, [sys.executable, "-W", "ignore", "-c", script], cwd=ROOT)
    assert killed.returncode == -9
    store = SnapshotTrackerStore(DOMAIN, path=path)
    tracker = await store.retrieve("c")
    assert tracker is not None and tracker.latest_message is not None
    assert tracker.latest_message.text == "before the kill"
    assert await store.answer("c", "t1") == {"n": 1}


class TestUnwrap:
    def test_ours_behind_the_wrapper(self, store: SnapshotTrackerStore) -> None:
        assert unwrap(FailSafeTrackerStore(store)) is store

    def test_memory_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"endpoints\.yml"):
            unwrap(FailSafeTrackerStore(InMemoryTrackerStore(DOMAIN)))


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises((OSError, sqlite3.Error)):
        SnapshotTrackerStore(DOMAIN, path=str(tmp_path / "file" / "trackers.db"))
