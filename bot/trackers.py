"""The tracker store: the whole history in SQLite, and a short live tracker whose cost does not grow with it.

Every event is appended once to `tracker_events` and never read back in a turn. The live tracker is rebuilt from a
snapshot: the slots and the running form as they were before the last turns, then the events of those turns. The answer
of a turn is stored in the same transaction as its events, so that a turn asked for again after a crash is either fully
there or was never kept.
"""

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import FailSafeTrackerStore, TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, SessionStarted, SlotSet, deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker

Result = TypeVar("Result")

SECRET_SLOTS = frozenset({"customer_token"})
TURNS_KEPT = 20
TURNS_BEFORE_CUT = 30
ANSWERS_KEPT_SECONDS = 30 * 24 * 3600

_SCHEMA = """
CREATE TABLE IF NOT EXISTS trackers (
    conversation TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    events INTEGER NOT NULL,
    snapshot TEXT NOT NULL,
    updated_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tracker_events (
    conversation TEXT NOT NULL,
    number INTEGER NOT NULL,
    type TEXT NOT NULL,
    happened_at REAL NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (conversation, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS turn_answers (
    conversation TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (conversation, turn_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS turn_answers_age ON turn_answers (created_at);
"""


class StaleTrackerError(RuntimeError):
    """Another process stored a turn of this conversation meanwhile; this one's tracker must be thrown away."""


class LiveTracker(DialogueStateTracker):
    """A tracker that knows how many of its events are stored already, and the version they were read at."""

    stored: int = 0
    version: int = 0


def default_path() -> Path:
    """Where the trackers are kept: `BOT_TRACKERS`, or `trackers.db` in the folder for run-time files."""
    return Path(os.environ.get("BOT_TRACKERS") or Path(os.environ.get("JIELI_VAR") or "var") / "trackers.db")


class SnapshotTrackerStore(TrackerStore):
    """Keeps trackers and turn answers in one SQLite file (WAL, synced at every commit)."""

    def __init__(
        self,
        domain: Domain | None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        path: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Open or create the file; raises sqlite3.Error or OSError when it cannot be written."""
        super().__init__(domain, event_broker)
        self._path = Path(path) if path else default_path()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None, timeout=5)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)
        oldest = time.time() - ANSWERS_KEPT_SECONDS
        self._database.execute("DELETE FROM turn_answers WHERE created_at < ?", (oldest,))
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="trackers")

    def init_tracker(self, sender_id: str) -> LiveTracker:
        """An empty tracker of the kind that this store keeps."""
        return LiveTracker(sender_id, self.domain.slots)

    async def retrieve(self, sender_id: str) -> LiveTracker | None:
        """The live tracker of a conversation: its memory, and the events of its last turns."""
        row = await self._run(
            lambda: self._one("SELECT version, snapshot FROM trackers WHERE conversation = ?", sender_id)
        )
        if row is None:
            return None
        tracker = self._rebuild(sender_id, json.loads(row[1]))
        tracker.version = row[0]
        return tracker

    async def retrieve_full_tracker(self, conversation_id: str) -> LiveTracker | None:
        """A tracker with every event the conversation ever had; for people who look back, not for turns."""
        query = "SELECT data FROM tracker_events WHERE conversation = ? ORDER BY number"
        rows = await self._run(lambda: self._database.execute(query, (conversation_id,)).fetchall())
        if not rows:
            return None
        tracker = self.init_tracker(conversation_id)
        for event in deserialise_events([json.loads(row[0]) for row in rows]):
            tracker.update(event, self.domain)
        tracker.stored = len(tracker.events)
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Append the new events and replace the snapshot."""
        await self.save_turn(tracker, None, None)

    async def save_turn(
        self, tracker: DialogueStateTracker, turn_id: str | None, answer: dict[str, Any] | None
    ) -> None:
        """Append the new events, replace the snapshot and keep the turn's answer, all or nothing.

        Raises StaleTrackerError when the conversation moved on in another process since the tracker was read.
        """
        stored, version = getattr(tracker, "stored", 0), getattr(tracker, "version", 0)
        events = list(tracker.events)
        new = [_harmless(event) for event in events[stored:]]
        snapshot = json.dumps(self._snapshot(tracker.sender_id, events), ensure_ascii=False)
        reply = None if answer is None else json.dumps(answer, ensure_ascii=False)
        await self._run(lambda: self._write(tracker.sender_id, version, new, snapshot, turn_id, reply))
        if isinstance(tracker, LiveTracker):
            tracker.stored, tracker.version = len(events), version + 1
        if self.event_broker is not None:
            await self._stream_new_events(self.event_broker, events[stored:], tracker.sender_id)

    async def answer(self, conversation: str, turn_id: str) -> dict[str, Any] | None:
        """The stored answer of a turn, or None when that turn was never finished."""
        query = "SELECT answer FROM turn_answers WHERE conversation = ? AND turn_id = ?"
        row = await self._run(lambda: self._one(query, conversation, turn_id))
        return None if row is None else dict(json.loads(row[0]))

    async def keys(self) -> Iterable[str]:
        """The conversations that have a tracker."""
        rows = await self._run(lambda: self._database.execute("SELECT conversation FROM trackers").fetchall())
        return [row[0] for row in rows]

    def close(self) -> None:
        """Finish what is being written and close the file."""
        self._thread.shutdown(wait=True)
        self._database.close()

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _one(self, query: str, *values: str) -> Any:
        return self._database.execute(query, values).fetchone()

    def _write(
        self,
        conversation: str,
        version: int,
        new: list[dict[str, Any]],
        snapshot: str,
        turn_id: str | None,
        reply: str | None,
    ) -> None:
        now = time.time()
        self._database.execute("BEGIN IMMEDIATE")
        try:
            row = self._one("SELECT version, events FROM trackers WHERE conversation = ?", conversation)
            if (row[0] if row else 0) != version:
                raise StaleTrackerError(f"conversation {conversation} moved on in another process")
            count = row[1] if row else 0
            self._database.executemany(
                "INSERT INTO tracker_events VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        conversation,
                        count + i,
                        event["event"],
                        event.get("timestamp") or now,
                        json.dumps(event, ensure_ascii=False),
                    )
                    for i, event in enumerate(new)
                ],
            )
            self._database.execute(
                "INSERT OR REPLACE INTO trackers VALUES (?, ?, ?, ?, ?)",
                (conversation, version + 1, count + len(new), snapshot, now),
            )
            if turn_id is not None and reply is not None:
                self._database.execute(
                    "INSERT INTO turn_answers VALUES (?, ?, ?, ?)", (conversation, turn_id, reply, now)
                )
            self._database.execute("COMMIT")
        except BaseException:
            self._database.execute("ROLLBACK")
            raise

    def _snapshot(self, conversation: str, events: list[Event]) -> dict[str, Any]:
        """Memory before the last turns, and the events of those turns."""
        cut = _cut(events)
        before = self.init_tracker(conversation)
        for event in events[:cut]:
            before.update(event, self.domain)
        return {
            "slots": _memory(before),
            "loop": before.active_loop_name,
            "events": [_harmless(event) for event in events[cut:]],
        }

    def _rebuild(self, conversation: str, snapshot: dict[str, Any]) -> LiveTracker:
        tracker = self.init_tracker(conversation)
        for event in [*_prefix(snapshot), *deserialise_events(snapshot["events"])]:
            tracker.update(event, self.domain)
        tracker.stored = len(tracker.events)
        return tracker


