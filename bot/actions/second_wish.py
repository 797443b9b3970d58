"""The second of two wishes in one message: the first is answered, and one press goes on with the other."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from bot.actions import catalogue, words
from bot.actions.order_details import ORDER_NUMBER
from bot.actions.several_orders import task_in

if TYPE_CHECKING:
    from bot.actions.turn import Turn

SURE = 0.75
_BESIDES = re.compile(
    r"另外|还有|顺便|对了|(?<![a-z])(?:and also|also|plus|besides|by the way|btw|on top of that|and my)(?![a-z])",
    re.IGNORECASE,
)
# Questions that are answered without any order.
_QUESTIONS = frozenset({"delivery", "warranty", "firmware_update", "product_advice"})
_SHORTEST, _LONGEST = 4, 120


def offer(turn: Turn) -> None:
    """Names what else was asked for, with a button, unless the conversation goes to a person anyway."""
    other = _other(turn)
    if turn.slot("wish_later") and turn.topic == turn.slot("wish_later").get("topic"):
        turn.set("wish_later", None)
    title = _title(turn, other["topic"]) if other else None
    if other and title and not turn.slot("handoff"):
        turn.say("utter_second_wish", buttons=[{"title": title, "payload": _payload(other["topic"])}], wish=title)


def remember(turn: Turn) -> None:
    """Keeps what a message asks for besides its order, in the customer's own words, until the order is done."""
    if turn.pressed:
        return
    joint = _BESIDES.search(turn.text)
    if not joint:
        _remember_topic(turn)
        return
    clause = _without_number_behind(turn.text[joint.end() :]).strip(" ,.;，。；、!！?？")
    if _SHORTEST <= len(clause) <= _LONGEST and not ORDER_NUMBER.search(clause) and task_in(clause) is None:
        turn.set("wish_later", {"text": clause, "topic": _topic_in(turn, joint.end())})
    else:
        _remember_topic(turn)


def _remember_topic(turn: Turn) -> None:
    """Keeps a question of another kind that stands in the message, by what it is called."""
    later = [wish for wish in turn.wishes if wish["confidence"] >= SURE and wish["intent"] in _QUESTIONS]
    title = _title(turn, str(later[-1]["topic"])) if later and later[-1]["intent"] != turn.intent else None
    if title:
        turn.set("wish_later", {"text": title, "topic": str(later[-1]["topic"])})


def _without_number_behind(clause: str) -> str:
    """The clause without an order number that comes after all it says: that one belongs to the whole message."""
    number = ORDER_NUMBER.search(clause)
    last = number and not re.search(r"[^\W\d]", clause[number.end() :])
    return clause[: number.start()] if number and last else clause


def remind(turn: Turn) -> None:
    """Comes back to what was asked for besides the order that is done now."""
    wish = turn.slot("wish_later")
    if not wish:
        return
    turn.set("wish_later", None)
    title = _title(turn, wish["topic"]) if wish.get("topic") else None
    buttons = [{"title": title, "payload": _payload(wish["topic"])}] if title else []
    asked = str(wish.get("topic") or "").partition("/")[0] in _QUESTIONS and buttons
    turn.say("utter_second_wish_question" if asked else "utter_second_wish_now", buttons=buttons, wish=wish["text"])


def _topic_in(turn: Turn, start: int) -> str | None:
    """The surest wish that stands behind `start` in the text."""
    later = [wish for wish in turn.wishes if wish.get("start", 0) >= start and wish["intent"] != turn.intent]
    return str(max(later, key=lambda wish: float(wish["confidence"]))["topic"]) if later else None


def _payload(label: str) -> str:
    intent, _, topic = label.partition("/")
    return f"/{intent}{json.dumps({'topic': label})}" if topic else f"/{intent}"


def _other(turn: Turn) -> dict[str, Any] | None:
    # A person who is asked for comes at once; here one is only spoken of.
    sure = [wish for wish in turn.wishes if wish["confidence"] >= SURE and wish["intent"] != "request_human"]
    others = [wish for wish in sure if wish["intent"] != turn.intent and not _same_matter(turn, wish["intent"])]
    return others[0] if len(sure) == 2 and len(others) == 1 else None


def _same_matter(turn: Turn, intent: str) -> bool:
    """What is wrong with a parcel or a device is the reason for sending it back, no second wish."""
    return intent in ("parcel_problem", "device_problem") and turn.intent in ("return_exchange", "refund")


def _title(turn: Turn, label: str) -> str | None:
    intent, _, topic = label.partition("/")
    if intent == "device_problem":
        guide = catalogue.guides().get(topic)
        return turn.local(guide["title"]) if guide else None
    name = f"topic_{label.replace('/', '_')}"
    return turn.label(name) if words.knows(f"utter_label/{name}") else None
