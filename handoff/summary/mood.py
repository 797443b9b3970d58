"""The customer's mood and its course, from what the bot understood of each message."""

from __future__ import annotations

from typing import Any

from handoff.conversations.models import Message

CALM = "calm"
RECENT = 5
FADES = 0.8
CALM_WEIGHT = 0.35


def course(messages: list[Message]) -> list[dict[str, Any]]:
    """Return `{seq, label, score}` for every customer message that was understood, in order."""
    return [{"seq": message.seq, **_felt(message.nlu)} for message in messages if message.nlu and "emotion" in message.nlu]


def emotion(messages: list[Message]) -> dict[str, Any]:
    """Return the present mood with its course.

    A strong feeling outlasts the "ok" that follows it, and fades over the next messages. Nothing understood: calm with score 0.
    """
    felt = course(messages)
    recent = list(enumerate(reversed(felt[-RECENT:])))
    if not recent:
        return {"label": CALM, "score": 0.0, "course": []}
    _, present = max(recent, key=lambda pair: (_weight(pair[1]) * FADES ** pair[0], -pair[0]))
    return {"label": present["label"], "score": present["score"], "course": felt}


def _felt(nlu: dict[str, Any]) -> dict[str, Any]:
    return {"label": nlu["emotion"]["label"], "score": round(float(nlu["emotion"]["score"]), 3)}


def _weight(felt: dict[str, Any]) -> float:
    return felt["score"] * (CALM_WEIGHT if felt["label"] == CALM else 1.0)
