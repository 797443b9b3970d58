"""What goes wrong with a parcel: lost, stuck, damaged, wrong or missing things, signed for but not received."""

from __future__ import annotations

import re
from typing import Any

from bot.actions.clients.shop import shop
from bot.actions.order_words import SETTLED, allowed_buttons, order_values, state_name
from bot.actions.said import is_question
from bot.actions.skill import SkillAction
from bot.actions.turn import Turn, payload
from bot.actions.words import Button

EVIDENCE_KINDS = frozenset({"damaged", "wrong_item", "missing_item"})
HAS_PICTURE = re.compile(
    r"照片|图片|拍[了好过照]|视频|(?<![a-z])(?:photos?|pictures?|pics?|video)(?![a-z])", re.IGNORECASE
)
NO_PICTURE = re.compile(
    r"没有?|拍不了|不会|扔了|(?<![a-z])(?:no|not|can'?t|cannot|don'?t|didn'?t|without|threw)(?![a-z])", re.IGNORECASE
)
ARRIVED = frozenset({"delivered", "returning", "refunded"})


async def answer(turn: Turn, order: dict[str, Any], kind: str) -> None:
    """The next step for a parcel in trouble, by what the shop knows of it."""
    if order["status"] == "lost":
        _offer_choice(turn, order, "lost", "utter_parcel/lost_confirmed")
    elif kind in EVIDENCE_KINDS and order["status"] in ARRIVED:
        if turn.attachments:
            await take_evidence(turn, order, kind)
        else:
            _wait(turn, kind, "photo")
            turn.say(f"utter_parcel/ask_photo_{kind}", **order_values(turn, order))
    elif kind == "missing_item" and _arrived_in_part(order):
        _wait(turn, kind, "rest")
        turn.say("utter_parcel/rest_on_its_way", buttons=[_person(turn)], **order_values(turn, order))
    elif kind in ("not_received", "lost", "stuck") and order["status"] == "delivered":
        _wait(turn, "not_received", "check")
        turn.say("utter_parcel/check_around", **order_values(turn, order))
    elif kind in ("lost", "stuck") and order["status"] in ("shipped", "delayed"):
        turn.say("utter_parcel/still_moving", buttons=[_person(turn)], **order_values(turn, order))
    else:
        turn.say(state_name(order), buttons=allowed_buttons(turn, order), **order_values(turn, order))


def _arrived_in_part(order: dict[str, Any]) -> bool:
    """Is one parcel of the order there, and another still on its way?"""
    states = {parcel["status"] for parcel in order.get("parcels") or [] if parcel["direction"] == "outbound"}
    return "delivered" in states and bool(states - SETTLED)


def _person(turn: Turn) -> Button:
    return turn.button("person", "/request_human")


async def take_evidence(turn: Turn, order: dict[str, Any], kind: str) -> None:
    """A picture came: what the policy gives for this trouble, to choose from."""
    await _say_ways_out(turn, order, kind, f"utter_parcel/evidence_{kind}")


async def _say_ways_out(turn: Turn, order: dict[str, Any], kind: str, name: str) -> None:
    policies = await shop().policies()
    _wait(turn, kind, "choice")
    turn.say(
        name,
        buttons=[*_exchange_or_return(turn, order, kind), turn.button("person", "/request_human")],
        exchange_days=policies["exchange"]["days"],
        return_days=policies["return"]["days"],
        **order_values(turn, order),
    )


def _exchange_or_return(turn: Turn, order: dict[str, Any], kind: str) -> list[Button]:
    """What the customer can do alone; a missing piece is sent after by a person."""
    if "return" not in order["allowed"] or kind == "missing_item":
        return []
    return [
        turn.button("exchange", payload("return_exchange", topic="return_exchange/exchange")),
        turn.button("return", payload("return_exchange", topic="return_exchange/return")),
    ]


def _offer_choice(turn: Turn, order: dict[str, Any], kind: str, name: str) -> None:
    _wait(turn, kind, "choice")
    turn.say(name, **order_values(turn, order))


def _wait(turn: Turn, kind: str, stage: str) -> None:
    turn.set("order_trouble", {"kind": kind, "stage": stage, "number": turn.slot("order")["number"]})
    turn.set("awaiting", "parcel")


class ParcelEvidence(SkillAction):
    """Goes on with a parcel's trouble: a picture, none to be had, what was found when looking around, a choice."""

    group = "orders"

    def name(self) -> str:
        return "action_parcel_evidence"

    async def answer(self, turn: Turn) -> None:
        trouble, order = turn.slot("order_trouble") or {}, turn.slot("order")
        kind, stage = trouble.get("kind"), trouble.get("stage")
        found = turn.entities.get("outcome") == "found" or turn.intent == "thank"
        if turn.attachments and kind in EVIDENCE_KINDS:
            await take_evidence(turn, order, kind)
        elif stage == "check" and found:
            turn.set("awaiting", "nothing")
            turn.set("order_trouble", None)
            turn.say("utter_parcel/found", **order_values(turn, order))
        elif stage == "photo" and not turn.pressed and (turn.intent in ("affirm", "greet") or _has_picture(turn.text)):
            turn.say("utter_parcel/waiting_for_photo")
        elif stage == "rest" and turn.intent in ("affirm", "thank"):
            turn.set("awaiting", "nothing")
            turn.say("utter_parcel/rest_noted")
        elif stage == "photo":
            await _without_picture(turn, order, str(kind))
        else:
            turn.set("awaiting", "nothing")
            turn.hand_over("policy_topic", "orders")


def _has_picture(text: str) -> bool:
    """Does the customer say that there are pictures, or that they will come?"""
    return bool(HAS_PICTURE.search(text)) and not is_question(text) and not NO_PICTURE.search(text)


async def _without_picture(turn: Turn, order: dict[str, Any], kind: str) -> None:
    """No picture: the way out stays open, else a person looks at it."""
    if _exchange_or_return(turn, order, kind):
        await _say_ways_out(turn, order, kind, "utter_parcel/no_photo")
    else:
        turn.set("awaiting", "nothing")
        turn.hand_over("policy_topic", "orders")
