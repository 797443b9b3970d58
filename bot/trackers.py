"""The tracker store: the whole history in SQLite, and a short live tracker whose cost does not grow with it.

Every event is appended once to `tracker_events`. The live tracker is rebuilt from a snapshot: the slots and the running
form as they were before the last turns, then the events of those turns. A process that answered the last turn of a
conversation still has its tracker and only asks the file whether anybody else went on meanwhile. The answer of a turn
is stored in the same transaction as its events, so that a turn asked for again after a crash is either fully there or
was never kept.

What is stored survives a killed process. A power cut may cost the memory of the last moments (`synchronous = NORMAL`),
but no message, which is the desk's to keep, and nothing is done twice, because the shop knows each turn by its key.
"""

import asyncio
import copy
import logging
import os
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from operator import is_
from pathlib import Path
from typing import Any, TypeVar

import orjson
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import FailSafeTrackerStore, TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, SessionStarted, SlotSet, deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

SECRET_SLOTS = frozenset({"customer_token"})
# The handoff policy looks back six turns; rules look back a few actions.
TURNS_KEPT = 8
TURNS_BEFORE_CUT = 12
STATES_KEPT = 12
TRACKERS_AT_HAND = 128
LOCKED_SECONDS = 5.0
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


class _Replay:
    """The states before each of the last actions of a conversation, kept while events are only added."""

    def __init__(self, tracker: DialogueStateTracker, domain: Domain, omit_unset_slots: bool) -> None:
        """`tracker` is an empty one."""
        self._tracker, self._domain, self._omit_unset_slots = tracker, domain, omit_unset_slots
        self._events: list[Event] = []
        self._before: list[State] = []

    def leads_to(self, applied: list[Event], domain: Domain, omit_unset_slots: bool) -> bool:
        """Are the events replayed the first of these, and read in the same way?"""
        same_way = domain is self._domain and omit_unset_slots == self._omit_unset_slots
        return same_way and len(self._events) <= len(applied) and all(map(is_, self._events, applied))

    def states(self, applied: list[Event]) -> list[State]:
        """The last `STATES_KEPT` states, the present one among them."""
        added = applied[len(self._events) :]
        actions = sum(isinstance(event, ActionExecuted) for event in added)
        for event in added:
            if isinstance(event, ActionExecuted):
                if actions < STATES_KEPT:
                    self._before.append(self._state())
                actions -= 1
            self._tracker.update(event)
        self._events = applied
        del self._before[: -STATES_KEPT + 1]
        return [*self._before, self._state()]

    def _state(self) -> State:
        return self._domain.get_active_state(self._tracker, omit_unset_slots=self._omit_unset_slots)


