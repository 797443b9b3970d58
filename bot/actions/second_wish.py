"""The second of two wishes in one message: the first is answered, and one press goes on with the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bot.actions import catalogue, words

if TYPE_CHECKING:
    from bot.actions.turn import Turn

SURE = 0.75


def offer(turn: Turn) -> None:
    """Names what else was asked for, with a button, unless the conversation goes to a person anyway."""
    other = _other(turn)
    title = _title(turn, other["topic"]) if other else None
    if other and title and not turn.slot("handoff"):
        intent, _, topic = other["topic"].partition("/")
        payload = f"/{intent}{json.dumps({'topic': other['topic']})}" if topic else f"/{intent}"
        turn.say("utter_second_wish", buttons=[{"title": title, "payload": payload}], wish=title)


def _other(turn: Turn) -> dict[str, Any] | None:
    sure = [wish for wish in turn.wishes if wish["confidence"] >= SURE]
    others = [wish for wish in sure if wish["intent"] != turn.intent]
    return others[0] if len(sure) == 2 and len(others) == 1 else None


def _title(turn: Turn, label: str) -> str | None:
    intent, _, topic = label.partition("/")
    if intent == "device_problem":
        guide = catalogue.guides().get(topic)
        return turn.local(guide["title"]) if guide else None
    name = f"topic_{label.replace('/', '_')}"
    return turn.label(name) if words.knows(f"utter_label/{name}") else None