def unwrap(store: TrackerStore) -> SnapshotTrackerStore:
    """Our store behind Rasa's wrapper, which turns failures into memory; raises TypeError for any other store."""
    inner = store._tracker_store if isinstance(store, FailSafeTrackerStore) else store
    if not isinstance(inner, SnapshotTrackerStore):
        raise TypeError(
            f"The tracker store is {type(inner).__name__}, not SnapshotTrackerStore: "
            "conversations would be lost at a restart. "
            "Look at tracker_store in endpoints.yml."
        )
    return inner


def _prefix(snapshot: dict[str, Any]) -> list[Event]:
    """Events that bring an empty tracker to the remembered state."""
    if not snapshot["slots"] and not snapshot["loop"] and not _is_cut(snapshot["events"]):
        return []
    events: list[Event] = [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted()]
    events += [SlotSet(name, value) for name, value in snapshot["slots"].items()]
    if snapshot["loop"]:
        events += [ActionExecuted(snapshot["loop"]), ActiveLoop(snapshot["loop"])]
    return [*events, ActionExecuted(ACTION_LISTEN_NAME)]


def _is_cut(events: list[dict[str, Any]]) -> bool:
    """True when the kept events do not begin with the start of a session."""
    return bool(events) and events[0].get("name") != ACTION_SESSION_START_NAME


def _cut(events: list[Event]) -> int:
    """Where the kept turns begin: after a listening bot; 0 while the tracker is short."""
    listens = [
        i
        for i, event in enumerate(events)
        if isinstance(event, ActionExecuted) and event.action_name == ACTION_LISTEN_NAME
    ]
    if len(listens) <= TURNS_BEFORE_CUT:
        return 0
    return listens[-TURNS_KEPT - 1] + 1


def _memory(tracker: DialogueStateTracker) -> dict[str, Any]:
    """The slots that differ from their first value, secrets left out."""
    return {
        name: slot.value
        for name, slot in tracker.slots.items()
        if slot.value != slot.initial_value and name not in SECRET_SLOTS
    }


def _harmless(event: Event) -> dict[str, Any]:
    """An event as it may be stored: a secret slot keeps its name only."""
    data: dict[str, Any] = event.as_dict()
    if isinstance(event, SlotSet) and event.key in SECRET_SLOTS:
        data["value"] = None
    return data