class LiveTracker(DialogueStateTracker):
    """A tracker that knows what the store has of it, and whose cost is that of its last turns.

    Attributes:
        version: the version it was read at; 0 for a conversation that is not stored yet.
        stored: how many of its events need no storing.
        base: what it was rebuilt from: the slots, the running form, and the number of the first event kept.
        rebuilt: how many events at its beginning stand for that base and have no number.
    """

    version: int = 0
    stored: int = 0
    rebuilt: int = 0
    base: dict[str, Any] = {"slots": {}, "loop": None, "from": 0}  # noqa: RUF012 - never changed, only replaced
    _applied: tuple[int, list[Event]] | None = None
    _replay: _Replay | None = None

    def copy(self) -> "LiveTracker":
        """A duplicate that can go its own way; Rasa's own replays every event for it."""
        twin = copy.copy(self)
        twin.events = self.events.copy()
        twin.slots = {name: copy.copy(slot) for name, slot in self.slots.items()}
        twin.active_loop = copy.copy(self.active_loop)
        twin._replay = None
        return twin

    def applied_events(self) -> list[Event]:
        """The events that count, worked out once for as long as none is added."""
        if self._applied is None or self._applied[0] != len(self.events):
            self._applied = (len(self.events), super().applied_events())
        return list(self._applied[1])

    def past_states(
        self,
        domain: Domain,
        omit_unset_slots: bool = False,
        ignore_rule_only_turns: bool = False,
        rule_only_data: dict[str, Any] | None = None,
    ) -> list[State]:
        """The last `STATES_KEPT` states: no rule looks back further, and each state costs as much as ten events."""
        if ignore_rule_only_turns:
            return list(super().past_states(domain, omit_unset_slots, ignore_rule_only_turns, rule_only_data))
        applied = self.applied_events()
        if self._replay is None or not self._replay.leads_to(applied, domain, omit_unset_slots):
            self._replay = _Replay(self.init_copy(), domain, omit_unset_slots)
        # Whoever asks may change them.
        return [{name: dict(part) for name, part in state.items()} for state in self._replay.states(applied)]


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
        """Open or create the file; raises sqlite3.Error or OSError when it cannot be used."""
        super().__init__(domain, event_broker)
        self._path = Path(path) if path else default_path()
        prepare(self._path)
        self._database = _connect(self._path, LOCKED_SECONDS)
        # Reads happen on the event loop: they take microseconds and never wait for a writer.
        self._reading = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None, timeout=0)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="trackers")
        self._at_hand: OrderedDict[str, LiveTracker] = OrderedDict()

    @property
    def lock_file(self) -> Path:
        """The file in which processes that share this store lock conversations."""
        return self._path.with_name(self._path.name + ".locks")

    def init_tracker(self, sender_id: str) -> LiveTracker:
        """An empty tracker of the kind that this store keeps."""
        return LiveTracker(sender_id, self.domain.slots)

    async def retrieve(self, sender_id: str) -> LiveTracker | None:
        """The live tracker of a conversation: its memory, and the events of its last turns.

        It is the caller's alone: a turn that fails throws it away, and the next one reads what is stored.
        """
        at_hand = self._at_hand.pop(sender_id, None)
        rows = await self._read("SELECT version, events, snapshot FROM trackers WHERE conversation = ?", sender_id)
        if not rows:
            return None
        version, count, snapshot = rows[0]
        if at_hand is not None and at_hand.version == version:
            return at_hand
        return await self._rebuild(sender_id, version, count, orjson.loads(snapshot))

    async def retrieve_full_tracker(self, conversation_id: str) -> LiveTracker | None:
        """A tracker with every event the conversation ever had; for people who look back, not for turns."""
        query = "SELECT data FROM tracker_events WHERE conversation = ? ORDER BY number"
        rows = await self._read(query, conversation_id)
        if not rows:
            return None
        tracker = self.init_tracker(conversation_id)
        for event in deserialise_events([orjson.loads(row[0]) for row in rows]):
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
        live = tracker if isinstance(tracker, LiveTracker) else LiveTracker(tracker.sender_id, tracker.slots.values())
        events = list(tracker.events)
        first = live.base["from"] + live.stored - live.rebuilt
        new = [_harmless(event) for event in events[live.stored :]]
        base = self._base(live, events)
        reply = None if answer is None else _json(answer)
        await self._run(lambda: self._write(tracker.sender_id, live.version, first, new, base, turn_id, reply))
        if self.event_broker is not None:
            await self._stream_new_events(self.event_broker, events[live.stored :], tracker.sender_id)
        live.stored, live.version = len(events), live.version + 1
        if base is live.base and live is tracker:
            self._keep_at_hand(live)

    async def answer(self, conversation: str, turn_id: str) -> dict[str, Any] | None:
        """The stored answer of a turn, or None when that turn was never finished."""
        query = "SELECT answer FROM turn_answers WHERE conversation = ? AND turn_id = ?"
        rows = await self._read(query, conversation, turn_id)
        return dict(orjson.loads(rows[0][0])) if rows else None

    async def keys(self) -> Iterable[str]:
        """The conversations that have a tracker."""
        rows = await self._read("SELECT conversation FROM trackers")
        return [row[0] for row in rows]

    async def forget(self, conversation: str) -> None:
        """Remove a conversation's history, memory and answers, and overwrite their bytes in the files."""
        self._at_hand.pop(conversation, None)
        await self._run(lambda: self._remove(conversation))

    def close(self) -> None:
        """Finish what is being written and close the file."""
        self._thread.shutdown(wait=True)
        self._reading.close()
        self._database.close()

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _read(self, query: str, *values: str | int) -> list[Any]:
        """Rows of a query; when the file is locked, another thread waits for it."""
        try:
            return self._reading.execute(query, values).fetchall()
        except sqlite3.OperationalError:
            return await self._run(lambda: self._database.execute(query, values).fetchall())

    def _write(
        self,
        conversation: str,
        version: int,
        first: int,
        new: list[dict[str, Any]],
        base: dict[str, Any],
        turn_id: str | None,
        reply: str | None,
    ) -> None:
        now = time.time()
        row = (version + 1, first + len(new), _json(base), now, conversation)
        self._database.execute("BEGIN IMMEDIATE")
        try:
            if version == 0:
                query = "INSERT OR IGNORE INTO trackers (version, events, snapshot, updated_at, conversation) VALUES "
                changed = self._database.execute(query + "(?, ?, ?, ?, ?)", row).rowcount
            else:
                query = "UPDATE trackers SET version = ?, events = ?, snapshot = ?, updated_at = ? "
                query += "WHERE conversation = ? AND version = ?"
                changed = self._database.execute(query, (*row, version)).rowcount
            if not changed:
                raise StaleTrackerError(f"conversation {conversation} moved on in another process")
            self._database.executemany(
                "INSERT INTO tracker_events VALUES (?, ?, ?, ?, ?)",
                [
                    (conversation, number, event["event"], event.get("timestamp") or now, _json(event))
                    for number, event in enumerate(new, first)
                ],
            )
            if turn_id is not None and reply is not None:
                self._database.execute(
                    "INSERT INTO turn_answers VALUES (?, ?, ?, ?)", (conversation, turn_id, reply, now)
                )
            self._database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has ended the transaction already
                self._database.execute("ROLLBACK")
            raise

    def _remove(self, conversation: str) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            for table in ("tracker_events", "trackers", "turn_answers"):
                self._database.execute(f"DELETE FROM {table} WHERE conversation = ?", (conversation,))  # noqa: S608
            self._database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            raise
        self._database.execute("VACUUM")  # for pieces that were left behind when rows moved to other pages
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _keep_at_hand(self, tracker: LiveTracker) -> None:
        self._at_hand[tracker.sender_id] = tracker
        self._at_hand.move_to_end(tracker.sender_id)
        if len(self._at_hand) > TRACKERS_AT_HAND:
            self._at_hand.popitem(last=False)

    def _base(self, tracker: LiveTracker, events: list[Event]) -> dict[str, Any]:
        """What the tracker is to be rebuilt from: as before, or with its oldest turns turned into memory."""
        cut = _cut(events)
        if cut <= tracker.rebuilt:
            return tracker.base
        before = self.init_tracker(tracker.sender_id)
        for event in events[:cut]:
            before.update(event, self.domain)
        number = tracker.base["from"] + cut - tracker.rebuilt
        return {"slots": _memory(before), "loop": before.active_loop_name, "from": number}

    async def _rebuild(self, conversation: str, version: int, count: int, snapshot: dict[str, Any]) -> LiveTracker:
        base = snapshot if "from" in snapshot else self._with_number(conversation, count, snapshot)
        query = "SELECT data FROM tracker_events WHERE conversation = ? AND number >= ? ORDER BY number"
        rows = await self._read(query, conversation, base["from"])
        tracker = self.init_tracker(conversation)
        prefix = _prefix(base)
        for event in [*prefix, *deserialise_events([orjson.loads(row[0]) for row in rows])]:
            tracker.update(event, self.domain)
        tracker.base, tracker.rebuilt = base, len(prefix)
        tracker.version, tracker.stored = version, len(tracker.events)
        return tracker

    def _with_number(self, conversation: str, count: int, snapshot: dict[str, Any]) -> dict[str, Any]:
        """The base of a conversation whose snapshot was written by version 0.1, which kept the events themselves."""
        tracker = self.init_tracker(conversation)
        for event in [*_prefix({**snapshot, "from": 1}), *deserialise_events(snapshot["events"])]:
            tracker.update(event, self.domain)
        return {"slots": _memory(tracker), "loop": tracker.active_loop_name, "from": count}


