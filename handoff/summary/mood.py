"""The customer's mood and its course, from what the bot understood of each message."""

from __future__ import annotations

import re
from typing import Any

from handoff.conversations.models import Message

CALM = "calm"
PLEASED = "pleased"
HEAVY = {"abusive": 5, "angry": 4, "sarcastic": 3, "disappointed": 2, "anxious": 1}
RECENT = 5
FADES = 0.8
CALM_WEIGHT = 0.35
# How many messages after "it works" thanks still are about that.
NEAR = 4
_SOLVED = re.compile(
    r"好了(?![吗么没])|解决了(?![吗么没])|搞定|可以了|能(?:用|连|亮|充|收)[上到]?了|行了"
    r"|恢复了|正常了|收到(?:货|退款|包裹)|\"solved\""
    r"|(?<![a-z])(?:solved|fixed|works(?: now)?|it worked|that worked|sorted"
    r"|(?:it's|it is|all) (?:good|fine|ok(?:ay)?) now)(?![a-z])"
)


def course(messages: list[Message]) -> list[dict[str, Any]]:
    """Return `{seq, label, score}` for every customer message that was understood, in order."""
    return [
        {
            "seq": message.seq,
            "label": message.nlu["emotion"]["label"],
            "score": round(float(message.nlu["emotion"]["score"]), 3),
        }
        for message in messages
        if message.nlu and message.nlu.get("emotion")
    ]


def emotion(messages: list[Message]) -> dict[str, Any]:
    """Return the present mood (`label`, `score` from 0 to 1) with its course.

    Thanks and laughter count only where something is solved.

    A strong feeling outlasts the "ok" that follows it, and fades over the next messages. Nothing understood: calm,
    score 0.
    """
    felt = course(messages)
    settled = {message.seq for message in messages if _is_settled(message)}
    sincere = [one for one in felt if one["label"] != PLEASED or any(0 <= one["seq"] - seq <= NEAR for seq in settled)]
    recent = list(enumerate(reversed(sincere[-RECENT:])))
    if not recent:
        return {"label": CALM, "score": 0.0, "course": felt}
    _, present = max(recent, key=lambda pair: (_weight(pair[1]) * FADES ** pair[0], -pair[0]))
    return {"label": present["label"], "score": present["score"], "course": felt}


def _is_settled(message: Message) -> bool:
    """Tell whether a message says that something is solved: thanks without that are a courtesy."""
    return _SOLVED.search(f"{message.text} {message.payload or ''}".lower()) is not None


def before(felt: list[dict[str, Any]], present: str) -> str | None:
    """Return the mood from which the present one came, when it was clearly better or worse at first."""
    first = felt[0]["label"] if felt else present
    return first if HEAVY.get(first, 0) != HEAVY.get(present, 0) else None


def heaviness(message: Message) -> float:
    """Return how strongly a message weighs on the customer: 0 for calm, pleased or not understood, up to 5."""
    felt = (message.nlu or {}).get("emotion") or {}
    return HEAVY.get(felt.get("label", CALM), 0) * float(felt.get("score", 0.0))


def _weight(felt: dict[str, Any]) -> float:
    return float(felt["score"]) * (CALM_WEIGHT if felt["label"] == CALM else 1.0)
