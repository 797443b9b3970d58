"""The frozen conversations: what customers say, and when a person should take over."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.nlu.lookups import read_yaml

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "frozen" / "handoff"


@dataclass(frozen=True)
class Due:
    """When a person is due: after message `at` at the earliest, `latest` at the latest, for one of `reasons`.

    `priority` is None where none is prescribed.
    """

    at: int
    latest: int
    reasons: frozenset[str]
    priority: int | None = None


@dataclass(frozen=True)
class Frozen:
    """One conversation, the customer's side. `offer_from`: the message from which an offered person is welcome."""

    id: str
    file: str
    customer: tuple[str, ...]
    facts: dict[str, str] = field(default_factory=dict)
    due: Due | None = None
    offer_from: int | None = None


def load(folder: Path = FOLDER) -> list[Frozen]:
    """All conversations of a folder, in the order of their files; raises ValueError for two of one name, or none."""
    if not list(folder.glob("*.yml")):
        raise ValueError(f"{folder} holds no conversations (*.yml).")
    found = [_frozen(path.stem, entry) for path in sorted(folder.glob("*.yml")) for entry in read_yaml(path)]
    names = [conversation.id for conversation in found]
    if len(set(names)) < len(names):
        raise ValueError(f"Two conversations share a name: {sorted({name for name in names if names.count(name) > 1})}")
    return found


def _frozen(file: str, entry: dict[str, Any]) -> Frozen:
    wanted = entry["hand_over"]
    due = wanted and Due(
        wanted["at"], wanted["latest"], frozenset([wanted["reason"], *wanted.get("also", [])]), wanted.get("priority")
    )
    facts = {name: str(value) for name, value in (entry.get("context") or {}).items()}
    offer = entry.get("offer") or {}
    return Frozen(entry["id"], file, tuple(entry["customer"]), facts, due or None, offer.get("from"))
