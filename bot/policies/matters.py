"""Which unrelated things one message asks for."""

import re
from functools import lru_cache
from typing import Any

from bot.nlu.devices import named
from bot.nlu.lookups import compile_all, lookup
from bot.nlu.memory import remembered
from bot.nlu.text import normalise

_WISH_SURE = 0.6
_NO_TROUBLES = frozenset({"product_advice", "complain", "request_human", "inform"})
_NAME_ALONE = 4
_FAMILIES = {
    "device_problem": "tech",
    "firmware_update": "tech",
    "track_order": "parcel",
    "parcel_problem": "parcel",
    "delivery": "parcel",
}


@lru_cache(maxsize=1)
def _lookups() -> tuple[re.Pattern[str], re.Pattern[str], dict[str, re.Pattern[str]]]:
    listed = lookup("matters")
    kinds = {name: compile_all(patterns) for name, patterns in listed["kinds"].items()}
    return compile_all(listed["between"]), compile_all(listed["comparing"]), kinds


def subjects(raw: str, parse: dict[str, Any]) -> frozenset[str]:
    """The unrelated things in a message: its kinds of wishes, or what its pieces are about, whichever are more.

    A piece is about a matter of the order (`bot/data/lookups/matters.yml`) or about a device. Comparing devices is one.
    """
    wishes = [wish for wish in parse.get("wishes") or [] if wish["confidence"] >= _WISH_SURE]
    kinds = frozenset(_FAMILIES.get(wish["intent"], wish["intent"]) for wish in wishes) - _NO_TROUBLES
    if _compares(raw) or (parse.get("intent") or {}).get("name") in _NO_TROUBLES:
        return frozenset(sorted(kinds)[:1])
    return max(kinds, told_in(raw), key=len)


def _compares(raw: str) -> bool:
    _, comparing, _ = _lookups()
    return bool(comparing.search(normalise(raw)))


@remembered(1024)
def told_in(raw: str) -> frozenset[str]:
    """What the pieces of a message are about."""
    between, _, _ = _lookups()
    return frozenset(subject for piece in between.split(normalise(raw)) if piece and (subject := _subject(piece)))


def _subject(piece: str) -> str | None:
    _, _, kinds = _lookups()
    for name, pattern in kinds.items():
        if pattern.search(piece):
            return name
    devices = sorted(named(piece) - {""}) if len(piece.strip()) >= _NAME_ALONE else []
    return devices[0] if devices else None