def _json(value: dict[str, Any]) -> str:
    return orjson.dumps(value).decode()


def prepare(path: Path) -> None:
    """Make the file ready, once before the workers start; a broken one is put aside, and the bot asks again.

    Raises sqlite3.Error or OSError when the file cannot be used: locked for good, no right to write, full disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _make_tables(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
        logger.error("The trackers in %s cannot be read (%s). They are put aside as %s.", path, error, aside.name)
        path.replace(aside)
        for leftover in ("-wal", "-shm"):
            path.with_name(path.name + leftover).unlink(missing_ok=True)
        _make_tables(path)


def _make_tables(path: Path) -> None:
    database = _connect(path, LOCKED_SECONDS)
    try:
        database.executescript(_SCHEMA)
        oldest = time.time() - ANSWERS_KEPT_SECONDS
        database.execute("DELETE FROM turn_answers WHERE created_at < ?", (oldest,))
    finally:
        database.close()


def _connect(path: Path, patience: float) -> sqlite3.Connection:
    """A connection that waits `patience` seconds for locks."""
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=patience)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA secure_delete = ON")  # what is forgotten leaves no bytes behind
    except sqlite3.Error:
        database.close()
        raise
    return database


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


def _prefix(base: dict[str, Any]) -> list[Event]:
    """Events that bring an empty tracker to the remembered state; none when nothing was cut off yet."""
    if not base["from"]:
        return []
    events: list[Event] = [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted()]
    events += [SlotSet(name, value) for name, value in base["slots"].items()]
    if base["loop"]:
        events += [ActionExecuted(base["loop"]), ActiveLoop(base["loop"])]
    return [*events, ActionExecuted(ACTION_LISTEN_NAME)]


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
